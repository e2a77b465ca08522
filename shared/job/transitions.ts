import { mayApply, mayPlan, hasStopped, isValidating, isWaiting, type JobState } from './job.ts';
import type { RowEvent } from './events.ts';
import { AWAITING_ROW, bareRowStatus, isSettled, unpackRowStatuses } from './row-status.ts';
import type { Outbox, State } from './state.ts';

/** A state while one run folds: it owns copies of what it changes in place. */
export type Draft = { -readonly [Field in keyof State]: State[Field] } & {
  tail: RowEvent[];
  generations: Map<number, number>;
  freed: number[];
};

/** The same job in another state. */
export function enter(draft: Draft, state: State['state'], nowMs: number): void {
  Object.assign(draft, entering(draft, state, nowMs));
}

/** Whether the file is read, or will be once the job is resumed. */
export const awaitsValidation = ({ state, former, plan }: Pick<State, 'state' | 'former' | 'plan'>): boolean =>
  isValidating(state) || (state === 'paused' && former === 'validating' && plan === undefined);

/** Plans the job anew: nothing of a former plan counts any more. */
export function enterPlanning(draft: Draft, nowMs: number): void {
  Object.assign(draft, planning(draft, nowMs));
}

const GATE_CHUNK = 'gate-';
/** The name of the first of the chunks of outcomes that a gate gives. */
export const gateChunkSeries = (attempt: number, id: string): string => `${GATE_CHUNK}${attempt}-${id}`;
const isGateChunk = (name: string): boolean => name.startsWith(GATE_CHUNK);

/** What changes when a job is planned, or planned anew: what a former plan made of its rows is void. */
export function planning(state: State, nowMs: number): Partial<State> {
  const { attempt = 0, chunks = [], validated = '' } = state.plan ?? {};
  const entered = entering(state, 'planning', nowMs);
  return {
    ...entered,
    plan: { attempt: attempt + 1, chunks: chunks.map(() => null), sinceMs: nowMs, validated },
    rowStatuses: unpackRowStatuses(validated, state.rows),
    chunks: state.chunks.filter(({ name }) => !isGateChunk(name)),
    waitReasons: [],
    outbox: { ...entered.outbox, plan: { sentAtMs: 0 } },
  };
}

/** What changes when a job enters a state: what the former one asked of the splitter is void, and a stop owes a report. */
export function entering(state: State, next: JobState, nowMs: number): Partial<State> {
  const stops = hasStopped(next);
  const { validation: _validation, plan: _plan, gate: _gate, enqueue, freed, ...outbox } = state.outbox;
  const isAtWork = [isValidating, mayPlan, mayApply, isWaiting].some((is) => is(state.state));
  const now = new Date(nowMs).toISOString();
  return {
    state: next,
    stateSinceMs: nowMs,
    former: isAtWork ? state.state : state.former,
    appliedAt: state.appliedAt ?? (mayApply(next) ? now : undefined),
    rounds: 0,
    rate: { sinceMs: nowMs, outcomes: state.outcomes, perSecond: state.rate.perSecond },
    outbox: mayApply(next) ? { ...outbox, enqueue, freed } : outbox,
    reportDue: stops || state.reportDue,
    finishedAt: stops ? now : undefined,
  };
}

/** Whether a row has no outcome and waits for no other row's. */
export const isSendable = (rowStatus: number): boolean =>
  !isSettled(rowStatus) && bareRowStatus(rowStatus) !== AWAITING_ROW;

/** An enqueue request for everything that is out and has no outcome; `undefined` when there is nothing of the kind. */
export function enqueueAgain(state: State): Outbox['enqueue'] {
  const from = state.rowStatuses.subarray(0, state.released).findIndex(isSendable);
  if (from === -1) return undefined;
  return {
    id: `again-${state.stateSinceMs}-${state.rounds}`,
    from,
    to: state.released,
    sentAtMs: 0,
  };
}
