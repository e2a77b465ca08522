import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { SQSEvent } from 'aws-lambda';
import { parse } from 'csv-parse/sync';

import { createReporter } from '../../../functions/reporter/reporter.ts';
import { packRowStatuses } from '../../../shared/job/row-status.ts';
import type { RowEvent } from '../../../shared/job/events.ts';
import { rowChunkKey, stateKey, validationKey } from '../../../shared/job/keys.ts';
import { serializeState, type State } from '../../../shared/job/state.ts';
import type { Summary } from '../../../shared/job/summary.ts';
import type { Validation } from '../../../shared/job/validation.ts';
import type { ObjectStore } from '../../../shared/ports.ts';
import { type MemoryObjectStore, memoryObjectStore } from '../../fakes/memory-object-store.ts';
import { memoryEventsQueue } from '../../fakes/memory-queue.ts';
import { chunkOf, rowStatusesOf, FOLDER, JOB, stoppedState } from './stopped-job.ts';

interface Start {
  readonly manifest?: string | undefined;
  readonly entries: readonly RowEvent[];
  readonly rowStatuses?: readonly number[];
  readonly validation?: Partial<Validation>;
  readonly state?: Partial<State>;
  /** The report file after which something happens, the first time that it is stored. */
  readonly whenStored?: string;
  readonly onStored?: (results: ObjectStore) => Promise<unknown>;
  readonly failReadsOf?: string;
}

/** A reporter beside the stores of one stopped job, whose events queue is one chunk. */
export function start(given: Start) {
  const { chunk, object } = chunkOf('one', given.entries);
  const rows = new Set(given.entries.map(({ row }) => row)).size;
  const rowStatuses = given.rowStatuses ? Uint8Array.from(given.rowStatuses) : rowStatusesOf(rows, given.entries);
  const { header, rowChunks, objects } = rowsOf(given);
  const validation = { ...validationOf(rowStatuses, given.validation), header, rowChunks };
  const state = stoppedState({
    rows: rowStatuses.length,
    rowStatuses,
    chunks: given.entries.length === 0 ? [] : [chunk],
    manifest: { encoding: 'utf-8', delimiter: validation.delimiter, carriedColumns: [] },
    ...given.state,
  });
  const results = memoryObjectStore({
    ...object,
    ...objects,
    [stateKey(JOB.id)]: serializeState(state),
    [validationKey(JOB.id)]: JSON.stringify(validation),
  });
  const eventsQueue = memoryEventsQueue();
  const reporter = createReporter({
    results: misbehaving(results, given),
    eventsQueue,
    clock: { now: () => new Date('2026-11-21T09:00:00.000Z') },
    log: () => undefined,
  });
  return { reporter, results, eventsQueue };
}

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
  version: 2,
  rows: rowStatuses.length,
  encoding: 'utf-8',
  delimiter: ',',
  header: [],
  columns: [],
  carriedColumns: [],
  escaped: false,
  rowStatuses: packRowStatuses(rowStatuses),
  outcomeChunks: [],
  rowChunks: [],
  mixed: false,
  ordered: false,
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

export const table = (results: MemoryObjectStore, file: string, delimiter = ',') =>
  parse(results.textOf(`${FOLDER}${file}`), { bom: true, delimiter });
