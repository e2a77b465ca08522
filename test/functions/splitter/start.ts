import { gunzipSync } from 'node:zlib';
import type { Context, SQSEvent } from 'aws-lambda';

import { createSplitter } from '../../../functions/splitter/splitter.ts';
import type { Queue } from '../../../shared/ports.ts';
import type { EventBody } from '../../../shared/job/events.ts';
import { planChunkKey, rowChunkKey, stateKey, validationKey } from '../../../shared/job/keys.ts';
import type { Outcome } from '../../../shared/job/outcome.ts';
import { packRowPlans, type RowPlan, sha256Of } from '../../../shared/job/plan.ts';
import type { SightedTarget } from '../../../shared/target.ts';
import { newState, serializeState, type State } from '../../../shared/job/state.ts';
import { unpackRowStatuses } from '../../../shared/job/row-status.ts';
import type { EnqueueRequest, Task, ValidateRequest } from '../../../shared/job/messages.ts';
import { validationSchema, type Validation } from '../../../shared/job/validation.ts';
import type { ManifestLimits } from '../../../shared/manifest/refusal.ts';
import type { Row } from '../../../shared/manifest/rows.ts';
import { OPERATIONS } from '../../../shared/operations/index.ts';
import { memoryObjectStore } from '../../fakes/memory-object-store.ts';
import { memoryEventsQueue, memoryQueue } from '../../fakes/memory-queue.ts';

export const NOW = new Date('2026-11-21T10:00:00.000Z');

const LIMITS: ManifestLimits = {
  manifestBytes: 64 * 1024 * 1024,
  rows: 100_000,
  rowBytes: 1024 * 1024,
  columns: 200,
  cellCharacters: 10_000,
};

const TARGETS: readonly SightedTarget[] = [
  { type: 'cloud', name: 'acme', orgId: 'org-1' },
  { type: 'data-center', name: 'jira' },
];
const TORN: SightedTarget = {
  type: 'unreadable',
  message: 'The secret of target torn cannot be used: apiToken: missing.',
};

/** What intake would tell of the target that a key's first folder names. */
function sightedIn(key: string): SightedTarget | undefined {
  const [folder] = key.split('/');
  return folder === 'torn' ? TORN : TARGETS.find((target) => 'name' in target && target.name === folder);
}

interface StartOptions {
  readonly limits?: Partial<ManifestLimits>;
  readonly rows?: Queue;
}

/** A splitter over fakes, and the handles to drive it by the one field that matters. */
export function start(options: StartOptions = {}) {
  const inbox = memoryObjectStore();
  const results = memoryObjectStore();
  const eventsQueue = memoryEventsQueue();
  const rows = memoryQueue();
  const logged: string[] = [];
  let ids = 0;
  const splitter = createSplitter({
    inbox,
    results,
    operations: OPERATIONS,
    tasks: options.rows ?? rows,
    eventsQueue,
    clock: { now: () => NOW },
    chance: { uuid: () => `id-${(ids += 1)}`, random: () => 0.5 },
    limits: { ...LIMITS, ...options.limits },
    log: (event) => logged.push(event),
  });

  const deliver = async (bodies: readonly unknown[], remainingMs = 600_000): Promise<readonly string[]> => {
    const records = bodies.map((body, index) => ({
      messageId: `message-${index}`,
      body: typeof body === 'string' ? body : JSON.stringify(body),
      eventSourceARN: 'arn:aws:sqs:eu-west-1:123456789012:rollcall-validate',
    }));
    const event = { Records: records } as unknown as SQSEvent; // only what the splitter reads
    const context = { getRemainingTimeInMillis: () => remainingMs } as unknown as Context; // likewise
    const answer = await splitter(event, context);
    return answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  };

  /** Validates a file that lies at a key; gives its job. */
  const upload = async (
    key: string,
    manifest: string | Uint8Array,
    metadata: Readonly<Record<string, string>> = {},
  ) => {
    inbox.upload(key, manifest, metadata);
    const bytes = Buffer.byteLength(manifest);
    await deliver([requestOf(key, bytes)]);
    const last = eventsQueue.events.at(-1);
    if (!last) throw new Error(`Nothing happened to ${key}`);
    return last.jobId;
  };

  const validationOf = (jobId: string): Validation =>
    validationSchema.parse(JSON.parse(results.textOf(validationKey(jobId))));

  const rowsOf = (jobId: string): readonly Row[] =>
    validationOf(jobId).rowChunks.flatMap((_, index) => {
      const packed = results.objects.get(rowChunkKey(jobId, index)) ?? Buffer.alloc(0);
      const lines = gunzipSync(packed).toString().trimEnd().split('\n');
      return lines.map((line) => JSON.parse(line) as Row); // written by the splitter under test
    });

  const outcomesOf = (jobId: string): readonly Outcome[] =>
    validationOf(jobId)
      .outcomeChunks.flatMap(({ name }) => results.textOf(`jobs/${jobId}/chunks/${name}.jsonl`).trimEnd().split('\n'))
      .map((line) => JSON.parse(line) as Outcome) // written by the splitter under test
      .toSorted((left, right) => left.row - right.row);

  const putState = async (jobId: string, change: Partial<State> = {}): Promise<void> => {
    const validation = validationOf(jobId);
    const job = eventsQueue.events.flatMap((event) => ('job' in event && event.jobId === jobId ? [event.job] : []))[0];
    if (!job) throw new Error(`No event tells what ${jobId} is`);
    const rowStatuses = unpackRowStatuses(validation.rowStatuses, validation.rows);
    const state = {
      ...newState(job, NOW.getTime()),
      state: 'running' as const,
      rows: validation.rows,
      rowStatuses,
      ...change,
    };
    await results.write(stateKey(jobId), serializeState(state));
  };

  /** Stores a plan that changes every row, and a state of it. */
  const putPlan = async (jobId: string, change: Partial<State> = {}): Promise<void> => {
    const chunks: string[] = [];
    for (const [index, { firstRow }] of validationOf(jobId).rowChunks.entries()) {
      const next = validationOf(jobId).rowChunks[index + 1]?.firstRow ?? Infinity;
      const rows = rowsOf(jobId).filter(({ row }) => row >= firstRow && row < next);
      const packed = packRowPlans(rows.map(planOf));
      await results.write(planChunkKey(jobId, 1, index), packed);
      chunks.push(sha256Of(packed));
    }
    await putState(jobId, { plan: { attempt: 1, chunks, sinceMs: NOW.getTime(), validated: '' }, ...change });
  };

  const enqueue = (jobId: string, range: Partial<EnqueueRequest>, remainingMs?: number) => {
    return deliver([{ version: 1, kind: 'enqueue', jobId, enqueueId: 'enqueue-1', from: 0, ...range }], remainingMs);
  };

  return {
    inbox,
    results,
    deliver,
    upload,
    validationOf,
    rowsOf,
    outcomesOf,
    putState,
    putPlan,
    enqueue,
    logged,
    events: eventsQueue.events,
    happened: (): readonly EventBody['type'][] => eventsQueue.events.map(({ type }) => type),
    problems: (): readonly { readonly line?: number | undefined; readonly message: string }[] =>
      eventsQueue.events.flatMap((event) => (event.type === 'rejected' ? event.problems : [])),
    messages: rows.messages,
    tasks: (): readonly Task[] => rows.messages.map(({ body }) => body as Task), // sent by the splitter under test
  };
}

/** The request for a file that was put there. */
export const requestOf = (key: string, bytes: number): ValidateRequest => ({
  version: 2,
  kind: 'validate',
  bucket: 'inbox',
  key,
  versionId: 'v1',
  bytes,
  at: '2026-11-21T09:59:59.000Z',
  principal: 'AWS:ann',
  target: sightedIn(key),
});

const planOf = ({ row, line }: Row): RowPlan => ({
  row,
  line,
  at: NOW.toISOString(),
  kind: 'change',
  subject: { accountId: `account-${row}` },
  before: { member: false },
  after: { member: true },
  keys: [],
});
