import { join, type Standing, type Outcome } from './outcome.ts';
import {
  AWAITING_ROW,
  HANDED_BACK,
  PENDING,
  attempted,
  isSettled,
  rowStatusOf,
  settledStatus,
  unpackRowStatuses,
  withRowStatus,
} from './row-status.ts';
import type { JobEvent, RowEvent } from './events.ts';
import { hasStopped, isValidating, STATES, type Command, type JobState } from './job.ts';
import { newState, type Outbox, type State } from './state.ts';
import type { Validation } from './validation.ts';

/** A state while one run folds: it owns copies of what it changes in place. */
type Draft = { -readonly [Field in keyof State]: State[Field] } & {
  tail: RowEvent[];
  generations: Map<number, number>;
};

/** What the reducer knows besides state and events: the time, and the validation when it has just ended. */
export interface FoldContext {
  readonly nowMs: number;
  /** The job's validation; read by the caller when a `validated` event is among the events. */
  readonly validation?: Validation | undefined;
}

/** How many ids of events are remembered: SQS repeats a message within minutes, not after hundreds of others. */
const REMEMBERED_EVENTS = 100;

/**
 * The state after these events, in whatever order they come; the same event twice counts once. Returns `undefined` until
 * an event has come that carries the job: validating, validated or rejected.
 */
export function fold(state: State | undefined, events: readonly JobEvent[], context: FoldContext): State | undefined {
  let draft = state && draftOf(state);
  for (const event of events) {
    if (draft?.recentEvents.includes(event.id)) continue;
    draft ??= 'job' in event ? draftOf(newState(event.job, context.nowMs)) : undefined;
    if (!draft) continue;
    apply(draft, event, context);
    draft.recentEvents = [...draft.recentEvents.slice(1 - REMEMBERED_EVENTS), event.id];
    if (isSignOfLife(event)) draft.lastEventMs = context.nowMs;
  }
  return draft;
}

/** A reconcile is none, nor is a row that only waits for another: should that one be lost, the two would keep the job open for ever. */
function isSignOfLife(event: JobEvent): boolean {
  if (event.type !== 'recorded') return event.type !== 'reconcile';
  return event.awaiting.length === 0 || event.outcomes.length + event.returned.length + event.dropped.length > 0;
}

const draftOf = (state: State): Draft => ({
  ...state,
  rowStatuses: Uint8Array.from(state.rowStatuses),
  tail: [...state.tail],
  generations: new Map(state.generations),
});

function apply(draft: Draft, event: JobEvent, context: FoldContext): void {
  switch (event.type) {
    case 'validating':
      draft.outbox = { ...draft.outbox, validation: undefined };
      return;
    case 'validated':
      return applyValidation(draft, context);
    case 'rejected':
      return applyRejection(draft, event, context.nowMs);
    case 'enqueued':
      return applyEnqueued(draft, event);
    case 'attempting':
      return applyAttempts(draft, event.rows);
    case 'recorded':
      return applyRecord(draft, event);
    case 'halted':
      if (!STATES[draft.state].halts) return;
      draft.halt = { code: event.code, message: event.message };
      return enter(draft, 'halted', context.nowMs);
    case 'commanded':
      return applyCommand(draft, event.command, context.nowMs);
    case 'reconcile':
      return;
    case 'reported':
      if (draft.outbox.report?.revision === event.revision) draft.outbox = { ...draft.outbox, report: undefined };
      return;
    default:
      event satisfies never;
  }
}

/** The same job in another state. */
function enter(draft: Draft, state: State['state'], nowMs: number): void {
  Object.assign(draft, entering(draft, state, nowMs));
}

function applyValidation(draft: Draft, { nowMs, validation }: FoldContext): void {
  if (!isValidating(draft.state) || !validation) return;
  draft.rows = validation.rows;
  draft.manifest = {
    encoding: validation.encoding,
    delimiter: validation.delimiter,
    carriedColumns: validation.carriedColumns,
  };
  draft.rowStatuses = unpackRowStatuses(validation.rowStatuses, validation.rows);
  draft.chunks = validation.outcomeChunks;
  enter(draft, 'running', nowMs);
}

function applyRejection(draft: Draft, event: JobEvent & { type: 'rejected' }, nowMs: number): void {
  if (!isValidating(draft.state)) return;
  draft.problems = event.problems;
  enter(draft, 'rejected', nowMs);
}

function applyEnqueued(draft: Draft, { enqueueId, reached }: JobEvent & { type: 'enqueued' }): void {
  if (draft.outbox.enqueue?.id !== enqueueId) return;
  if (reached > draft.enqueued) draft.enqueued = reached;
  const { to } = draft.outbox.enqueue;
  draft.outbox = {
    ...draft.outbox,
    enqueue: reached < to ? { id: `${enqueueId}+`, from: reached, to, sentAtMs: 0 } : undefined,
  };
}

function applyAttempts(draft: Draft, rows: (JobEvent & { type: 'attempting' })['rows']): void {
  for (const { row, line, before } of rows) {
    if (row >= draft.rows) continue;
    const old = draft.rowStatuses[row] ?? PENDING;
    draft.rowStatuses[row] = attempted(old);
    draft.tail.push({ kind: 'attempting', row, line, before });
    const status = settledStatus(old)?.status;
    // Of any other row the report says the same as before: one that was redriven is reported with its outcome.
    if (status === undefined || status === 'unchanged') reportAgain(draft);
  }
}

function applyRecord(draft: Draft, event: JobEvent & { type: 'recorded' }): void {
  for (const outcome of event.outcomes) if (outcome.row < draft.rows) applyOutcome(draft, outcome);
  for (const row of [...event.returned, ...event.dropped]) mark(draft, row, HANDED_BACK);
  for (const row of event.awaiting) mark(draft, row, AWAITING_ROW);
  if (event.until !== undefined && event.returned.length > 0)
    draft.untilMs = Math.max(draft.untilMs, Date.parse(event.until));
  if (event.outcomes.length > 0) draft.rounds = 0;
  draft.calls = {
    sent: draft.calls.sent + event.calls.sent,
    rateLimited: draft.calls.rateLimited + event.calls.rateLimited,
    retried: draft.calls.retried + event.calls.retried,
  };
}

function applyOutcome(draft: Draft, outcome: Outcome): void {
  const { row } = outcome;
  const old = draft.rowStatuses[row] ?? PENDING;
  const known = settledStatus(old);
  if (!known) draft.outcomes += 1;
  const standing: Standing | undefined = known && { ...known, generation: draft.generations.get(row) ?? 0 };
  const { status, code, untouched, generation } = standing ? join<Standing>(standing, outcome) : outcome;
  draft.rowStatuses[row] = withRowStatus(old, rowStatusOf(status, code, untouched));
  if (status === 'failed' && generation > 0) draft.generations.set(row, generation);
  else draft.generations.delete(row);
  draft.tail.push({ kind: 'outcome', ...outcome });
  reportAgain(draft);
}

/** What comes after a stop makes the report's next revision. */
function reportAgain(draft: Draft): void {
  if (hasStopped(draft.state)) draft.reportDue = true;
}

function mark(draft: Draft, row: number, rowStatus: number): void {
  const old = draft.rowStatuses[row];
  if (old !== undefined && !isSettled(old)) draft.rowStatuses[row] = withRowStatus(old, rowStatus);
}

function applyCommand(draft: Draft, command: Command, nowMs: number): void {
  const next = STATES[draft.state].takes[command];
  if (next === undefined) return;
  if (command === 'resume') resume(draft, next, nowMs);
  else enter(draft, next, nowMs);
}

/** Rows that were dropped meanwhile are pending again, and everything that is out without an outcome is enqueued once more. */
function resume(draft: Draft, next: JobState, nowMs: number): void {
  draft.halt = undefined;
  for (let row = 0; row < draft.released; row += 1) mark(draft, row, PENDING);
  enter(draft, next, nowMs);
  draft.outbox = { ...draft.outbox, enqueue: enqueueAgain(draft) };
}

/** What changes when a job enters a state: what the former one asked of the splitter is void, and a stop owes a report. */
export function entering(state: State, next: JobState, nowMs: number): Partial<State> {
  const stops = hasStopped(next);
  const { validation: _validation, enqueue, ...outbox } = state.outbox;
  return {
    state: next,
    stateSinceMs: nowMs,
    rounds: 0,
    rate: { sinceMs: nowMs, outcomes: state.outcomes, perSecond: state.rate.perSecond },
    outbox: STATES[next].applies && enqueue ? { ...outbox, enqueue } : outbox,
    reportDue: stops || state.reportDue,
    finishedAt: stops ? new Date(nowMs).toISOString() : undefined,
  };
}

/** An enqueue request for everything that is out and has no outcome; `undefined` when there is nothing of the kind. */
export function enqueueAgain(state: State): Outbox['enqueue'] {
  const from = state.rowStatuses.subarray(0, state.released).findIndex((rowStatus) => !isSettled(rowStatus));
  if (from === -1) return undefined;
  return {
    id: `again-${state.stateSinceMs}-${state.rounds}`,
    from,
    to: state.released,
    sentAtMs: 0,
  };
}
