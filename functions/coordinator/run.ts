import { type Chance, type Clock, ConditionNotMet, type ObjectStore, type Queue } from '../../shared/ports.ts';
import { fold } from '../../shared/job/reducer.ts';
import { hasEnded, isValidating } from '../../shared/job/job.ts';
import type { JobEvent } from '../../shared/job/events.ts';
import { chunkKey, openKey, resultsPrefix } from '../../shared/job/keys.ts';
import { type Policy, step } from '../../shared/job/rules.ts';
import {
  createStateStore,
  type Outbox,
  type State,
  type StateStore,
  type StoredState,
} from '../../shared/job/state.ts';
import { summaryOf } from '../../shared/job/summary.ts';
import { readValidation, type Validation } from '../../shared/job/validation.ts';
import type { EnqueueRequest, ReportRequest } from '../../shared/job/messages.ts';

export interface RunPorts extends OutboxQueues {
  readonly results: ObjectStore;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly policy: Policy;
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
  const { clock, policy, results, states } = world;
  const base = await states.load(jobId);
  const nowMs = clock.now().getTime();
  const validation = await findValidation(jobId, base, events, results);
  const folded = fold(base?.state, events, { nowMs, validation });
  if (!folded) return false;

  const reconciling = events.some((event) => event.type === 'reconcile');
  const stepped = step(folded, { nowMs, policy, reconciling });
  const { state, due } = takeDue(await flush(stepped, world), nowMs, policy.resendMs);

  // The marker is put before the state and taken after it: whatever a crash leaves behind, the reconcile finds.
  if (isOpen(state) && !(base && isOpen(base.state))) await results.write(openKey(jobId), '');
  await states.save(state, base);
  await sendDue(state, due, world);
  await writeStatus(state, base?.state, nowMs, world);
  if (!isOpen(state)) await results.delete(openKey(jobId));
  return true;
}

async function findValidation(
  jobId: string,
  base: StoredState | undefined,
  events: readonly JobEvent[],
  results: ObjectStore,
): Promise<Validation | undefined> {
  const isAwaited = !base || isValidating(base.state.state);
  if (!isAwaited || !events.some((event) => event.type === 'validated')) return undefined;
  return readValidation(results, jobId);
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
  await results.write(`${resultsPrefix(state.job)}status.json`, JSON.stringify(summaryOf(state), undefined, 2));
}

/** Whether time alone may still change something about a job: until it has ended and its newest report is written. */
const isOpen = ({ state, reportDue, outbox }: State): boolean =>
  !hasEnded(state) || reportDue || outbox.report !== undefined;

export interface OutboxQueues {
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
  const { enqueue, validation, report } = state.outbox;
  const due: Outbox = {
    ...(isDue(enqueue) && { enqueue }),
    ...(isDue(validation) && { validation }),
    ...(isDue(report) && { report }),
  };
  const outbox: Outbox = {
    enqueue: due.enqueue ? { ...due.enqueue, sentAtMs: nowMs } : enqueue,
    validation: due.validation ? { sentAtMs: nowMs } : validation,
    report: due.report ? { ...due.report, sentAtMs: nowMs } : report,
  };
  return { state: { ...state, outbox }, due };
}

/** Sends what is due. Whatever a crash keeps from being sent stays in the outbox and is due again. */
export async function sendDue({ job }: State, due: Outbox, queues: OutboxQueues): Promise<void> {
  const { enqueue, validation, report } = due;
  const sends: Promise<void>[] = [];
  if (enqueue) {
    const { id: enqueueId, from, to } = enqueue;
    const body: EnqueueRequest = { version: 1, kind: 'enqueue', jobId: job.id, enqueueId, from, to };
    sends.push(queues.enqueueQueue.send([{ body }]));
  }
  if (validation) sends.push(queues.enqueueQueue.send([{ body: notificationOf(job.manifest) }]));
  if (report) {
    const body: ReportRequest = { version: 1, kind: 'report', jobId: job.id };
    sends.push(queues.reports.send([{ body }]));
  }
  await Promise.all(sends);
}

/** The S3 event that began the job, once more: validating has one way in. */
function notificationOf({ bucket, key, versionId, bytes }: State['job']['manifest']): unknown {
  const object = { key: encodeURIComponent(key), versionId, size: bytes };
  return { Records: [{ eventName: 'ObjectCreated:Put', s3: { bucket: { name: bucket }, object } }] };
}
