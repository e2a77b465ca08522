import { settledStatus } from '../../shared/job/row-status.ts';
import type { JobEvent } from '../../shared/job/events.ts';
import { hasEnded, mayApply, mayPlan } from '../../shared/job/job.ts';
import { PLAN_PREFIX } from '../../shared/job/keys.ts';
import { planRequestSchema, taskSchema } from '../../shared/job/messages.ts';
import { join, type Outcome } from '../../shared/job/outcome.ts';
import { sha256Of } from '../../shared/job/plan.ts';
import { parseState, type State } from '../../shared/job/state.ts';
import { imbalanceOf, type Summary } from '../../shared/job/summary.ts';
import type { MemoryObjectStore } from '../fakes/memory-object-store.ts';
import type { Call, Caller } from './simulated-atlassian.ts';
import type { Received } from './simulated-queue.ts';
import type { World } from './world.ts';

/** Watches the promises while a simulation runs; a promise that is broken is a violation. */
export interface Promises {
  readonly violations: readonly string[];
  readonly violate: (promise: string, what: string) => void;
  /** The newest state of each job, by its id. */
  readonly states: ReadonlyMap<string, State>;
  /** Called with each state that is written. */
  readonly onState: (listener: (state: State) => void) => void;
  readonly written: (key: string) => void;
  readonly posted: (event: JobEvent) => void;
  /** What the job's events of a job was told in all. */
  readonly eventsOf: (jobId: string) => Posted;
  /** A call of one of the caller's jobs has begun. */
  readonly callBegan: (call: Call, caller: Caller) => void;
  readonly taskDeleted: (received: Received) => void;
  readonly planRequestDeleted: (received: Received) => void;
  /** From now on rows of ended jobs are redriven. */
  readonly redriven: () => void;
  readonly isRedriven: () => boolean;
}

/** What a job's events was told, each event counted once. */
export interface Posted {
  readonly ids: ReadonlySet<string>;
  readonly callsSent: number;
  /** The outcome of each row that counts most. */
  readonly outcomes: ReadonlyMap<number, Outcome>;
  /** Rows of which a write was about to begin. */
  readonly attempted: ReadonlySet<number>;
}

interface Told extends Posted {
  readonly ids: Set<string>;
  readonly outcomes: Map<number, Outcome>;
  readonly attempted: Set<number>;
  callsSent: number;
  /** By row, whether an outcome was told, and when it was told anything last. */
  readonly rows: Map<number, { readonly outcome: boolean; readonly atMs: number }>;
  /** Plan chunks that were told to be planned, by attempt and number. */
  readonly planned: Set<string>;
  /** When anything else was told of planning; epoch milliseconds. */
  planNewsMs: number;
}

const nothingTold = (): Told => ({
  ids: new Set(),
  outcomes: new Map(),
  attempted: new Set(),
  callsSent: 0,
  rows: new Map(),
  planned: new Set(),
  planNewsMs: -Infinity,
});

const STOP_MS = 1_000;

export function watchPromises(results: MemoryObjectStore, world: World): Promises {
  const violations: string[] = [];
  const states = new Map<string, State>();
  const told = new Map<string, Told>();
  const listeners: ((state: State) => void)[] = [];
  const stops = watchStops(states, world.nowMs);
  const unaltered = watchPlanObjects(results);
  let isRedriving = false;

  const violate = (promise: string, what: string): void => {
    world.note(() => `VIOLATION ${promise}: ${what}`);
    violations.push(`${promise}: ${what}`);
  };
  const toldOf = (jobId: string): Told => {
    const known = told.get(jobId) ?? nothingTold();
    told.set(jobId, known);
    return known;
  };
  const stateWritten = (key: string): void => {
    const state = parseState(results.textOf(key));
    states.set(state.job.id, state);
    world.note(() => describe(state));
    stops.stateWritten(state);
    for (const listener of listeners) listener(state);
  };
  const summaryWritten = (key: string): void => {
    const summary = JSON.parse(results.textOf(key)) as Summary; // our own writing
    const imbalance = key.endsWith('summary.json') ? imbalanceOf(summary.counts) : undefined;
    if (imbalance !== undefined) violate('Conservation', imbalance);
    if (summary.state === 'broken' && states.get(summary.job)?.state !== 'broken')
      violate('Conservation', `${key} is broken: ${JSON.stringify(summary.problems)}`);
  };

  return {
    violations,
    violate,
    states,
    onState: (listener) => void listeners.push(listener),
    written: (key) => {
      if (!results.objects.has(key)) return;
      if (key.endsWith('/state.json') && key.startsWith('jobs/')) stateWritten(key);
      if (key.endsWith('/summary.json') || key.endsWith('/status.json')) summaryWritten(key);
      if (!unaltered(key)) violate('Plan first', `${key} was written again, and is another`);
    },
    posted: (event) => listen(toldOf(event.jobId), event, world.nowMs()),
    eventsOf: toldOf,
    callBegan: ({ name }, { process, jobIds }) => {
      // Redriven rows belong to jobs that have ended.
      if (isRedriving) return;
      const late = jobIds.map((jobId) => stops.lateMs(jobId, isPlanner(process.name)));
      const leastMs = Math.min(...late);
      if (leastMs > STOP_MS) violate('Stop means stop', `${name} began ${leastMs} ms after ${jobIds[0]} had stopped`);
    },
    taskDeleted: ({ parcel: { body, id }, atMs }) => {
      const { jobId, row } = taskSchema.parse(JSON.parse(body));
      const known = toldOf(jobId).rows.get(row);
      const state = states.get(jobId);
      const settled = state && settledStatus(state.rowStatuses[row] ?? 0) !== undefined;
      if (settled || known?.outcome || (known && known.atMs >= atMs)) return;
      violate('Fail closed', `${id}, row ${row} of ${jobId}, was deleted and no event tells of it`);
    },
    planRequestDeleted: ({ parcel: { body, id }, atMs }) => {
      const request = planRequestSchema.parse(JSON.parse(body));
      const { planned, planNewsMs } = toldOf(request.jobId);
      const isTold = planNewsMs >= atMs || (request.kind === 'plan' && planned.has(nameOf(request)));
      if (isTold || stops.isVoid(request, atMs)) return;
      violate('Fail closed', `${id}, ${request.kind} of ${request.jobId}, was deleted and no event tells of it`);
    },
    redriven: () => {
      isRedriving = true;
    },
    isRedriven: () => isRedriving,
  };
}

export const isPlanner = (processName: string): boolean => processName.startsWith('planner');

const nameOf = ({ attempt, chunk }: { readonly attempt: number; readonly chunk: number }): string =>
  `${attempt}/${chunk}`;

/** Adds an event to what was told. */
function listen(told: Told, event: JobEvent, nowMs: number): void {
  if (told.ids.has(event.id)) return;
  told.ids.add(event.id);
  if ('calls' in event) told.callsSent += event.calls.sent;
  if (event.type === 'planned') told.planned.add(nameOf(event));
  if (event.type === 'deferred' || event.type === 'gated' || event.type === 'halted') told.planNewsMs = nowMs;
  if (event.type === 'attempting') for (const { row } of event.rows) told.attempted.add(row);
  if (event.type !== 'recorded') return;
  for (const outcome of event.outcomes) {
    const known = told.outcomes.get(outcome.row);
    told.outcomes.set(outcome.row, known ? join(known, outcome) : outcome);
  }
  const tell = (row: number, outcome: boolean): void =>
    void told.rows.set(row, { outcome: outcome || (told.rows.get(row)?.outcome ?? false), atMs: nowMs });
  for (const { row } of event.outcomes) tell(row, true);
  for (const row of [...event.returned, ...event.dropped]) tell(row, false);
}

/** Since when jobs may not be planned, or applied. */
function watchStops(states: ReadonlyMap<string, State>, nowMs: () => number) {
  const notApplying = new Map<string, number>();
  const notPlanning = new Map<string, number>();
  const planningSince = new Map<string, number>();
  const note = (since: Map<string, number>, id: string, isStopped: boolean): void => {
    if (!isStopped) since.delete(id);
    else if (!since.has(id)) since.set(id, nowMs());
  };
  return {
    stateWritten: ({ job: { id }, state, plan }: State): void => {
      // A job that is complete was not stopped: what came twice may still be read back.
      note(notApplying, id, !mayApply(state) && state !== 'completed');
      note(notPlanning, id, !mayPlan(state));
      note(planningSince, `${id}/${plan?.attempt}`, mayPlan(state));
    },
    /** For how long no call of the job should have begun. */
    lateMs: (jobId: string, isPlanning: boolean): number =>
      nowMs() - ((isPlanning ? notPlanning : notApplying).get(jobId) ?? Infinity),
    /** Whether a request to plan that was received then could be taken for one that nobody needs any more. */
    isVoid: ({ jobId, attempt }: { readonly jobId: string; readonly attempt: number }, receivedMs: number): boolean => {
      const state = states.get(jobId);
      if (!state || !mayPlan(state.state) || state.plan?.attempt !== attempt) return true;
      return (planningSince.get(`${jobId}/${attempt}`) ?? Infinity) > receivedMs - STOP_MS;
    },
  };
}

/** Says of each object of a plan whether it is as it was written first: what is approved must stay what it is. */
function watchPlanObjects(results: MemoryObjectStore): (key: string) => boolean {
  const written = new Map<string, string>();
  return (key) => {
    if (!key.startsWith(PLAN_PREFIX) || key.includes('.part.')) return true;
    const hash = sha256Of(results.objects.get(key) ?? '');
    const first = written.get(key) ?? hash;
    written.set(key, first);
    return first === hash;
  };
}

function describe({
  job,
  state,
  released,
  rows,
  enqueued,
  outcomes,
  revision,
  reportDue,
  outbox,
  plan,
}: State): string {
  const planned = plan?.chunks.filter((sha256) => sha256 !== null).length ?? 0;
  const asked = Object.keys(outbox).filter((name) => outbox[name as keyof typeof outbox] !== undefined);
  const progress = `planned ${planned}/${plan?.chunks.length ?? 0} (${plan?.attempt ?? 0}${plan?.gate ? ', gated' : ''}), released ${released}/${rows}, enqueued ${enqueued}, outcomes ${outcomes}`;
  return `  ${job.id} is ${state}: ${progress}, revision ${revision}${reportDue ? ', report due' : ''}, asked for: ${asked.join(' ')}`;
}

/** Whether nothing will happen to a job any more by itself. */
export const isOver = ({ state, reportDue, outbox }: State): boolean => hasEnded(state) && !reportDue && !outbox.report;
