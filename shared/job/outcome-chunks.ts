import { type Code, MESSAGE_CHARACTERS } from './outcome.ts';
import type { RowEvent } from './events.ts';
import { chunkKey } from './keys.ts';
import type { Validation } from './validation.ts';
import type { ObjectStore } from '../ports.ts';

/** Entries and characters of one chunk. */
const MOST_ENTRIES = 5_000;
const MOST_CHARACTERS = 2 ** 21;

/** A row that will never be sent, and why. */
export interface Unsent {
  readonly row: number;
  readonly line: number;
  readonly status: 'failed' | 'invalid' | 'unprocessed';
  readonly code: Code;
  readonly message: string;
}

/** Writes outcomes as chunks, in row order. A chunk counts when a validation or a gate names it: a second one must write others. */
export interface OutcomeChunks {
  /** A promise only when a chunk is full and must be written before the next row: a turn of the event loop a row costs more than the row. */
  readonly add: (unsent: Unsent) => Promise<void> | undefined;
  readonly finish: () => Promise<Validation['outcomeChunks']>;
}

/** Begins a series of chunks with names of its own. */
export function createOutcomeChunks(
  { jobId, series }: { readonly jobId: string; readonly series: string },
  results: ObjectStore,
  now: () => Date,
): OutcomeChunks {
  const chunks: Validation['outcomeChunks'] = [];
  let text = '';
  let entries = 0;
  let firstRow = 0;
  let lastRow = 0;

  const write = async (): Promise<void> => {
    const name = `${series}-${String(chunks.length).padStart(4, '0')}`;
    chunks.push({ name, firstRow, lastRow });
    const written = text;
    text = '';
    entries = 0;
    await results.write(chunkKey(jobId, name), written);
  };

  return {
    add: ({ message, ...unsent }) => {
      const shown = message.slice(0, MESSAGE_CHARACTERS).toWellFormed();
      const finishedAt = now().toISOString();
      const more = { generation: 0, message: shown, attempts: 0, finishedAt };
      const entry: RowEvent = { kind: 'outcome', ...unsent, ...more };
      if (entries === 0) firstRow = unsent.row;
      lastRow = unsent.row;
      text += `${JSON.stringify(entry)}\n`;
      entries += 1;
      return entries === MOST_ENTRIES || text.length > MOST_CHARACTERS ? write() : undefined;
    },
    finish: async () => {
      if (entries > 0) await write();
      return chunks;
    },
  };
}
