import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { SQSEvent } from 'aws-lambda';
import { parse } from 'csv-parse/sync';

import { createReporter } from '../../../functions/reporter/reporter.ts';
import { packRowStatuses } from '../../../shared/job/row-status.ts';
import type { RowEvent } from '../../../shared/job/events.ts';
import { gateKey, planChunkKey, rowChunkKey, stateKey, validationKey } from '../../../shared/job/keys.ts';
import { type Gate, packRowPlans, type RowPlan, sha256Of } from '../../../shared/job/plan.ts';
import { type Plan, serializeState, type State } from '../../../shared/job/state.ts';
import type { Summary } from '../../../shared/job/summary.ts';
import type { Validation } from '../../../shared/job/validation.ts';
import type { ObjectStore } from '../../../shared/ports.ts';
import { type MemoryObjectStore, memoryObjectStore } from '../../fakes/memory-object-store.ts';
import { memoryEventsQueue, memoryQueue } from '../../fakes/memory-queue.ts';
import { chunkOf, rowStatusesOf, FOLDER, JOB, stoppedState } from './stopped-job.ts';
import { PAGE } from '../../fakes/page-parts.ts';

interface Start {
  readonly manifest?: string | undefined;
  readonly entries: readonly RowEvent[];
  readonly rowStatuses?: readonly number[];
  readonly validation?: Partial<Validation>;
  readonly state?: Partial<State>;
  /** What planning found, and the outcomes that the gate gave; without them the job was stopped before. */
  readonly plans?: readonly RowPlan[];
  readonly given?: readonly RowEvent[];
  readonly gate?: Partial<Gate>;
  /** The report file after which something happens, the first time that it is stored. */
  readonly whenStored?: string;
  readonly onStored?: (results: ObjectStore) => Promise<unknown>;
  readonly failReadsOf?: string;
}

/** A reporter beside the stores of one stopped job, whose events queue is one chunk. */
export function start(given: Start) {
  const { state, objects } = storedJob(given);
  const results = memoryObjectStore(objects);
  const eventsQueue = memoryEventsQueue();
  const deadLetters = memoryQueue();
  const time = { nowMs: Date.parse('2026-11-21T09:00:00.000Z') };
  const reporter = createReporter({
    page: PAGE,
    results: misbehaving(results, given),
    eventsQueue,
    deadLetters,
    clock: { now: () => new Date(time.nowMs) },
    log: () => undefined,
  });
  return { reporter, results, eventsQueue, deadLetters, state, time };
}

/** The state of a job, and every object that a report of it is made from. */
export function storedJob(given: Start) {
  const worked = given.entries.length === 0 ? undefined : chunkOf('one', given.entries);
  const gated = given.given === undefined ? undefined : chunkOf('gate-1', given.given);
  const entries = [...(given.given ?? []), ...given.entries];
  const rows = new Set(entries.map(({ row }) => row)).size;
  const rowStatuses = given.rowStatuses ? Uint8Array.from(given.rowStatuses) : rowStatusesOf(rows, entries);
  const { header, rowChunks, objects } = rowsOf(given);
  const validation = { ...validationOf(rowStatuses, given.validation), header, rowChunks };
  const planned = planOf(given, rowChunks, gated ? [gated.chunk] : []);
  const { delimiter } = validation;
  const state = stoppedState({
    rows: rowStatuses.length,
    rowStatuses,
    chunks: [gated, worked].flatMap((stored) => stored?.chunk ?? []),
    manifest: { encoding: 'utf-8', delimiter, carriedColumns: [], sha256: 'f00d' },
    plan: planned?.plan,
    ...given.state,
  });
  return {
    state,
    objects: {
      ...worked?.object,
      ...gated?.object,
      ...objects,
      ...planned?.objects,
      [stateKey(JOB.id)]: serializeState(state),
      [validationKey(JOB.id)]: JSON.stringify(validation),
    },
  };
}

/** What planning and the gate stored of these rows, and the plan as the state keeps it. */
function planOf(
  { plans, gate: given = {} }: Start,
  rowChunks: Validation['rowChunks'],
  outcomeChunks: Gate['outcomeChunks'],
): { readonly plan: Plan; readonly objects: Readonly<Record<string, string | Uint8Array>> } | undefined {
  if (!plans) return undefined;
  const objects: Record<string, string | Uint8Array> = {};
  const chunks = rowChunks.map(({ firstRow }, index) => {
    const end = rowChunks[index + 1]?.firstRow ?? Infinity;
    const packed = packRowPlans(plans.filter(({ row }) => row >= firstRow && row < end));
    objects[planChunkKey(JOB.id, 1, index)] = packed;
    return sha256Of(packed);
  });
  const gate: Gate = { ...GATE, outcomeChunks, ...given };
  const stored = JSON.stringify(gate);
  objects[gateKey(JOB.id, 1)] = stored;
  return {
    plan: { attempt: 1, chunks, sinceMs: 0, validated: '', gate: { ...gate, sha256: sha256Of(stored), atMs: 0 } },
    objects,
  };
}

const GATE: Gate = {
  version: 1,
  hash: 'cafe',
  rowStatuses: '',
  outcomeChunks: [],
  dependencies: [],
  counts: { change: 0, unchanged: 0, failed: 0, invalid: 0, unprocessed: 0 },
  codes: {},
  reasons: [],
  twoPersons: false,
  mode: 'apply',
  takes: 0,
  policy: {},
};

const ROWS_PER_CHUNK = 2;

/** The rows of a manifest as a validation leaves them. */
function rowsOf({ manifest = '', validation = {} }: Start) {
  const { delimiter = ',' } = validation;
  const text = manifest.replace(/^sep=.\n/, '');
  const [header = [], ...table] = parse(text, { bom: true, delimiter, relax_column_count: true });
  const objects: Record<string, Uint8Array> = {};
  const rowChunks: Validation['rowChunks'] = [];
  for (let firstRow = 0; firstRow < table.length; firstRow += ROWS_PER_CHUNK) {
    const rows = table.slice(firstRow, firstRow + ROWS_PER_CHUNK).map((cells, index) => {
      const row = firstRow + index;
      return `${JSON.stringify({ row, line: row + 2, cells })}\n`;
    });
    const packed = gzipSync(rows.join(''));
    objects[rowChunkKey(JOB.id, rowChunks.length)] = packed;
    rowChunks.push({ firstRow, sha256: createHash('sha256').update(packed).digest('hex') });
  }
  return { header, rowChunks, objects };
}

const misbehaving = (
  results: ObjectStore,
  { whenStored = '(none)', onStored, failReadsOf = '(none)' }: Start,
): ObjectStore => {
  let first = true;
  const stored = async (key: string): Promise<void> => {
    if (!first || !key.endsWith(whenStored)) return;
    first = false;
    await onStored?.(results);
  };
  return {
    ...results,
    write: async (key, body, condition) => {
      const written = await results.write(key, body, condition);
      await stored(key);
      return written;
    },
    read: async (key, options) => {
      if (key.includes(failReadsOf)) throw new Error('503 Slow Down');
      return results.read(key, options);
    },
    writeStream: async (key, body) => {
      await results.writeStream(key, body);
      await stored(key);
    },
  };
};

const validationOf = (rowStatuses: Uint8Array, given: Partial<Validation> = {}): Validation => ({
  version: 3,
  rows: rowStatuses.length,
  sha256: 'f00d',
  encoding: 'utf-8',
  delimiter: ',',
  header: [],
  columns: [],
  carriedColumns: [],
  escaped: false,
  rowStatuses: packRowStatuses(rowStatuses),
  outcomeChunks: [],
  rowChunks: [],
  ...given,
});

export const request = (revision: number): SQSEvent =>
  delivery(JSON.stringify({ version: 1, kind: 'report', jobId: JOB.id, revision }));

export const delivery = (body: string, messageId = 'message-1'): SQSEvent => ({
  Records: [
    {
      messageId,
      body,
      receiptHandle: '',
      attributes: {
        ApproximateReceiveCount: '1',
        SentTimestamp: '0',
        SenderId: '',
        ApproximateFirstReceiveTimestamp: '0',
      },
      messageAttributes: {},
      md5OfBody: '',
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:aws:sqs:eu-west-1:000000000000:reports',
      awsRegion: 'eu-west-1',
    },
  ],
});

export const summaryIn = (results: MemoryObjectStore) => JSON.parse(results.textOf(`${FOLDER}summary.json`)) as Summary; // our own writing

export const table = (results: MemoryObjectStore, file: string, delimiter = ',', folder = FOLDER) =>
  parse(results.textOf(`${folder}${file}`), { bom: true, delimiter });
