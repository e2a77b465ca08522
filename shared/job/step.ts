import { rowStatusOf, isSettled, withRowStatus } from './row-status.ts';
import { hasStopped } from './job.ts';
import { nextRelease } from './next-release.ts';
import type { Policy } from './policy.ts';
import type { State } from './state.ts';
import { entering, enqueueAgain, isUnderWay } from './transitions.ts';

export interface StepContext {
  readonly nowMs: number;
  readonly policy: Policy;
  /** Whether a reconcile came: only then does silence count. */
  readonly reconciling: boolean;
}

/** Rounds of enqueueing again without an outcome after which the rows that are left are lost. */
const ROUNDS_BEFORE_LOST = 3;
const RATE_SAMPLE_MS = 1_000;

/** What follows from a state: ending, enqueueing again, letting more rows out, asking for a report. */
export function step(state: State, context: StepContext): State {
  return [expire, reconcile, measure, complete, release, askForReport].reduce(
    (next, rule) => rule(next, context),
    state,
  );
}

function expire(state: State, { nowMs, policy, reconciling }: StepContext): State {
  const waits = state.state === 'halted' || state.state === 'waiting';
  if (!reconciling || !waits || nowMs - state.stateSinceMs < policy.expiryMs) return state;
  const halt = {
    code: 'EXPIRED',
    message: `Nobody resumed the job since ${new Date(state.stateSinceMs).toISOString()}`,
  } as const;
  return { ...state, ...entering(state, 'cancelled', nowMs), halt };
}

/** An overdue job is enqueued (or validated) again; after three rounds without an outcome it ends with what it has. */
function reconcile(state: State, context: StepContext): State {
  if (!context.reconciling || !isOverdue(state, context)) return state;
  if (state.rounds >= ROUNDS_BEFORE_LOST) return giveUp(state, context);
  const rounds = state.rounds + 1;
  const outbox =
    state.state === 'validating'
      ? { ...state.outbox, validation: { sentAtMs: 0 } }
      : { ...state.outbox, enqueue: enqueueAgain({ ...state, rounds }) ?? state.outbox.enqueue };
  return { ...state, rounds, outbox, lastEventMs: context.nowMs };
}

function isOverdue(state: State, { nowMs, policy }: StepContext): boolean {
  const working = state.state === 'running' || state.state === 'validating';
  return working && nowMs - Math.max(state.lastEventMs, state.untilMs) > policy.overdueMs;
}

function giveUp(state: State, { nowMs }: StepContext): State {
  if (state.state === 'validating') {
    const message = 'The manifest could not be read in three attempts; drop it in again.';
    return { ...state, ...entering(state, 'broken', nowMs), problems: [{ message }] };
  }
  const lost = rowStatusOf('unprocessed', 'LOST');
  return {
    ...state,
    rowStatuses: state.rowStatuses.map((rowStatus) =>
      isSettled(rowStatus) ? rowStatus : withRowStatus(rowStatus, lost),
    ),
  };
}

function measure(state: State, { nowMs }: StepContext): State {
  const elapsedMs = nowMs - state.rate.sinceMs;
  if (state.state !== 'running' || elapsedMs < RATE_SAMPLE_MS) return state;
  const perSecond = ((state.outcomes - state.rate.outcomes) * 1_000) / elapsedMs;
  return { ...state, rate: { sinceMs: nowMs, outcomes: state.outcomes, perSecond } };
}

function complete(state: State, { nowMs }: StepContext): State {
  if (state.state !== 'running' || !state.rowStatuses.every(isSettled)) return state;
  return { ...state, ...entering(state, 'completed', nowMs) };
}

function release(state: State, { policy }: StepContext): State {
  if (state.state !== 'running' || state.outbox.enqueue) return state;
  const released = nextRelease(state, policy);
  if (released === state.released) return state;
  const enqueue = { id: `to-${released}`, from: state.enqueued, to: released, sentAtMs: 0 };
  return { ...state, released, outbox: { ...state.outbox, enqueue } };
}

/**
 * A report waits until no row may be in a worker's hands, or until silence says that none is; and for the one before, so
 * that a hundred outcomes after the end do not make a hundred reports.
 */
function askForReport(state: State, { nowMs, policy, reconciling }: StepContext): State {
  const stopped = hasStopped(state.state) && !state.outbox.report;
  const silent = reconciling && nowMs - state.lastEventMs > policy.overdueMs;
  if (!stopped || !state.reportDue || (isUnderWay(state) && !silent)) return state;
  const revision = state.revision + 1;
  return { ...state, revision, reportDue: false, outbox: { ...state.outbox, report: { revision, sentAtMs: 0 } } };
}
