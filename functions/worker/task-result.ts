import { NoAnswer, RateLimited, Refusal, Withheld } from '../../shared/atlassian/errors.ts';
import { computeBackoffMs } from '../../shared/atlassian/rate-limit-reading.ts';
import { hasEnded, isCancelled, mayApply } from '../../shared/job/job.ts';
import type { Task } from '../../shared/job/messages.ts';
import { MESSAGE_CHARACTERS, type Outcome } from '../../shared/job/outcome.ts';
import { settledStatus, wasAttempted } from '../../shared/job/row-status.ts';
import type { State } from '../../shared/job/state.ts';
import type { Written } from '../../shared/operations/operation.ts';

/** A task with the message that brought it. */
export interface Delivery<Of extends Task = Task> {
  readonly messageId: string;
  readonly task: Of;
  /** SQS delivers the message for the first time. */
  readonly isFirst: boolean;
}

/** What becomes of a task in a worker's hands. */
export type TaskResult =
  | { readonly kind: 'outcome'; readonly task: Task; readonly outcome: Outcome }
  /** A delayed copy takes its place: Atlassian asked to wait, failed for now, or may show an older state. */
  | {
      readonly kind: 'again';
      readonly task: Task;
      /** Epoch milliseconds before which the copy should not come. */
      readonly notBeforeMs: number;
    }
  /** The job has stopped: no copy, no outcome; resuming enqueues the row again. */
  | { readonly kind: 'dropped'; readonly task: Task }
  /** It has its outcome already. */
  | { readonly kind: 'done'; readonly task: Task };

export interface TaskResultContext {
  readonly nowMs: number;
  /** In [0, 1). */
  readonly random: number;
  readonly maxAttempts: number;
  /** How long Atlassian may take to show what was written. */
  readonly consistencySeconds: number;
  /** A write of the row may have begun before, and what became of it is not known. */
  readonly mayHaveBegun: boolean;
}

/** The task result of an error. An unforeseen one is nobody's task result: it is thrown on, and the message stays. */
export function taskResultOf(error: unknown, task: Task, context: TaskResultContext): TaskResult {
  if (error instanceof Withheld) return { kind: 'dropped', task };
  if (error instanceof RateLimited) return again(task, spread(error.notBeforeMs, context));
  if (error instanceof NoAnswer) return failedAttempt(error, task, context, context.consistencySeconds * 1_000);
  if (!(error instanceof Refusal)) throw error;
  const isFreed = error.code === 'EMAIL_IN_USE' && task.kind === 'change' && task.freed === true; // Atlassian may not show it yet
  const leastMs = error.uncertain || isFreed ? context.consistencySeconds * 1_000 : 0;
  return error.temporary || isFreed ? failedAttempt(error, task, context, leastMs) : failure(error, task, context);
}

/** The task result of a write that Atlassian answered, or of a row that needs none. */
export function success(task: Task, written: Written & Pick<Outcome, 'untouched'>, nowMs: number): TaskResult {
  const { status, httpStatus, traceId, message, untouched } = written;
  return { kind: 'outcome', task, outcome: { ...rowOf(task, nowMs), status, httpStatus, traceId, message, untouched } };
}

/** The task result of a row that ended its workers. */
export function buried(task: Task, nowMs: number): TaskResult {
  const message = 'Processing this row crashed its worker, even when it was tried alone.';
  return { kind: 'outcome', task, outcome: { ...rowOf(task, nowMs), status: 'failed', code: 'WORKER_DIED', message } };
}

/** The same task, unspent, to be taken up again from then on. */
export const again = (task: Task, notBeforeMs: number): TaskResult => ({ kind: 'again', task, notBeforeMs });

function failedAttempt(error: Refusal | NoAnswer, task: Task, context: TaskResultContext, leastMs: number): TaskResult {
  const attempts = task.attempts + 1;
  if (attempts >= context.maxAttempts) return failure(error, task, context);
  const begun = leavesDoubt(error) ? { begun: true as const } : {};
  return again(
    { ...task, ...begun, attempts },
    context.nowMs + Math.max(leastMs, computeBackoffMs(attempts, context.random)),
  );
}

/** Whether the write that ended so may have been made. */
const leavesDoubt = (error: Refusal | NoAnswer): boolean => error instanceof NoAnswer || error.uncertain;

const MAY_HAVE_BEGUN =
  'A write of this row had begun before that, so the change may have been made; drop failed.csv in again, and a row that is done comes out unchanged.';

function failure(error: Refusal | NoAnswer, task: Task, { nowMs, mayHaveBegun }: TaskResultContext): TaskResult {
  const answer = error instanceof Refusal ? { httpStatus: error.httpStatus, traceId: error.traceId } : {};
  const note = mayHaveBegun || leavesDoubt(error) ? ` ${MAY_HAVE_BEGUN}` : '';
  const message = error.message.slice(0, MESSAGE_CHARACTERS - note.length) + note;
  const outcome: Outcome = { ...rowOf(task, nowMs), status: 'failed', code: error.code, message, ...answer };
  return { kind: 'outcome', task, outcome };
}

/** Rows that wait for one time come back over the second that follows it. */
const spread = (notBeforeMs: number, { nowMs, random }: TaskResultContext): number =>
  Math.max(notBeforeMs, nowMs) + random * 1_000;

const rowOf = ({ row, line, generation, attempts }: Task, nowMs: number) => ({
  row,
  line,
  generation,
  attempts: attempts + 1,
  finishedAt: new Date(nowMs).toISOString(),
});

/** For how long a row is held back that may not be applied now and must not be dropped. */
export const HELD_MS = 60_000;

/**
 * The task result of a task that its job's state forbids to apply; `undefined` when it is due. A row that has an outcome is
 * done, unless it failed and was redriven since, or its failure is in doubt; one of a job that does not run is dropped, and
 * resuming enqueues it again, or held back where it was redriven.
 */
export function taskResultByState(task: Task, state: State, nowMs: number): TaskResult | undefined {
  if (hasOutcome(task, state)) {
    // Nobody asked for the calls of a delivery that came twice, so after a cancel they are calls like any others.
    const isReadBack = isInDoubt(task, state) && !isCancelled(state.state);
    if (!isReadBack) return { kind: 'done', task };
  } else if (!isRedriven(task)) return mayApply(state.state) ? undefined : { kind: 'dropped', task };
  return mayApply(state.state) || hasEnded(state.state) ? undefined : again(task, nowMs + HELD_MS);
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
 * write, whose answer nobody heard. Such a row is read and not written.
 */
export function isInDoubt(task: Task, state: State): boolean {
  const rowStatus = state.rowStatuses[task.row] ?? 0;
  return settledStatus(rowStatus)?.status === 'failed' && wasAttempted(rowStatus) && hasOutcome(task, state);
}
