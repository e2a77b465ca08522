import { isSettled, settledStatus, wasAttempted } from '../../shared/job/row-status.ts';
import { hasEnded } from '../../shared/job/job.ts';
import type { State } from '../../shared/job/state.ts';
import type { Task } from '../../shared/job/task.ts';
import { again, type TaskResult } from './task-result.ts';

const HELD_MS = 60_000;
const AWAITING_MS = 5_000;

/**
 * The task result of a task that its job's state forbids to apply; `undefined` when it is due. A row that has an outcome is
 * done, unless it failed and was put up again since, or its failure is in doubt; one of a job that does not run is dropped,
 * and resuming enqueues it again; one that comes after another waits for that one's outcome.
 */
export function taskResultByState(task: Task, state: State, nowMs: number): TaskResult | undefined {
  const settled = settledStatus(state.rowStatuses[task.row] ?? 0);
  if (!settled) return taskResultOfOpenRow(task, state, nowMs);
  // Nobody asked for the calls of a delivery that came twice, so after a cancel they are calls like any others.
  const isReadBack = isInDoubt(task, state) && state.state !== 'cancelled';
  if (settled.status !== 'failed' || !(isPutUpAgain(task, state) || isReadBack)) return { kind: 'done', task };
  // A stop of the job holds the row back, but it must not be dropped: a dead letter that was put up again is gone.
  return state.state === 'running' || hasEnded(state.state) ? undefined : again(task, nowMs + HELD_MS);
}

const isPutUpAgain = ({ row, generation }: Task, { generations }: State): boolean =>
  generation > (generations.get(row) ?? 0);

/**
 * Whether another delivery of this row failed after a write had begun: perhaps it failed because of this delivery's own
 * write, whose answer nobody heard. Such a row is planned and not written.
 */
export function isInDoubt(task: Task, state: State): boolean {
  const rowStatus = state.rowStatuses[task.row] ?? 0;
  return settledStatus(rowStatus)?.status === 'failed' && wasAttempted(rowStatus) && !isPutUpAgain(task, state);
}

/**
 * That its address is free already is not enough for a row that comes after another: should the other's outcome get lost,
 * it would look for its person by that address and find somebody else's.
 */
function taskResultOfOpenRow(task: Task, { state, rowStatuses }: State, nowMs: number): TaskResult | undefined {
  if (state !== 'running') return { kind: 'dropped', task };
  const isFirst = task.after === undefined || isSettled(rowStatuses[task.after.row] ?? 0);
  return isFirst ? undefined : { kind: 'again', task, why: 'awaiting', notBeforeMs: nowMs + AWAITING_MS };
}
