import { hasStopped, isValidating, mayApply, STATES } from './job.ts';
import { enqueueAgain, entering } from './reducer.ts';
import { AWAITING_ROW, bareRowStatus, isSettled, PENDING, rowStatusOf, withRowStatus } from './row-status.ts';
import type { State } from './state.ts';

/** What bounds how a job is applied. */
export interface Policy {
  /** The least that the full window holds, in rows. */
  readonly windowRows: number;
  /** The work that the full window holds, in seconds at the job's present rate. */
  readonly windowSeconds: number;
  /** Silence after which a job is overdue. */
  readonly overdueMs: number;
  /** How long a halted job is kept before it is cancelled. */
  readonly expiryMs: number;
  /** How long something stays in the outbox before it is sent again. */
  readonly resendMs: number;
}

/** What the rules know besides the state: the time, the policy, and whether a reconcile came. */
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
  if (!reconciling || !STATES[state.state].expires || nowMs - state.stateSinceMs < policy.expiryMs) return state;
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
  const outbox = isValidating(state.state)
    ? { ...state.outbox, validation: { sentAtMs: 0 } }
    : { ...state.outbox, enqueue: enqueueAgain({ ...state, rounds }) ?? state.outbox.enqueue };
  return { ...state, rounds, outbox, lastEventMs: context.nowMs };
}

function isOverdue(state: State, { nowMs, policy }: StepContext): boolean {
  const silentMs = nowMs - Math.max(state.lastEventMs, state.untilMs);
  return STATES[state.state].silenceCounts === true && silentMs > policy.overdueMs;
}

function giveUp(state: State, { nowMs }: StepContext): State {
  if (isValidating(state.state)) {
    const message = `The file could not be read in ${ROUNDS_BEFORE_LOST} attempts; drop it in again.`;
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
  if (!mayApply(state.state) || elapsedMs < RATE_SAMPLE_MS) return state;
  const perSecond = ((state.outcomes - state.rate.outcomes) * 1_000) / elapsedMs;
  return { ...state, rate: { sinceMs: nowMs, outcomes: state.outcomes, perSecond } };
}

function complete(state: State, { nowMs }: StepContext): State {
  if (!mayApply(state.state) || !state.rowStatuses.every(isSettled)) return state;
  return { ...state, ...entering(state, 'completed', nowMs) };
}

function release(state: State, { policy }: StepContext): State {
  if (!mayApply(state.state) || state.outbox.enqueue) return state;
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

/** Whether a row was sent and nobody has said anything of it yet: it may be in a worker's hands. */
function isUnderWay(state: State): boolean {
  return state.rowStatuses.subarray(0, state.enqueued).some((rowStatus) => bareRowStatus(rowStatus) === PENDING);
}

// The canary, the ramp, and then the full window: after so many outcomes of released rows, the window is this wide.
const RAMP = [
  { outcomes: 0, window: 1 },
  { outcomes: 1, window: 10 },
  { outcomes: 11, window: 100 },
] as const;
const RAMPED_UP = 111;

/**
 * How many rows of a job are released now: at least as many as are out already, never more than there are. The ramp and the
 * window are all said here: what is not released cannot happen.
 */
function nextRelease(state: State, policy: Policy): number {
  const window = windowFor(state, policy);
  const room = window - countFilling(state);
  // Enqueueing costs requests, so a full window is topped up in quarters.
  return room * 4 < window ? state.released : advance(state, room);
}

function windowFor({ outcomes, rate }: State, policy: Policy): number {
  if (outcomes >= RAMPED_UP) return Math.max(policy.windowRows, Math.ceil(policy.windowSeconds * rate.perSecond));
  return RAMP.findLast((step) => outcomes >= step.outcomes)?.window ?? 1;
}

/** Rows that are out, have no outcome and hold a place in the window. */
function countFilling({ rowStatuses, released }: State): number {
  let filling = 0;
  for (let row = 0; row < released; row += 1) {
    const rowStatus = rowStatuses[row] ?? 0;
    if (!isSettled(rowStatus) && bareRowStatus(rowStatus) !== AWAITING_ROW) filling += 1;
  }
  return filling;
}

/** Past the next `room` rows that have no outcome, and past any that already have one behind them. */
function advance({ rowStatuses, released, rows }: State, room: number): number {
  let next = released;
  for (let left = room; next < rows; next += 1) {
    if (isSettled(rowStatuses[next] ?? 0)) continue;
    if (left === 0) break;
    left -= 1;
  }
  return next;
}
