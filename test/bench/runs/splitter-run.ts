// Validates and enqueues one manifest by the splitter alone: `splitter-run.mjs <csv> <rows> <SQS endpoint> [lambda]`. The manifest is a
// file on disk, the state of the job is kept here, and the rows go to the endpoint over the real adapter.
import { createReadStream, statSync } from 'node:fs';
import { Readable } from 'node:stream';

import { createSplitter } from '../../../functions/splitter/splitter.ts';
import { sqsClient } from '../../../shared/aws/clients.ts';
import { sqsQueue } from '../../../shared/aws/sqs-queue.ts';
import { systemChance, systemClock } from '../../../shared/aws/system.ts';
import { fold } from '../../../shared/job/reducer.ts';
import { jobIdOf, planChunkKey, stateKey, validationKey } from '../../../shared/job/keys.ts';
import type { JobEvent } from '../../../shared/job/events.ts';
import type { EnqueueRequest } from '../../../shared/job/messages.ts';
import { packRowPlans, type RowPlan, sha256Of } from '../../../shared/job/plan.ts';
import { factsOf } from '../../../shared/target.ts';
import { serializeState } from '../../../shared/job/state.ts';
import { type RowChunk, validationSchema } from '../../../shared/job/validation.ts';
import { OPERATIONS } from '../../../shared/operations/index.ts';
import type { ObjectStore, StoredObject } from '../../../shared/ports.ts';
import { BENCH_TARGET } from './bench-target.ts';
import { report } from './report.ts';

const [csv = '', rowCount = '0', endpoint = ''] = process.argv.slice(2);
const rows = Number(rowCount);
const bytes = statSync(csv).size;
const events: JobEvent[] = [];
const kept = new Map<string, Buffer>();
let etags = 0;

const unused = async (): Promise<never> => {
  throw new Error('The splitter does not use this.');
};

const inbox: ObjectStore = {
  read: async (): Promise<StoredObject> => ({
    body: createReadStream(csv, { highWaterMark: 64 * 1_024 }),
    etag: '"1"',
    metadata: {},
    bytes,
    text: unused,
  }),
  readIfChanged: unused,
  write: unused,
  writeStream: unused,
  list: async function* () {},
  delete: unused,
};

const results: ObjectStore = {
  ...inbox,
  read: async (key) => {
    const stored = kept.get(key);
    return (
      stored && {
        body: Readable.from([stored]),
        etag: '"1"',
        metadata: {},
        bytes: stored.length,
        text: async () => stored.toString(),
      }
    );
  },
  write: async (key, body) => {
    kept.set(key, Buffer.from(body));
    return { etag: `"${(etags += 1)}"` };
  },
};

const sqs = sqsClient({
  AWS_ENDPOINT_URL_SQS: endpoint,
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'bench',
  AWS_SECRET_ACCESS_KEY: 'bench',
});

const splitter = createSplitter({
  inbox,
  results,
  operations: OPERATIONS,
  tasks: sqsQueue({ client: sqs, queueUrl: `${endpoint}/000000000000/rows` }),
  eventsQueue: { post: async (posted) => void events.push(...posted) },
  clock: systemClock,
  chance: systemChance,
  limits: { manifestBytes: 2 ** 31, rows: 1_000_000, rowBytes: 256 * 1_024, columns: 1_000, cellCharacters: 32_767 },
  log: (event, fields) => {
    if (event.endsWith('failed')) console.error(event, fields);
  },
});

const manifest = { bucket: 'inbox', key: 'acme/membership/bench.csv', bytes, versionId: '1' };
const jobId = jobIdOf(manifest);

const validationSeconds = await invoke({
  version: 2,
  kind: 'validate',
  ...manifest,
  at: new Date().toISOString(),
  target: factsOf(BENCH_TARGET),
});
const validation = validationSchema.parse(JSON.parse(kept.get(validationKey(jobId))?.toString() ?? 'null'));
if (validation.rows !== rows) throw new Error(`The validation found ${validation.rows} rows of ${rows}`);
const validated = fold(undefined, events.splice(0), { nowMs: Date.now(), approvalMs: 0, validation });
if (!validated) throw new Error('The validation sent no event');
const plan = { attempt: 1, chunks: validation.rowChunks.map(storePlan), sinceMs: 0, validated: '' };
kept.set(stateKey(jobId), Buffer.from(serializeState({ ...validated, state: 'running', plan, released: rows })));

let enqueueSeconds = 0;
let from = 0;
while (from < rows) {
  const request: EnqueueRequest = {
    version: 1,
    kind: 'enqueue',
    jobId,
    enqueueId: `to-${rows}`,
    from,
    to: rows,
  };
  enqueueSeconds += await invoke(request);
  const [enqueued] = events.splice(0);
  if (enqueued?.type !== 'enqueued' || enqueued.reached <= from) throw new Error('The enqueue made no progress');
  from = enqueued.reached;
}
report({ validationSeconds, enqueueSeconds });
sqs.destroy();

/** A plan that changes every row of a chunk; gives its SHA-256. */
function storePlan({ firstRow }: RowChunk, index: number): string {
  const end = validation.rowChunks[index + 1]?.firstRow ?? rows;
  const plans = Array.from({ length: end - firstRow }, (_, place): RowPlan => {
    const row = firstRow + place;
    const subject = { accountId: `5b10ac8d82e05b22cc7d${row}`, groupId: `0f9c8b7a-${row % 200}` };
    const change = { subject, before: { member: false }, after: { member: true }, keys: [] };
    return { row, line: row + 2, at: '2026-11-21T08:00:00.000Z', kind: 'change', ...change };
  });
  const packed = Buffer.from(packRowPlans(plans));
  kept.set(planChunkKey(jobId, 1, index), packed);
  return sha256Of(packed);
}

async function invoke(body: unknown): Promise<number> {
  const event = { Records: [{ messageId: '1', body: JSON.stringify(body), eventSourceARN: 'arn:aws:sqs:::bench' }] };
  const started = performance.now();
  const { batchItemFailures } = await splitter(
    event as unknown as Parameters<typeof splitter>[0], // only what the splitter reads
    { getRemainingTimeInMillis: () => 900_000 } as unknown as Parameters<typeof splitter>[1], // likewise
  );
  if (batchItemFailures.length > 0) throw new Error('The splitter failed');
  return (performance.now() - started) / 1_000;
}
