import { isSettled, settledStatus, wasAttempted } from '../../shared/job/row-status.ts';
import { hasEnded } from '../../shared/job/job.ts';
import type { State } from '../../shared/job/state.ts';
import type { Task } from '../../shared/job/messages.ts';
import { again, type TaskResult } from './task-result.ts';

/** For how long a row is held back that may not be applied now and must not be dropped. */
export const HELD_MS = 60_000;
const AWAITING_MS = 5_000;

/**
 * The task result of a task that its job's state forbids to apply; `undefined` when it is due. A row that has an outcome is
 * done, unless it failed and was redriven since, or its failure is in doubt; one of a job that does not run is dropped, and
 * resuming enqueues it again, or held back where it was redriven; one that comes after another waits for that one's outcome.
 */
export function taskResultByState(task: Task, state: State, nowMs: number): TaskResult | undefined {
  if (hasOutcome(task, state)) {
    // Nobody asked for the calls of a delivery that came twice, so after a cancel they are calls like any others.
    const isReadBack = isInDoubt(task, state) && state.state !== 'cancelled';
    if (!isReadBack) return { kind: 'done', task };
  } else if (!isRedriven(task)) return taskResultOfOpenRow(task, state, nowMs);
  return state.state === 'running' || hasEnded(state.state) ? undefined : again(task, nowMs + HELD_MS);
}

/** Whether the task is a dead letter that was moved back to the tasks queue: it must not be dropped, for nobody enqueues it again. */
export const isRedriven = ({ generation }: Task): boolean => generation > 0;

/** Whether the row has an outcome, of this generation where it failed. */
export function hasOutcome({ row, generation }: Task, { rowStatuses, generations }: State): boolean {
  const settled = settledStatus(rowStatuses[row] ?? 0);
  return settled !== undefined && !(settled.status === 'failed' && generation > (generations.get(row) ?? 0));
}

/**
 * Whether another delivery of this row failed after a write had begun: perhaps it failed because of this delivery's own
 * write, whose answer nobody heard. Such a row is planned and not written.
 */
export function isInDoubt(task: Task, state: State): boolean {
  const rowStatus = state.rowStatuses[task.row] ?? 0;
  return settledStatus(rowStatus)?.status === 'failed' && wasAttempted(rowStatus) && hasOutcome(task, state);
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
