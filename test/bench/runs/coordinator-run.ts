// Folds the whole events queue of one job by the coordinator alone: `coordinator-run.mjs <rows> <events an invocation>`. Its store is
// kept in memory, chunks are counted and forgotten, and each enqueue that it asks for is answered by its next invocation.
import { Readable } from 'node:stream';

import { createCoordinator } from '../../../functions/coordinator/coordinator.ts';
import { systemChance } from '../../../shared/aws/system.ts';
import { packRowStatuses } from '../../../shared/job/row-status.ts';
import type { Job } from '../../../shared/job/job.ts';
import type { EventBody } from '../../../shared/job/events.ts';
import { gateKey, stateKey, validationKey } from '../../../shared/job/keys.ts';
import type { EnqueueRequest } from '../../../shared/job/messages.ts';
import { type Gate, sha256Of } from '../../../shared/job/plan.ts';
import { parseState } from '../../../shared/job/state.ts';
import type { Validation } from '../../../shared/job/validation.ts';
import type { ObjectStore, StoredObject } from '../../../shared/ports.ts';
import { report } from './report.ts';
import { PAGE } from '../../fakes/page-parts.ts';

const [rowCount = '10000', eventCount = '10'] = process.argv.slice(2);
const rows = Number(rowCount);
const eventsAtOnce = Number(eventCount);
const ROWS_A_BATCH = 100;
/** What a job of a thousand rows a second does between two runs of the coordinator, so that its rate is what it would be. */
const MS_A_ROW = 1;

const job: Job = {
  id: 'bench-0123456789ab',
  target: 'acme',
  operation: 'membership',
  options: {},
  manifest: { bucket: 'inbox', key: 'acme/membership/bench.csv', bytes: rows * 45 },
  startedAt: '2026-11-21T08:00:00.000Z',
};
const validation: Validation = {
  version: 3,
  rows,
  sha256: '',
  encoding: 'utf-8',
  delimiter: ',',
  header: ['email', 'Group name'],
  columns: ['email', 'groupName'],
  carriedColumns: [],
  escaped: false,
  rowStatuses: packRowStatuses(new Uint8Array(rows)),
  outcomeChunks: [],
  rowChunks: [],
};

/** Everything is to be changed. */
const gate = JSON.stringify({
  version: 1,
  hash: '',
  rowStatuses: validation.rowStatuses,
  outcomeChunks: [],
  dependencies: [],
  counts: { change: rows, unchanged: 0, failed: 0, invalid: 0, unprocessed: 0 },
  codes: {},
  reasons: [],
  twoPersons: false,
  mode: 'apply',
  takes: 0,
  policy: {},
} satisfies Gate);

const kept = new Map<string, { readonly text: string; readonly etag: string }>([
  [validationKey(job.id), { text: JSON.stringify(validation), etag: '"0"' }],
  [gateKey(job.id, 1), { text: gate, etag: '"0"' }],
]);
const counted = { writes: 0, reads: 0, bytesWritten: 0 };
const waiting: string[] = [];
let nowMs = Date.parse(job.startedAt);
let ids = 0;

const coordinator = createCoordinator({
  results: store(),
  eventsQueue: { post: async () => {} },
  enqueueQueue: { send: async (messages) => messages.forEach(({ body }) => answerEnqueue(body as EnqueueRequest)) }, // only enqueues are sent there
  validateQueue: { send: async () => {} },
  planQueue: { send: async () => {} },
  reports: { send: async () => {} },
  page: PAGE,
  notices: { send: async () => {} },
  clock: { now: () => new Date(nowMs) },
  chance: systemChance,
  log: () => {},
  approvalMs: 3_600_000,
  bounds: { windowRows: 300, windowSeconds: 2, overdueMs: 181_000, expiryMs: 604_800_000, resendMs: 30_000 },
});

await invoke([eventText({ type: 'validating', job }), eventText({ type: 'validated', job })]);
await invoke([eventText({ type: 'gated', attempt: 1, sha256: sha256Of(gate) })]);
let seconds = 0;
let invocations = 0;
for (let row = 0; row < rows;) {
  const texts = waiting.splice(0);
  while (texts.length < eventsAtOnce && row < rows) {
    texts.push(...batchTexts(row, Math.min(row + ROWS_A_BATCH, rows)));
    row += ROWS_A_BATCH;
    nowMs += ROWS_A_BATCH * MS_A_ROW;
  }
  for (let from = 0; from < texts.length; from += eventsAtOnce) {
    seconds += await invoke(texts.slice(from, from + eventsAtOnce));
    invocations += 1;
  }
}
const state = parseState(kept.get(stateKey(job.id))?.text ?? '');
if (state.state !== 'completed') throw new Error(`The job is ${state.state} with ${state.outcomes} outcomes`);
report({
  seconds,
  invocations,
  writes: counted.writes,
  reads: counted.reads,
  writtenMiB: counted.bytesWritten / 2 ** 20,
});

async function invoke(bodies: readonly string[]): Promise<number> {
  const Records = bodies.map((body, index) => ({
    messageId: String(index),
    body,
    eventSourceARN: 'arn:aws:sqs:::eventsQueue',
  }));
  const started = performance.now();
  const { batchItemFailures } = await coordinator({ Records } as unknown as Parameters<typeof coordinator>[0]); // all it reads
  if (batchItemFailures.length > 0) throw new Error('The coordinator failed');
  return (performance.now() - started) / 1_000;
}

function eventText(body: EventBody): string {
  ids += 1;
  const id = `00000000-0000-4000-8000-${String(ids).padStart(12, '0')}`;
  return JSON.stringify({ version: 1, id, jobId: job.id, at: new Date(nowMs).toISOString(), ...body });
}

/** What a worker's batch leaves: the attempts, and the outcomes in the order in which the answers came. */
function batchTexts(from: number, to: number): readonly string[] {
  const own = Array.from({ length: to - from }, (_, index) => from + ((index * 37) % (to - from)));
  return [
    eventText({
      type: 'attempting',
      rows: own.toSorted((a, b) => a - b).map((row) => ({ row, line: row + 2 })),
    }),
    eventText({
      type: 'recorded',
      outcomes: [...new Set(own)].map((row) => ({
        row,
        line: row + 2,
        generation: 0,
        attempts: 1,
        finishedAt: new Date(nowMs).toISOString(),
        traceId: `4f1c2b3a4d5e6f708192a3b4c5d6${(row % 65_536).toString(16).padStart(4, '0')}`,
        ...(row % 50 === 0
          ? { status: 'failed', code: 'USER_NOT_FOUND', message: 'Nobody has this address.', httpStatus: 404 }
          : { status: 'changed', httpStatus: 201 }),
      })),
      returned: [],
      dropped: [],
      calls: { sent: own.length + 3, rateLimited: 0, retried: 0 },
    }),
  ];
}

function answerEnqueue({ enqueueId, to }: EnqueueRequest): void {
  waiting.push(eventText({ type: 'enqueued', enqueueId, reached: to }));
}

function store(): ObjectStore {
  const unused = async (): Promise<never> => {
    throw new Error('The coordinator does not use this.');
  };
  return {
    read: async (key) => {
      counted.reads += 1;
      const object = kept.get(key);
      return object && stored(object);
    },
    readIfChanged: async (key, etag) => {
      counted.reads += 1;
      const object = kept.get(key);
      return object?.etag === etag ? 'unchanged' : object && stored(object);
    },
    write: async (key, body) => {
      counted.writes += 1;
      counted.bytesWritten += body.length;
      const etag = `"${counted.writes}"`;
      if (key === stateKey(job.id)) kept.set(key, { text: Buffer.from(body).toString(), etag });
      return { etag };
    },
    writeStream: unused,
    list: async function* () {},
    delete: async () => {},
  };
}

function stored({ text, etag }: { readonly text: string; readonly etag: string }): StoredObject {
  return { body: Readable.from([Buffer.from(text)]), etag, metadata: {}, bytes: text.length, text: async () => text };
}
