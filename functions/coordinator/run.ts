import {
  type Chance,
  type Clock,
  ConditionNotMet,
  type Message,
  type ObjectStore,
  type Queue,
} from '../../shared/ports.ts';
import { fold } from '../../shared/job/reducer.ts';
import { hasEnded, mayPlan } from '../../shared/job/job.ts';
import type { JobEvent } from '../../shared/job/events.ts';
import { chunkKey, openKey, resultsPrefix } from '../../shared/job/keys.ts';
import { type Gate, readGate } from '../../shared/job/plan.ts';
import type { Log } from '../../shared/log.ts';
import { MEASURED } from '../../shared/metrics.ts';
import type { PageParts } from '../../shared/page/document.ts';
import { renderStatus } from '../../shared/page/status-page.ts';
import { takeNotices } from '../../shared/job/notices.ts';
import { type Bounds, step } from '../../shared/job/rules.ts';
import {
  createStateStore,
  type Outbox,
  type State,
  type StateStore,
  type StoredState,
} from '../../shared/job/state.ts';
import { summaryOf } from '../../shared/job/summary.ts';
import { awaitsValidation } from '../../shared/job/transitions.ts';
import { readValidation, type Validation } from '../../shared/job/validation.ts';
import type { EnqueueRequest, PlanRequest, ReportRequest, ValidateRequest } from '../../shared/job/messages.ts';
import { measureRun } from './measure-run.ts';

export interface RunPorts extends OutboxQueues {
  readonly results: ObjectStore;
  readonly notices: Queue;
  readonly log: Log;
  /** What status.html is made of besides the job. */
  readonly page: PageParts;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly bounds: Bounds;
  /** How old a plan may be that is approved; an older one is made anew. */
  readonly approvalMs: number;
}

/** Entries that are kept in the state before they become a chunk: fewer writes, and a state that stays small. */
const TAIL_ENTRIES = 1_000;
const STATUS_EVERY_MS = 1_000;
/** The jobs that are active at the same time. */
const KEPT_STATES = 20;
/** Runs of one job exclude each other but for a run that outlives its visibility time-out, so a race is lost once or twice. */
const RACES = 5;

/** Folds events into jobs, one run a job at a time. Gives false when nothing is known of the job. */
export type Run = (jobId: string, events: readonly JobEvent[]) => Promise<boolean>;

export function createRun(ports: RunPorts): Run {
  const world = { ...ports, states: createStateStore(ports.results, KEPT_STATES), statusWrittenMs: new Map() };
  return async (jobId, events) => {
    for (let race = 1; ; race += 1) {
      try {
        return await attempt(jobId, events, world);
      } catch (error) {
        if (!(error instanceof ConditionNotMet) || race === RACES) throw error;
      }
    }
  };
}

interface World extends RunPorts {
  readonly states: StateStore;
  /** When each job's status.json was written last; epoch milliseconds. */
  readonly statusWrittenMs: Map<string, number>;
}

/** State first, under its fence, and only then what must be sent. */
async function attempt(jobId: string, events: readonly JobEvent[], world: World): Promise<boolean> {
  const { clock, bounds, approvalMs, results, states } = world;
  const base = await states.load(jobId);
  const nowMs = clock.now().getTime();
  const validation = await findValidation(jobId, base, events, results);
  const gate = await findGate(base, events, results);
  const folded = fold(base?.state, events, { nowMs, approvalMs, validation, gate });
  if (!folded) return false;

  const reconciling = events.some((event) => event.type === 'reconcile');
  const stepped = step(folded, { nowMs, bounds, reconciling });
  const taken = takeDue(await flush(stepped, world), nowMs, bounds.resendMs);
  const { due } = taken;
  const { state, notices } = takeNotices(taken.state, nowMs);

  // The marker is put before the state and taken after it: whatever a crash leaves behind, the reconcile finds.
  if (isOpen(state) && !(base && isOpen(base.state))) await results.write(openKey(jobId), '');
  // Before the state says that they were sent: one that is asked for twice is told once.
  if (notices.length > 0) await world.notices.send(notices.map((body) => ({ body })));
  await states.save(state, base);
  await sendDue(state, due, world);
  await writeStatus(state, base?.state, nowMs, world);
  const figures = measureRun(base?.state, state, events, nowMs);
  if (figures) world.log(MEASURED, { job: jobId, target: state.job.target, ...figures });
  if (!isOpen(state)) await results.delete(openKey(jobId));
  return true;
}

async function findValidation(
  jobId: string,
  base: StoredState | undefined,
  events: readonly JobEvent[],
  results: ObjectStore,
): Promise<Validation | undefined> {
  const isAwaited = !base || awaitsValidation(base.state);
  if (!isAwaited || !events.some((event) => event.type === 'validated')) return undefined;
  return readValidation(results, jobId);
}

/** The gate that an event names, of the plan that the job is making. */
async function findGate(
  base: StoredState | undefined,
  events: readonly JobEvent[],
  results: ObjectStore,
): Promise<Gate | undefined> {
  if (!base || !mayPlan(base.state.state)) return undefined;
  const { job, plan } = base.state;
  const gated = events.find((event) => event.type === 'gated' && event.attempt === plan?.attempt);
  if (gated?.type !== 'gated') return undefined;
  return readGate(results, { jobId: job.id, attempt: gated.attempt, sha256: gated.sha256 });
}

/** Moves the tail into a chunk when it is long. A chunk of a run that loses its race is named by no state: it does not count. */
async function flush(state: State, { results, chance }: World): Promise<State> {
  if (state.tail.length < TAIL_ENTRIES) return state;
  const rows = state.tail.map((entry) => entry.row);
  const firstRow = rows.reduce((least, row) => Math.min(least, row));
  const lastRow = rows.reduce((most, row) => Math.max(most, row));
  const name = `${String(state.chunks.length).padStart(6, '0')}-${chance.uuid().slice(0, 8)}`;
  await results.write(chunkKey(state.job.id, name), state.tail.map((entry) => JSON.stringify(entry)).join('\n'));
  return { ...state, tail: [], chunks: [...state.chunks, { name, firstRow, lastRow }] };
}

async function writeStatus(state: State, before: State | undefined, nowMs: number, world: World): Promise<void> {
  const { results, statusWrittenMs } = world;
  const { id } = state.job;
  const turned = state.state !== before?.state || state.revision !== before.revision;
  if (!turned && nowMs - (statusWrittenMs.get(id) ?? 0) < STATUS_EVERY_MS) return;
  if (hasEnded(state.state)) statusWrittenMs.delete(id);
  else statusWrittenMs.set(id, nowMs);
  const summary = summaryOf(state);
  const page = renderStatus({ summary, perSecond: state.rate.perSecond, ...world.page });
  const prefix = resultsPrefix(state.job);
  await Promise.all([
    results.write(`${prefix}status.json`, JSON.stringify(summary, undefined, 2)),
    results.write(`${prefix}status.html`, page),
  ]);
}

/** Whether time alone may still change something about a job: until it has ended and its newest report is written. */
const isOpen = ({ state, reportDue, outbox }: State): boolean =>
  !hasEnded(state) || reportDue || outbox.report !== undefined;

export interface OutboxQueues {
  readonly validateQueue: Queue;
  readonly planQueue: Queue;
  readonly enqueueQueue: Queue;
  readonly reports: Queue;
}

/** The state with everything that is due marked as sent now, and what that is: what is new, and what nobody confirmed in time. */
export function takeDue(
  state: State,
  nowMs: number,
  resendMs: number,
): { readonly state: State; readonly due: Outbox } {
  const isDue = (entry: { readonly sentAtMs: number } | undefined): boolean =>
    entry !== undefined && nowMs - entry.sentAtMs >= resendMs;
  const { enqueue, freed, validation, plan, gate, report } = state.outbox;
  // Planning says until when it waits, and its messages are delayed for as long: more of them would only wait beside them.
  const isSilent = ({ sentAtMs }: { readonly sentAtMs: number }): boolean =>
    sentAtMs === 0 || nowMs - Math.max(sentAtMs, state.lastEventMs, state.untilMs) >= resendMs;
  const due: Outbox = {
    ...(isDue(enqueue) && { enqueue }),
    ...(isDue(freed) && { freed }),
    ...(plan && isSilent(plan) && { plan }),
    ...(gate && isSilent(gate) && { gate }),
    ...(isDue(validation) && { validation }),
    ...(isDue(report) && { report }),
  };
  const outbox: Outbox = {
    enqueue: due.enqueue ? { ...due.enqueue, sentAtMs: nowMs } : enqueue,
    freed: due.freed ? { ...due.freed, sentAtMs: nowMs } : freed,
    plan: due.plan ? { sentAtMs: nowMs } : plan,
    gate: due.gate ? { sentAtMs: nowMs } : gate,
    validation: due.validation ? { sentAtMs: nowMs } : validation,
    report: due.report ? { ...due.report, sentAtMs: nowMs } : report,
  };
  return { state: { ...state, outbox }, due };
}

/** Sends what is due. Whatever a crash keeps from being sent stays in the outbox and is due again. */
export async function sendDue({ job, plan }: State, due: Outbox, queues: OutboxQueues): Promise<void> {
  const { enqueue, freed, validation, report } = due;
  const sends: Promise<void>[] = [];
  if (enqueue) {
    const { id: enqueueId, from, to } = enqueue;
    const body: EnqueueRequest = { version: 1, kind: 'enqueue', jobId: job.id, enqueueId, from, to };
    sends.push(queues.enqueueQueue.send([{ body }]));
  }
  if (freed) {
    const body: EnqueueRequest = {
      version: 1,
      kind: 'enqueue',
      jobId: job.id,
      enqueueId: freed.id,
      from: Math.min(...freed.rows),
      to: Math.max(...freed.rows) + 1,
      freed: [...freed.rows],
    };
    sends.push(queues.enqueueQueue.send([{ body }]));
  }
  if (validation) sends.push(queues.validateQueue.send([{ body: validateRequestOf(job), groupId: job.target }]));
  if (plan) sends.push(queues.planQueue.send(planRequests(job.id, plan, due)));
  if (report) {
    const body: ReportRequest = { version: 1, kind: 'report', jobId: job.id };
    sends.push(queues.reports.send([{ body }]));
  }
  await Promise.all(sends);
}

/** What intake asked for when the file came, once more. */
const validateRequestOf = ({ manifest, startedAt, uploadedBy, targetFacts }: State['job']): ValidateRequest => ({
  version: 2,
  kind: 'validate',
  ...manifest,
  at: startedAt,
  principal: uploadedBy,
  target: targetFacts,
});

/** Everything that is not planned yet, or the gate when all is. */
function planRequests(jobId: string, { attempt, chunks }: NonNullable<State['plan']>, due: Outbox): Message[] {
  const wanted: PlanRequest[] = due.gate ? [{ version: 1, kind: 'gate', jobId, attempt }] : [];
  if (due.plan)
    for (const [chunk, sha256] of chunks.entries())
      if (sha256 === null) wanted.push({ version: 1, kind: 'plan', jobId, attempt, chunk, done: 0 });
  return wanted.map((body) => ({ body, groupId: jobId }));
}
