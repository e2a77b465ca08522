// The report of a job of so many rows, from row chunks and outcome chunks that are made up while they are read: `report-run.mjs <rows>`.
import { Readable } from 'node:stream';

import { writeReportFiles } from '../../../functions/reporter/report.ts';
import { attempted, rowStatusOf, packRowStatuses } from '../../../shared/job/row-status.ts';
import { newState, type Chunk, parseState, serializeState, type State } from '../../../shared/job/state.ts';
import type { Job } from '../../../shared/job/job.ts';
import type { RowEvent } from '../../../shared/job/events.ts';
import { chunkKey, validationKey } from '../../../shared/job/keys.ts';
import type { RowChunk, Validation } from '../../../shared/job/validation.ts';
import { createRowChunkWriter } from '../../../shared/manifest/row-chunks.ts';
import type { ObjectStore, StoredObject } from '../../../shared/ports.ts';
import { report } from './report.ts';
import { PAGE } from '../../fakes/page-parts.ts';

const ROWS = Number(process.argv[2] ?? 1_000_000);
const ROWS_A_CHUNK = 500;
/** Rows finish out of order: a chunk overlaps the next ones by as much. */
const OVERLAP = 3;

const job: Job = {
  id: 'joiners-0123456789ab',
  target: 'acme',
  operation: 'membership',
  options: {},
  manifest: { bucket: 'inbox', key: 'acme/membership/joiners.csv', bytes: ROWS * 45 },
  startedAt: '2026-11-21T08:00:00.000Z',
};

const counted = { reads: 0, bytesRead: 0, bytesWritten: 0 };
const results = await resultsStore();
const startedMs = performance.now();
const state = parseState(serializeState(stateOf()));
const stateMs = performance.now() - startedMs;
const summary = await writeReportFiles(results, state, PAGE);
const seconds = (performance.now() - startedMs) / 1_000;

if (summary.state !== 'completed' || summary.counts.rows !== ROWS) throw new Error(JSON.stringify(summary));
report({
  seconds,
  stateSeconds: stateMs / 1_000,
  reads: counted.reads,
  readMiB: counted.bytesRead / 2 ** 20,
  writtenMiB: counted.bytesWritten / 2 ** 20,
});

function stateOf(): State {
  const rowStatuses = new Uint8Array(ROWS);
  for (let row = 0; row < ROWS; row += 1)
    rowStatuses[row] = attempted(fails(row) ? rowStatusOf('failed', 'USER_NOT_FOUND') : rowStatusOf('changed'));
  const chunks: Chunk[] = [];
  for (let row = 0; row < ROWS; row += ROWS_A_CHUNK) {
    const firstRow = Math.max(0, row - (OVERLAP - 1) * ROWS_A_CHUNK);
    chunks.push({ name: `c-${row}`, firstRow, lastRow: Math.min(row + ROWS_A_CHUNK, ROWS) - 1 });
  }
  return {
    ...newState(job, 0),
    state: 'completed',
    rows: ROWS,
    rowStatuses,
    chunks,
    manifest: { encoding: 'utf-8', delimiter: ',', carriedColumns: ['Department'], sha256: '' },
    revision: 1,
    finishedAt: '2026-11-21T09:00:00.000Z',
  };
}

/** Row chunks are packed beforehand, as the validation has packed them: they are what the report begins with. */
async function packedRows(): Promise<{
  readonly rowChunks: readonly RowChunk[];
  readonly packed: ReadonlyMap<string, Buffer>;
}> {
  const packed = new Map<string, Buffer>();
  const write: ObjectStore['write'] = async (key, body) => {
    packed.set(key, Buffer.from(body));
    return { etag: '' };
  };
  const writer = createRowChunkWriter({ ...unused(), write }, job.id);
  for (let row = 0; row < ROWS; row += 1)
    await writer.add({
      row,
      line: row + 2,
      cells: [`person-${row}@example.test`, `team-${row % 200}`, `Sales, ${row % 40}`],
    });
  return { rowChunks: await writer.finish(), packed };
}

/** Results whose outcome chunks are made up when they are read, and whose files are counted and forgotten. */
async function resultsStore(): Promise<ObjectStore> {
  const { rowChunks, packed } = await packedRows();
  const validation: Validation = {
    version: 3,
    rows: ROWS,
    sha256: '',
    encoding: 'utf-8',
    delimiter: ',',
    header: ['email', 'group', 'Department'],
    columns: ['email', 'groupName', null],
    carriedColumns: ['Department'],
    escaped: false,
    rowStatuses: packRowStatuses(new Uint8Array(ROWS)),
    outcomeChunks: [],
    rowChunks: [...rowChunks],
  };
  return {
    ...unused(),
    read: async (key) => {
      counted.reads += 1;
      const bytes =
        packed.get(key) ?? Buffer.from(key === validationKey(job.id) ? JSON.stringify(validation) : chunkText(key));
      counted.bytesRead += bytes.length;
      return stored(Readable.from([bytes]));
    },
    writeStream: async (_key, body) => {
      for await (const part of body) counted.bytesWritten += Buffer.byteLength(part);
    },
  };
}

/** Two entries a row, as the worker leaves them; each chunk has a third of the rows of three neighbouring blocks. */
function chunkText(key: string): string {
  const start = Number(key.slice(chunkKey(job.id, 'c-').length - '.jsonl'.length, -'.jsonl'.length));
  const lines: string[] = [];
  for (let block = 0; block < OVERLAP; block += 1) {
    const from = start - block * ROWS_A_CHUNK;
    const isLastChunk = start + ROWS_A_CHUNK >= ROWS;
    for (let row = Math.max(from, 0); row < Math.min(from + ROWS_A_CHUNK, ROWS); row += 1)
      if (row % OVERLAP === block || (isLastChunk && row % OVERLAP > block)) lines.push(...entryLines(row));
  }
  return lines.join('');
}

function entryLines(row: number): readonly string[] {
  const common = { row, line: row + 2 };
  const entries: readonly RowEvent[] = [
    {
      kind: 'attempting',
      ...common,
    },
    {
      kind: 'outcome',
      ...common,
      generation: 0,
      ...(fails(row)
        ? { status: 'failed', code: 'USER_NOT_FOUND', message: 'Nobody has this address.' }
        : { status: 'changed' }),
      httpStatus: 201,
      attempts: 1,
      traceId: `4f1c2b3a4d5e6f708192a3b4c5d6${(row % 65_536).toString(16).padStart(4, '0')}`,
      finishedAt: new Date(1_795_000_000_000 + row * 7).toISOString(),
    },
  ];
  return entries.map((entry) => `${JSON.stringify(entry)}\n`);
}

function fails(row: number): boolean {
  return row % 50 === 0;
}

function stored(body: Readable): StoredObject {
  return { body, etag: '', metadata: {}, bytes: 0, text: async () => Buffer.concat(await body.toArray()).toString() };
}

/** A store that fails whatever is asked of it. */
function unused(): ObjectStore {
  const refuse = async (): Promise<never> => {
    throw new Error('The report does not use this.');
  };
  const list = () => {
    throw new Error('The report does not use this.');
  };
  return { read: refuse, readIfChanged: refuse, write: refuse, writeStream: refuse, list, delete: refuse };
}
