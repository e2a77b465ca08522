import { nextStep } from './approval.ts';
import { hasStopped, isValidating, isWaiting, mayApply, mayPlan, STATES } from './job.ts';
import type { Code } from './outcome.ts';
import { bareRowStatus, isSettled, PENDING, rowStatusOf, withRowStatus } from './row-status.ts';
import type { State } from './state.ts';
import { enqueueAgain, entering, isSendable, planning } from './transitions.ts';

/** What bounds how a job is applied. */
export interface Bounds {
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

/** What the rules know besides the state: the time, the bounds, and whether a reconcile came. */
export interface StepContext {
  readonly nowMs: number;
  readonly bounds: Bounds;
  /** Whether a reconcile came: only then does silence count. */
  readonly reconciling: boolean;
}

/** Rounds of enqueueing again without an outcome after which the rows that are left are lost. */
const ROUNDS_BEFORE_LOST = 3;
const RATE_SAMPLE_MS = 1_000;

/** What follows from a state: ending, enqueueing again, letting more rows out, asking for a report. */
export function step(state: State, context: StepContext): State {
  const rules = [expire, begin, reconcile, askForGate, measure, trip, complete, waitForStep, release, askForFreed];
  return [...rules, askForReport].reduce((next, rule) => rule(next, context), state);
}

function expire(state: State, { nowMs, bounds, reconciling }: StepContext): State {
  if (!reconciling || !STATES[state.state].expires || waitsForTime(state)) return state;
  if (nowMs - state.stateSinceMs < bounds.expiryMs) return state;
  const done = isWaiting(state.state) ? 'approved' : 'resumed';
  const halt = {
    code: 'EXPIRED',
    message: `Nobody ${done} the job since ${new Date(state.stateSinceMs).toISOString()}`,
  } as const;
  return { ...state, ...entering(state, 'cancelled', nowMs), halt };
}

const waitsForTime = ({ state, waitReasons }: State): boolean =>
  isWaiting(state) && waitReasons.some(({ code }) => code === 'NOT_BEFORE');

/** A file that is not to be planned before some time is planned then. */
function begin(state: State, { nowMs }: StepContext): State {
  const { notBefore } = state.job.options;
  if (!waitsForTime(state) || notBefore === undefined || Date.parse(notBefore) > nowMs) return state;
  return { ...state, ...planning(state, nowMs) };
}

/** An overdue job is enqueued (or validated) again; after three rounds without an outcome it ends with what it has. */
function reconcile(state: State, context: StepContext): State {
  if (!context.reconciling || !isOverdue(state, context)) return state;
  if (state.rounds >= ROUNDS_BEFORE_LOST) return giveUp(state, context);
  const rounds = state.rounds + 1;
  return { ...state, rounds, outbox: askAgain({ ...state, rounds }), lastEventMs: context.nowMs };
}

function askAgain(state: State): State['outbox'] {
  if (isValidating(state.state)) return { ...state.outbox, validation: { sentAtMs: 0 } };
  if (mayPlan(state.state)) return { ...state.outbox, plan: { sentAtMs: 0 } };
  return { ...state.outbox, enqueue: enqueueAgain(state) ?? state.outbox.enqueue };
}

function isOverdue(state: State, { nowMs, bounds }: StepContext): boolean {
  const silentMs = nowMs - Math.max(state.lastEventMs, state.untilMs);
  return STATES[state.state].silenceCounts === true && silentMs > bounds.overdueMs;
}

function giveUp(state: State, { nowMs }: StepContext): State {
  if (isValidating(state.state)) {
    const message = `The file could not be read in ${ROUNDS_BEFORE_LOST} attempts; drop it in again.`;
    return { ...state, ...entering(state, 'broken', nowMs), problems: [{ message }] };
  }
  if (mayPlan(state.state)) {
    const halt = {
      code: 'TIMED_OUT',
      message: 'Planning stopped without a word; look at the alarms of the plan queue, then resume the job.',
    } as const;
    return { ...state, ...entering(state, 'halted', nowMs), halt };
  }
  const lost = rowStatusOf('unprocessed', 'NOT_APPLIED');
  return {
    ...state,
    rowStatuses: state.rowStatuses.map((rowStatus) =>
      isSettled(rowStatus) ? rowStatus : withRowStatus(rowStatus, lost),
    ),
  };
}

/** The whole of a plan is gated, and never a part. */
function askForGate(state: State): State {
  const isPlanned = state.plan?.chunks.every((sha256) => sha256 !== null) ?? false;
  if (!mayPlan(state.state) || !isPlanned || state.outbox.gate) return state;
  return { ...state, outbox: { ...state.outbox, plan: undefined, gate: { sentAtMs: 0 } } };
}

const FAILURES_IN_A_ROW = 20;
const WATCHED_FROM = 50;

/** A job whose rows keep failing is halted: something is wrong with more than the rows. */
function trip(state: State, { nowMs }: StepContext): State {
  const tripped = mayApply(state.state) ? findTrip(state) : undefined;
  return tripped ? { ...state, ...entering(state, 'halted', nowMs), halt: tripped } : state;
}

function findTrip({ breaker: { latest, outcomes } }: State): State['halt'] {
  const last = latest.at(-1);
  const isRun = latest.length >= FAILURES_IN_A_ROW && latest.slice(-FAILURES_IN_A_ROW).every((code) => code === last);
  if (last && isRun)
    return { code: last, message: `${FAILURES_IN_A_ROW} rows in a row failed with ${last}. ${AFTER_TRIP}` };
  const failures = latest.filter((code): code is Code => code !== null);
  if (outcomes < WATCHED_FROM || failures.length * 2 < latest.length) return undefined;
  const [code = 'REQUEST_REFUSED'] = failures.toSorted(
    (one, other) => countIn(failures, other) - countIn(failures, one),
  );
  return {
    code,
    message: `${failures.length} of the last ${latest.length} rows failed, most with ${code}. ${AFTER_TRIP}`,
  };
}

const AFTER_TRIP = 'Look at their messages in results.csv; then resume the job, or cancel it.';

const countIn = (codes: readonly Code[], code: Code): number => codes.filter((one) => one === code).length;

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

/** A job in steps waits when the changes that it may make are made. */
function waitForStep(state: State, { nowMs }: StepContext): State {
  const { released } = state;
  const isOut = state.rowStatuses.subarray(0, released).some((rowStatus) => !isSettled(rowStatus));
  if (!mayApply(state.state) || stepRoom(state) > 0 || isOut) return state;
  const step = nextStep(state);
  const message = `${state.releasedChanges} changes are made, as many as step ${step - 1} allowed; approve STEP=${step} to go on.`;
  return { ...state, ...entering(state, 'waiting', nowMs), waitReasons: [{ code: 'STEP', message }] };
}

/** How many more changes may be let out before somebody must approve again. */
function stepRoom({ plan, approval, releasedChanges }: State): number {
  const steps = plan?.gate?.steps;
  return steps === undefined ? Infinity : steps * (approval?.steps ?? 1) - releasedChanges;
}

function release(state: State, { bounds }: StepContext): State {
  if (!mayApply(state.state) || state.outbox.enqueue) return state;
  const { released, changes } = nextRelease(state, bounds);
  if (released === state.released) return state;
  const enqueue = { id: `to-${released}`, from: state.enqueued, to: released, sentAtMs: 0 };
  const releasedChanges = state.releasedChanges + changes;
  return { ...state, released, releasedChanges, outbox: { ...state.outbox, enqueue } };
}

const MOST_FREED = 1_000;

function askForFreed(state: State): State {
  const [first] = state.freed;
  if (first === undefined || !mayApply(state.state) || state.outbox.freed) return state;
  const rows = state.freed.slice(0, MOST_FREED);
  const freed = { id: `freed-${first}-${state.outcomes}`, rows, sentAtMs: 0 };
  return { ...state, freed: state.freed.slice(MOST_FREED), outbox: { ...state.outbox, freed } };
}

/**
 * A report waits until no row may be in a worker's hands, or until silence says that none is; and for the one before, so
 * that a hundred outcomes after the end do not make a hundred reports.
 */
function askForReport(state: State, { nowMs, bounds, reconciling }: StepContext): State {
  const stopped = hasStopped(state.state) && !state.outbox.report;
  const silent = reconciling && nowMs - state.lastEventMs > bounds.overdueMs;
  if (!stopped || !state.reportDue || (isUnderWay(state) && !silent)) return state;
  const revision = state.revision + 1;
  return { ...state, revision, reportDue: false, outbox: { ...state.outbox, report: { revision, sentAtMs: 0 } } };
}

/** Whether a row was sent and nobody has said anything of it yet: it may be in a worker's hands. */
function isUnderWay(state: State): boolean {
  return state.rowStatuses.subarray(0, state.enqueued).some((rowStatus) => bareRowStatus(rowStatus) === PENDING);
}

// The canary, the ramp, and then the full window: after so many rows that came out well, or failed for reasons of their own,
// the window is this wide.
const RAMP = [
  { sound: 0, window: 1 },
  { sound: 1, window: 10 },
  { sound: 11, window: 100 },
] as const;
const RAMPED_UP = 111;

/**
 * How many rows of a job are released now: at least as many as are out already, never more than there are. The ramp and the
 * window are all said here: what is not released cannot happen.
 */
function nextRelease(state: State, bounds: Bounds): Release {
  const window = windowFor(state, bounds);
  const room = window - countFilling(state);
  // Enqueueing costs requests, so a full window is topped up in quarters.
  return room * 4 < window ? { released: state.released, changes: 0 } : advance(state, room);
}

interface Release {
  readonly released: number;
  /** How many rows of those that are new were not settled before. */
  readonly changes: number;
}

function windowFor({ sound, rate }: State, bounds: Bounds): number {
  if (sound >= RAMPED_UP) return Math.max(bounds.windowRows, Math.ceil(bounds.windowSeconds * rate.perSecond));
  return RAMP.findLast((step) => sound >= step.sound)?.window ?? 1;
}

/** Rows that are out, have no outcome and hold a place in the window. */
function countFilling({ rowStatuses, released }: State): number {
  let filling = 0;
  for (let row = 0; row < released; row += 1) {
    const rowStatus = rowStatuses[row] ?? 0;
    if (isSendable(rowStatus)) filling += 1;
  }
  return filling;
}

/** Past the next `room` rows that can be sent, with those around them that cannot: that have an outcome, or wait for another row's. */
function advance(state: State, room: number): Release {
  const { rowStatuses, released, rows } = state;
  const mostChanges = stepRoom(state);
  let [next, changes, sent] = [released, 0, 0];
  for (; next < rows; next += 1) {
    const rowStatus = rowStatuses[next] ?? PENDING;
    if (isSettled(rowStatus)) continue;
    if (changes === mostChanges || (sent === room && isSendable(rowStatus))) break;
    changes += 1;
    if (isSendable(rowStatus)) sent += 1;
  }
  return { released: next, changes };
}
