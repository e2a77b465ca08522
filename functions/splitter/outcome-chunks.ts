import type { Code } from '../../shared/job/codes.ts';
import type { RowEvent } from '../../shared/job/events.ts';
import { chunkKey } from '../../shared/job/keys.ts';
import { MESSAGE_CHARACTERS } from '../../shared/job/outcome.ts';
import type { Validation } from '../../shared/job/validation.ts';
import type { ObjectStore } from '../../shared/ports.ts';

const ENTRIES_PER_CHUNK = 5_000;
const CHUNK_BYTES = 2 * 1024 * 1024;
/** A character of a message takes six bytes when JSON escapes it; the rest of an entry is a few numbers, a code and a time. */
const MOST_ENTRY_BYTES = 6 * MESSAGE_CHARACTERS + 1_000;

/** A row that will never be sent, and why. */
export interface Unsent {
  readonly row: number;
  readonly line: number;
  readonly status: 'invalid' | 'unprocessed';
  readonly code: Code;
  readonly message: string;
}

/** Writes outcomes as chunks, in row order. A chunk counts when a validation names it: a second validation must write others. */
export interface OutcomeChunks {
  /** A promise only when a chunk is full and must be written before the next row: a turn of the event loop a row costs more than the row. */
  readonly add: (unsent: Unsent) => Promise<void> | undefined;
  readonly finish: () => Promise<Validation['chunks']>;
}

export function outcomeChunks(
  { jobId, series }: { readonly jobId: string; readonly series: string },
  results: ObjectStore,
  now: () => Date,
): OutcomeChunks {
  const chunks: Validation['chunks'] = [];
  // Bytes rather than an array of lines: a validation of millions of outcomes would leave as many strings to the old generation.
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let bytes = 0;
  let entries = 0;
  let firstRow = 0;
  let lastRow = 0;

  const write = async (): Promise<void> => {
    if (entries === 0) return;
    const name = `${series}-${String(chunks.length).padStart(4, '0')}`;
    await results.write(chunkKey(jobId, name), buffer.subarray(0, bytes));
    chunks.push({ name, firstRow, lastRow });
    bytes = 0;
    entries = 0;
  };

  return {
    add: ({ message, ...unsent }) => {
      const shown = message.slice(0, MESSAGE_CHARACTERS).toWellFormed();
      const finishedAt = now().toISOString();
      const entry: RowEvent = {
        kind: 'outcome',
        ...unsent,
        generation: 0,
        message: shown,
        attempts: 0,
        finishedAt,
      };
      const line = `${JSON.stringify(entry)}\n`;
      if (entries === 0) firstRow = unsent.row;
      lastRow = unsent.row;
      bytes += buffer.write(line, bytes);
      entries += 1;
      return entries === ENTRIES_PER_CHUNK || bytes > CHUNK_BYTES - MOST_ENTRY_BYTES ? write() : undefined;
    },
    finish: async () => {
      await write();
      return chunks;
    },
  };
}
