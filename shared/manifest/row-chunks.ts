import { createHash } from 'node:crypto';
import { constants, gunzipSync, gzipSync } from 'node:zlib';

import { rowChunkKey } from '../job/keys.ts';
import type { RowChunk } from '../job/validation.ts';
import { JobNotReadable, type ObjectStore } from '../ports.ts';
import type { Row } from './rows.ts';

const MOST_ROWS = 2_500;
/** Unpacked; a row that is larger lies in a chunk of its own. */
const MOST_BYTES = 2 ** 20;
/** Chunks that are being stored while further rows are read. */
const WRITES_UNDER_WAY = 4;

/** Writes a manifest's rows, in order, as row chunks. */
export interface RowChunkWriter {
  /** A promise only now and then, when the store has to catch up: a turn of the event loop a row costs more than the row. */
  readonly add: (row: Row) => Promise<unknown> | undefined;
  readonly finish: () => Promise<RowChunk[]>;
  /** Resolves once nothing is being written any more: another reading of the same manifest writes the same keys. */
  readonly abandon: () => Promise<unknown>;
}

export function createRowChunkWriter(results: ObjectStore, jobId: string, mostRows = MOST_ROWS): RowChunkWriter {
  const written: Promise<RowChunk>[] = [];
  let text = '';
  let bytes = 0;
  let rows = 0;
  let firstRow = 0;

  const flush = (): Promise<unknown> | undefined => {
    const packed = gzipSync(text, { level: constants.Z_BEST_SPEED });
    const chunk = { firstRow, sha256: hashOf(packed) };
    const writing = results.write(rowChunkKey(jobId, written.length), packed).then(() => chunk);
    writing.catch(() => undefined); // whoever adds or finishes hears of it
    written.push(writing);
    text = '';
    bytes = 0;
    rows = 0;
    return written.at(-WRITES_UNDER_WAY);
  };

  return {
    add: ({ row, line, cells }) => {
      const entry = JSON.stringify({ row, line, cells });
      const entryBytes = Buffer.byteLength(entry) + 1;
      const isFull = rows === mostRows || (rows > 0 && bytes + entryBytes > MOST_BYTES);
      const catchingUp = isFull ? flush() : undefined;
      if (rows === 0) firstRow = row;
      text += `${entry}\n`;
      bytes += entryBytes;
      rows += 1;
      return catchingUp;
    },
    finish: () => {
      if (rows > 0) void flush();
      return Promise.all(written);
    },
    abandon: () => Promise.allSettled(written),
  };
}

/** What a validation says of a job's rows. */
export interface StoredRows {
  readonly jobId: string;
  readonly rowChunks: readonly RowChunk[];
}

/** Rows from `from` up to but not including `to`. */
export interface RowRange {
  readonly from: number;
  readonly to: number;
}

/** The numbers of the chunks that hold these rows. */
export function chunkNumbers(rowChunks: readonly RowChunk[], { from, to }: RowRange): readonly number[] {
  return [...rowChunks.keys()].filter((index) => {
    const end = rowChunks[index + 1]?.firstRow ?? Infinity;
    return from < end && to > (rowChunks[index]?.firstRow ?? Infinity);
  });
}

const ALL: RowRange = { from: 0, to: Infinity };

/** These rows in order, those of one chunk at a time. Throws JobNotReadable for a chunk that is gone or has another SHA-256 than the validation names. */
export async function* readRowChunks(
  results: ObjectStore,
  { jobId, rowChunks }: StoredRows,
  range: RowRange = ALL,
): AsyncGenerator<readonly Row[]> {
  for (const index of chunkNumbers(rowChunks, range)) {
    const { firstRow = 0, sha256 = '' } = rowChunks[index] ?? {};
    const lines = await readLines(results, rowChunkKey(jobId, index), sha256);
    const wanted = lines.slice(Math.max(0, range.from - firstRow), range.to - firstRow);
    yield wanted.map((line) => JSON.parse(line) as Row); // the writer's, as the hash shows
  }
}

async function readLines(results: ObjectStore, key: string, sha256: string): Promise<readonly string[]> {
  const stored = await results.read(key);
  if (!stored) throw new JobNotReadable(`${key} is not there; upload the file again`);
  const packed = Buffer.concat(await stored.body.toArray());
  if (hashOf(packed) !== sha256)
    throw new JobNotReadable(`${key} is not what the validation wrote; upload the file again`);
  return gunzipSync(packed).toString().trimEnd().split('\n');
}

const hashOf = (packed: Uint8Array): string => createHash('sha256').update(packed).digest('hex');
