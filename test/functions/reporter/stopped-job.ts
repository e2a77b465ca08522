import { rowStatusOf, PENDING } from '../../../shared/job/row-status.ts';
import { newState, type Chunk, type State } from '../../../shared/job/state.ts';
import type { Job } from '../../../shared/job/job.ts';
import type { RowEvent } from '../../../shared/job/events.ts';
import { chunkKey } from '../../../shared/job/keys.ts';
import type { Outcome } from '../../../shared/job/outcome.ts';

export const JOB: Job = {
  id: 'leavers-0123456789ab',
  target: 'acme',
  operation: 'suspend',
  manifest: { bucket: 'inbox', key: 'acme/suspend/leavers.csv', versionId: 'v1', bytes: 100 },
  startedAt: '2026-11-21T08:00:00.000Z',
};

export const FOLDER = 'acme/suspend/leavers-0123456789ab/';

export const FINISHED_AT = '2026-11-21T08:05:00.000Z';

/** An outcome as its event keeps it, from the one thing that matters of it. */
export const outcome = (given: Partial<Outcome> & { readonly row: number }): RowEvent => ({
  kind: 'outcome',
  line: given.row + 2,
  generation: 0,
  status: 'changed',
  attempts: 1,
  finishedAt: '2026-11-21T08:01:00.000Z',
  ...given,
});

export const attempting = (row: number): RowEvent => ({ kind: 'attempting', row, line: row + 2, before: {} });

/** The row statuses that a coordinator would have of these outcomes: the last one of each row, where they do not have to be merged. */
export function rowStatusesOf(rows: number, entries: readonly RowEvent[]): Uint8Array {
  const rowStatuses = new Uint8Array(rows).fill(PENDING);
  for (const entry of entries)
    if (entry.kind === 'outcome') rowStatuses[entry.row] = rowStatusOf(entry.status, entry.code);
  return rowStatuses;
}

/** A chunk as it is stored, and as the state names it. */
export function chunkOf(
  name: string,
  entries: readonly RowEvent[],
): { readonly chunk: Chunk; readonly object: object } {
  const rows = entries.map(({ row }) => row);
  return {
    chunk: { name, firstRow: Math.min(...rows), lastRow: Math.max(...rows) },
    object: { [chunkKey(JOB.id, name)]: entries.map((entry) => `${JSON.stringify(entry)}\n`).join('') },
  };
}

/** The state of a job that has stopped and of which a first report was asked for. */
export const stoppedState = (given: Partial<State>): State => ({
  ...newState(JOB, 0),
  state: 'completed',
  manifest: { encoding: 'utf-8', delimiter: ',', carriedColumns: [] },
  revision: 1,
  finishedAt: FINISHED_AT,
  ...given,
});
