import { rowStatusOf, PENDING } from '../../../shared/job/row-status.ts';
import { newState, type Chunk, type State } from '../../../shared/job/state.ts';
import type { Job } from '../../../shared/job/job.ts';
import type { RowEvent } from '../../../shared/job/events.ts';
import { chunkKey } from '../../../shared/job/keys.ts';
import type { Outcome } from '../../../shared/job/outcome.ts';
import type { RowPlan } from '../../../shared/job/plan.ts';

export const JOB: Job = {
  id: 'leavers-0123456789ab',
  target: 'acme',
  operation: 'suspend',
  options: {},
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

export const attempting = (row: number): RowEvent => ({ kind: 'attempting', row, line: row + 2 });

export const PLANNED_AT = '2026-11-21T08:00:30.000Z';

const plannedRow = (row: number) => ({ row, line: row + 2, at: PLANNED_AT });

/** A person who would be suspended. */
export const change = (row: number, given: Partial<Extract<RowPlan, { kind: 'change' }>> = {}): RowPlan => ({
  ...plannedRow(row),
  kind: 'change',
  subject: { accountId: `id-${row}` },
  before: { access: 'active' },
  after: { access: 'suspended' },
  keys: [{ subject: `account:id-${row}`, desired: 'suspended' }],
  ...given,
});

/** A person who is suspended already. */
export const noop = (row: number, message?: string): RowPlan => ({
  ...plannedRow(row),
  kind: 'noop',
  subject: { accountId: `id-${row}` },
  before: { access: 'suspended' },
  keys: [{ subject: `account:id-${row}`, desired: 'suspended' }],
  message,
});

/** A person whom Atlassian does not know. */
export const refused = (row: number): RowPlan => ({
  ...plannedRow(row),
  kind: 'refused',
  code: 'USER_NOT_FOUND',
  message: 'Nobody has this address.',
  httpStatus: 404,
  traceId: `trace-${row}`,
});

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
  manifest: { encoding: 'utf-8', delimiter: ',', carriedColumns: [], sha256: 'f00d' },
  revision: 1,
  finishedAt: FINISHED_AT,
  ...given,
});
