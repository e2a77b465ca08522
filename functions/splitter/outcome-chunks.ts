import type { Code } from '../../shared/job/codes.ts';
import type { JournalEntry } from '../../shared/job/journal.ts';
import { chunkKey } from '../../shared/job/keys.ts';
import type { Survey } from '../../shared/job/survey.ts';
import type { ObjectStore } from '../../shared/ports.ts';

const ENTRIES_PER_CHUNK = 5_000;
const MESSAGE_CHARACTERS = 1_000;

/** A row that will never be sent, and why. */
export interface Unsent {
  readonly row: number;
  readonly line: number;
  readonly status: 'invalid' | 'unprocessed';
  readonly code: Code;
  readonly message: string;
}

/** Writes outcomes as chunks, in row order. The names follow from the series alone, so a survey that runs twice writes them twice. */
export interface OutcomeChunks {
  readonly add: (unsent: Unsent) => Promise<void>;
  readonly finish: () => Promise<Survey['chunks']>;
}

export function outcomeChunks(
  { jobId, series }: { readonly jobId: string; readonly series: string },
  results: ObjectStore,
  now: () => Date,
): OutcomeChunks {
  const chunks: Survey['chunks'] = [];
  let entries: JournalEntry[] = [];

  const write = async (): Promise<void> => {
    const [first, last] = [entries[0], entries.at(-1)];
    if (!first || !last) return;
    const name = `${series}-${String(chunks.length).padStart(4, '0')}`;
    const lines = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
    await results.write(chunkKey(jobId, name), lines);
    chunks.push({ name, firstRow: first.row, lastRow: last.row });
    entries = [];
  };

  return {
    add: async ({ message, ...unsent }) => {
      const shown = message.slice(0, MESSAGE_CHARACTERS).toWellFormed();
      const finishedAt = now().toISOString();
      entries.push({ kind: 'outcome', ...unsent, generation: 0, message: shown, attempts: 0, finishedAt });
      if (entries.length === ENTRIES_PER_CHUNK) await write();
    },
    finish: async () => {
      await write();
      return chunks;
    },
  };
}
