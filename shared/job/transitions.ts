import { PENDING, bareRowStatus, isSettled } from './row-status.ts';
import { hasStopped, type JobState } from './job.ts';
import type { Outbox, State } from './state.ts';

/** What changes when a job enters a state: what the former one asked of the splitter is void, and a stop owes a report. */
export function entering(state: State, next: JobState, nowMs: number): Partial<State> {
  const stops = hasStopped(next);
  const { validation: _validation, enqueue, ...outbox } = state.outbox;
  return {
    state: next,
    stateSinceMs: nowMs,
    rounds: 0,
    rate: { sinceMs: nowMs, outcomes: state.outcomes, perSecond: state.rate.perSecond },
    outbox: next === 'running' && enqueue ? { ...outbox, enqueue } : outbox,
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

/** Whether a row was sent and nobody has said anything of it yet: it may be in a worker's hands. */
export function isUnderWay(state: State): boolean {
  return state.rowStatuses.subarray(0, state.enqueued).some((rowStatus) => bareRowStatus(rowStatus) === PENDING);
}
