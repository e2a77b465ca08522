import { CODES, join, type Standing, type Outcome } from './outcome.ts';
import {
  AWAITING_ROW,
  HANDED_BACK,
  PENDING,
  attempted,
  bareRowStatus,
  isSettled,
  rowStatusOf,
  settledStatus,
  unpackRowStatuses,
  wasAttempted,
  withRowStatus,
} from './row-status.ts';
import { approve } from './approval.ts';
import type { Calls, JobEvent } from './events.ts';
import { hasStopped, isStop, mayApply, mayPlan, STATES } from './job.ts';
import type { Gate } from './plan.ts';
import { newState, NO_FAILURES, type State } from './state.ts';
import { awaitsValidation, enqueueAgain, enter, enterPlanning, type Draft } from './transitions.ts';
import type { Validation } from './validation.ts';

/** What the reducer knows besides state and events: the time, and the validation or the gate when it has just ended. */
export interface FoldContext {
  readonly nowMs: number;
  /** How old a plan may be that is approved; an older one is made anew. */
  readonly approvalMs: number;
  /** The job's validation; read by the caller when a `validated` event is among the events. */
  readonly validation?: Validation | undefined;
  /** The job's gate; read by the caller when a `gated` event is among the events. */
  readonly gate?: Gate | undefined;
}

/** How many ids of events are remembered: SQS repeats a message within minutes, not after hundreds of others. */
const REMEMBERED_EVENTS = 100;

/**
 * The state after these events, in whatever order they come; the same event twice counts once. Returns `undefined` until
 * an event has come that carries the job: validating, validated or rejected.
 */
export function fold(state: State | undefined, events: readonly JobEvent[], context: FoldContext): State | undefined {
  // What came before the job was known, such as a stop, counts all the same.
  const first = events.find((event) => 'job' in event);
  const known = state ?? (first && newState(first.job, context.nowMs));
  if (!known) return undefined;
  const draft = draftOf(known);
  for (const event of events) {
    if (draft.recentEvents.includes(event.id)) continue;
    apply(draft, event, context);
    draft.recentEvents = [...draft.recentEvents.slice(1 - REMEMBERED_EVENTS), event.id];
    if (isSignOfLife(event)) draft.lastEventMs = context.nowMs;
  }
  return draft;
}

const isSignOfLife = (event: JobEvent): boolean => event.type !== 'reconcile';

const draftOf = (state: State): Draft => ({
  ...state,
  rowStatuses: Uint8Array.from(state.rowStatuses),
  tail: [...state.tail],
  freed: [...state.freed],
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
    case 'planned':
      return applyPlanned(draft, event);
    case 'deferred':
      draft.calls = sumCalls(draft.calls, event.calls);
      waitUntil(draft, Date.parse(event.at), Date.parse(event.until));
      draft.rounds = 0;
      return;
    case 'gated':
      return applyGate(draft, event, context);
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
      return applyCommand(draft, event, context);
    case 'reconcile':
      return;
    case 'reported':
      if (draft.outbox.report?.revision === event.revision) draft.outbox = { ...draft.outbox, report: undefined };
      return;
    default:
      event satisfies never;
  }
}

function applyValidation(draft: Draft, { nowMs, validation }: FoldContext): void {
  if (!awaitsValidation(draft) || !validation) return;
  const isPaused = draft.state === 'paused';
  draft.rows = validation.rows;
  draft.manifest = {
    encoding: validation.encoding,
    delimiter: validation.delimiter,
    carriedColumns: validation.carriedColumns,
    sha256: validation.sha256,
  };
  draft.rowStatuses = unpackRowStatuses(validation.rowStatuses, validation.rows);
  draft.chunks = validation.outcomeChunks;
  const chunks = validation.rowChunks.map(() => null);
  draft.plan = { attempt: 0, chunks, sinceMs: nowMs, validated: validation.rowStatuses };
  beginPlan(draft, nowMs);
  if (isPaused) enter(draft, 'paused', nowMs);
}

function beginPlan(draft: Draft, nowMs: number): void {
  const { notBefore } = draft.job.options;
  if (notBefore === undefined || Date.parse(notBefore) <= nowMs) return enterPlanning(draft, nowMs);
  enter(draft, 'waiting', nowMs);
  draft.waitReasons = [{ code: 'NOT_BEFORE', message: `The file asks for nothing to be done before ${notBefore}.` }];
}

function applyPlanned(draft: Draft, { attempt, chunk, sha256, calls }: JobEvent & { type: 'planned' }): void {
  draft.calls = sumCalls(draft.calls, calls);
  if (draft.plan?.attempt !== attempt || draft.plan.chunks[chunk] !== null) return;
  draft.plan = { ...draft.plan, chunks: draft.plan.chunks.with(chunk, sha256) };
  draft.rounds = 0;
  reportAgain(draft);
}

/** What the gate says becomes of each row is so from now on, and the job runs, waits, or has nothing to do. */
function applyGate(draft: Draft, event: JobEvent & { type: 'gated' }, { nowMs, gate }: FoldContext): void {
  const { plan } = draft;
  if (!gate || !mayPlan(draft.state) || plan?.attempt !== event.attempt || plan.gate) return;
  const { version: _version, rowStatuses, outcomeChunks, ...kept } = gate;
  draft.plan = { ...plan, gate: { ...kept, sha256: event.sha256, atMs: nowMs } };
  draft.rowStatuses = unpackRowStatuses(rowStatuses, draft.rows);
  draft.chunks = [...draft.chunks, ...outcomeChunks];
  if (gate.mode === 'dry-run') return endDryRun(draft, nowMs);
  const isApproved = draft.approval?.hash === gate.hash;
  if (isApproved || (gate.reasons.length === 0 && draft.approval === undefined)) return enter(draft, 'running', nowMs);
  enter(draft, 'waiting', nowMs);
  draft.waitReasons = draft.approval ? [CHANGED_PLAN, ...gate.reasons] : gate.reasons;
  draft.approval = undefined;
}

const CHANGED_PLAN = {
  code: 'CHANGED_PLAN',
  message:
    'The plan was approved more than an hour after it was made, and Atlassian has changed since: this is the new plan.',
} as const;

const DRY_RUN = rowStatusOf('unprocessed', 'DRY_RUN');

function endDryRun(draft: Draft, nowMs: number): void {
  draft.rowStatuses = draft.rowStatuses.map((rowStatus) => (isSettled(rowStatus) ? rowStatus : DRY_RUN));
  enter(draft, 'completed', nowMs);
}

function applyRejection(draft: Draft, event: JobEvent & { type: 'rejected' }, nowMs: number): void {
  if (!awaitsValidation(draft)) return;
  draft.problems = event.problems;
  enter(draft, 'rejected', nowMs);
}

function applyEnqueued(draft: Draft, { enqueueId, reached }: JobEvent & { type: 'enqueued' }): void {
  if (draft.outbox.freed?.id === enqueueId) draft.outbox = { ...draft.outbox, freed: undefined };
  if (draft.outbox.enqueue?.id !== enqueueId) return;
  if (reached > draft.enqueued) draft.enqueued = reached;
  const { to } = draft.outbox.enqueue;
  draft.outbox = {
    ...draft.outbox,
    enqueue: reached < to ? { id: `${enqueueId}+`, from: reached, to, sentAtMs: 0 } : undefined,
  };
}

function applyAttempts(draft: Draft, rows: (JobEvent & { type: 'attempting' })['rows']): void {
  for (const { row, line } of rows) {
    if (row >= draft.rows) continue;
    const old = draft.rowStatuses[row] ?? PENDING;
    draft.rowStatuses[row] = attempted(old);
    draft.tail.push({ kind: 'attempting', row, line });
    const status = settledStatus(old)?.status;
    // Of any other row the report says the same as before: one that is tried again is reported with its outcome.
    const isNews = status === undefined || status === 'unchanged' || (status === 'failed' && !wasAttempted(old));
    if (isNews) reportAgain(draft);
  }
}

/** Stretches that are kept: more are no picture any more. */
const KEPT_WAITS = 200;

/** Rows were handed back until then: stretches that touch are one. */
function waitUntil(draft: Draft, fromMs: number, untilMs: number): void {
  draft.untilMs = Math.max(draft.untilMs, untilMs);
  const [from, until] = [Math.floor(fromMs / 1_000), Math.ceil(untilMs / 1_000)];
  const { waits = [] } = draft;
  const last = waits.at(-1);
  const touches = last !== undefined && from <= last[1];
  const next = touches ? ([last[0], Math.max(last[1], until)] as const) : ([from, until] as const);
  draft.waits = [...(touches ? waits.slice(0, -1) : waits), next].slice(-KEPT_WAITS);
}

function applyRecord(draft: Draft, event: JobEvent & { type: 'recorded' }): void {
  for (const outcome of event.outcomes) if (outcome.row < draft.rows) applyOutcome(draft, outcome);
  for (const row of [...event.returned, ...event.dropped]) mark(draft, row, HANDED_BACK);
  if (event.until !== undefined && event.returned.length > 0)
    draft.untilMs = Math.max(draft.untilMs, Date.parse(event.until));
  if (event.outcomes.length > 0) draft.rounds = 0;
  draft.calls = sumCalls(draft.calls, event.calls);
}

const sumCalls = (one: Calls, other: Calls): Calls => ({
  sent: one.sent + other.sent,
  rateLimited: one.rateLimited + other.rateLimited,
  retried: one.retried + other.retried,
});

/** An outcome, and those that follow from it: of rows that wait for that one, and of those that wait for these. */
function applyOutcome(draft: Draft, outcome: Outcome): void {
  const outcomes = [outcome];
  for (const one of outcomes) {
    joinOutcome(draft, one);
    outcomes.push(...settleDependents(draft, one));
  }
}

function joinOutcome(draft: Draft, outcome: Outcome): void {
  const { row } = outcome;
  const old = draft.rowStatuses[row] ?? PENDING;
  const known = settledStatus(old);
  if (!known) countOutcome(draft, outcome);
  const standing: Standing | undefined = known && { ...known, generation: draft.generations.get(row) ?? 0 };
  const { status, code, untouched, generation } = standing ? join<Standing>(standing, outcome) : outcome;
  draft.rowStatuses[row] = withRowStatus(old, rowStatusOf(status, code, untouched));
  if (status === 'failed' && generation > 0) draft.generations.set(row, generation);
  else draft.generations.delete(row);
  draft.tail.push({ kind: 'outcome', ...outcome });
  reportAgain(draft);
}

/** How many of the latest outcomes a breaker looks at. */
const WATCHED_OUTCOMES = 100;

function countOutcome(draft: Draft, { status, code }: Outcome): void {
  draft.outcomes += 1;
  const failure = status === 'failed' ? (code ?? null) : null;
  if (failure === null || CODES[failure].class === 'row') draft.sound += 1;
  const latest = [...draft.breaker.latest.slice(1 - WATCHED_OUTCOMES), failure];
  draft.breaker = { latest, outcomes: draft.breaker.outcomes + 1 };
}

/** Rows that can be applied once this one is as desired are let go; gives the outcomes of those that fail with it. */
function settleDependents(draft: Draft, { row, line, status, finishedAt }: Outcome): readonly Outcome[] {
  const waiting = dependentsOn(draft, row).filter(
    ([dependent]) => bareRowStatus(draft.rowStatuses[dependent] ?? PENDING) === AWAITING_ROW,
  );
  const isDone = status === 'changed' || status === 'unchanged';
  const inTurn = draft.plan?.gate?.inTurn ?? [];
  const [going, failing] = [true, false].map((goes) =>
    waiting.filter(([dependent]) => (isDone || inTurn.includes(dependent)) === goes),
  );
  for (const [dependent] of going ?? []) {
    mark(draft, dependent, PENDING);
    if (dependent < draft.released) draft.freed.push(dependent);
  }
  const message = `Line ${line} should have freed this address, and it was not changed; nothing was sent to Atlassian.`;
  const failure = { generation: 0, status: 'failed', code: 'EMAIL_IN_USE', message, attempts: 0, finishedAt } as const;
  return (failing ?? []).map(([dependent, itsLine]) => ({ row: dependent, line: itsLine, ...failure }));
}

type Dependencies = Gate['dependencies'];

/** By row, the dependencies on it: made once for a gate, which stays the same from run to run of a job. */
const dependents = new WeakMap<Dependencies, ReadonlyMap<number, Dependencies>>();

function dependentsOn({ plan }: Draft, row: number): Dependencies {
  const dependencies = plan?.gate?.dependencies;
  if (!dependencies || dependencies.length === 0) return [];
  const known = dependents.get(dependencies) ?? Map.groupBy(dependencies, ([, , onRow]) => onRow);
  dependents.set(dependencies, known);
  return known.get(row) ?? [];
}

/** What comes after a stop makes the report's next revision. */
function reportAgain(draft: Draft): void {
  if (hasStopped(draft.state)) draft.reportDue = true;
}

function mark(draft: Draft, row: number, rowStatus: number): void {
  const old = draft.rowStatuses[row];
  if (old !== undefined && !isSettled(old)) draft.rowStatuses[row] = withRowStatus(old, rowStatus);
}

/** Control objects whose versions are remembered: S3 tells of one again within hours, not after dozens of others. */
const REMEMBERED_COMMANDS = 50;

/** Stops always count, each once; what lets a job go on counts by the object that asked, and loses against a later stop or halt. */
function applyCommand(draft: Draft, event: JobEvent & { type: 'commanded' }, context: FoldContext): void {
  const { command, versionId, principal, at } = event;
  if (versionId !== undefined && draft.commandVersions.includes(versionId)) return;
  if (versionId !== undefined)
    draft.commandVersions = [...draft.commandVersions.slice(1 - REMEMBERED_COMMANDS), versionId];
  const atMs = Date.parse(at); // with and without milliseconds, times are no texts that can be compared
  const stoppedMs = draft.stoppedAt === undefined ? -Infinity : Date.parse(draft.stoppedAt);
  if (!isStop(command) && atMs < Math.max(stoppedMs, draft.halt ? draft.stateSinceMs : -Infinity)) return;
  if (isStop(command) && atMs > stoppedMs) draft.stoppedAt = at;
  if (command === 'approve') return approve(draft, event, context);
  const next = STATES[draft.state].takes[command];
  if (next === undefined) return;
  if (principal !== undefined) draft.actors = [...draft.actors, { action: command, principal, at }];
  if (next === 'former') resume(draft, context.nowMs);
  else enter(draft, next, context.nowMs);
}

/** Rows that were dropped meanwhile are pending again, and everything that is out without an outcome is enqueued once more. */
function resume(draft: Draft, nowMs: number): void {
  const former = draft.former ?? 'running';
  draft.halt = undefined;
  draft.breaker = NO_FAILURES;
  draft.freed = [];
  for (let row = 0; row < draft.released; row += 1)
    if (bareRowStatus(draft.rowStatuses[row] ?? PENDING) === HANDED_BACK) mark(draft, row, PENDING);
  enter(draft, former, nowMs);
  if (mayApply(former)) draft.outbox = { ...draft.outbox, enqueue: enqueueAgain(draft) };
  if (mayPlan(former)) draft.outbox = { ...draft.outbox, plan: { sentAtMs: 0 } };
}
