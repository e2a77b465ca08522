import { gunzipSync } from 'node:zlib';

import { NoAnswer, RateLimited, Refusal } from '../../shared/atlassian/errors.ts';
import type { Calls } from '../../shared/job/events.ts';
import { planChunkKey, planPartKey } from '../../shared/job/keys.ts';
import type { PlanRequest } from '../../shared/job/messages.ts';
import { MESSAGE_CHARACTERS } from '../../shared/job/outcome.ts';
import { mayPlan } from '../../shared/job/job.ts';
import { packRowPlans, sha256Of, type RowPlan } from '../../shared/job/plan.ts';
import { isSettled, PENDING, unpackRowStatuses } from '../../shared/job/row-status.ts';
import { readValidation, type Validation } from '../../shared/job/validation.ts';
import { createCellReader } from '../../shared/manifest/cells.ts';
import { readRowChunks } from '../../shared/manifest/row-chunks.ts';
import type { Row } from '../../shared/manifest/rows.ts';
import type { Cells, PlannedRow } from '../../shared/operations/operation.ts';
import { haltsJob, type Session } from '../../shared/operations/session.ts';
import { JobNotReadable, type ObjectStore, writeOnce } from '../../shared/ports.ts';
import { findCopyBefore } from './ledger.ts';
import { PlanDeferred } from './plan-errors.ts';
import { createUndoPlan } from './plan-undo.ts';
import { openFor, type SessionOfPlanPorts, WORK_MS } from './plan-session.ts';
import type { PlanningJob } from './planner.ts';

export type ChunkPorts = SessionOfPlanPorts;

type ChunkRequest = Extract<PlanRequest, { readonly kind: 'plan' }>;

/** After what nobody limited: an error, or no answer. */
const RETRY_MS = 10_000;
/** Rows that are looked up together. */
const ROWS_TOGETHER = 1_000;

/** Finds what applying each row of a chunk would do, and stores it, once. */
export async function planChunk(
  request: ChunkRequest,
  job: PlanningJob,
  ports: ChunkPorts,
  signal: AbortSignal,
): Promise<void> {
  const { jobId, attempt, chunk } = request;
  const key = planChunkKey(jobId, attempt, chunk);
  const there = await ports.results.read(key);
  if (there) return tellPlanned(request, Buffer.concat(await there.body.toArray()), NO_CALLS, ports);

  const validation = await readValidation(ports.results, jobId);
  if (!validation) throw new JobNotReadable(`The validation of ${jobId} is not there`);
  await waitForCopy(job, validation, ports);
  const rows = await readRows(request, validation, ports.results);
  const known = await readPart(request, ports.results);
  const session = await openFor(job, validation, ports);
  const { undoes } = validation;
  const plan = undoes ? await createUndoPlan(undoes, session, ports.results) : session.plan;
  const planned = await planRows(rows, known, { validation, plan, ports, signal });
  const calls = { ...session.calls(), retried: 0 };
  if (planned.plans.length < rows.length) return leaveRest(request, planned, calls, ports);

  const packed = packRowPlans(planned.plans.toSorted((one, other) => one.row - other.row));
  await writeOnce(ports.results, key, packed);
  const stored = await ports.results.read(key); // another planner's, where it was faster
  if (!stored) throw new JobNotReadable(`${key} is not there`);
  await tellPlanned(request, Buffer.concat(await stored.body.toArray()), calls, ports);
}

const NO_CALLS: Calls = { sent: 0, rateLimited: 0, retried: 0 };

async function tellPlanned(
  { jobId, attempt, chunk }: ChunkRequest,
  packed: Uint8Array,
  calls: Calls,
  { post }: ChunkPorts,
): Promise<void> {
  await post(jobId, { type: 'planned', attempt, chunk, sha256: sha256Of(packed), calls });
}

const COPY_AGAIN_MS = 5_000;
const COPY_STOPPED_MS = 300_000;

/** The same file, dropped twice, is planned the second time when the first is done: it shall not find what the first has not made yet. */
async function waitForCopy({ state }: PlanningJob, { sha256 }: Validation, ports: ChunkPorts): Promise<void> {
  const copy = await findCopyBefore(state.job, sha256, ports.results);
  if (!copy) return;
  const nowMs = ports.clock.now().getTime();
  throw new PlanDeferred(`The same file is being applied as ${copy.job.id}`, {
    notBeforeMs: nowMs + (mayPlan(copy.state) || copy.state === 'running' ? COPY_AGAIN_MS : COPY_STOPPED_MS),
    calls: NO_CALLS,
    done: 0,
  });
}

/** The rows of the chunk that are not settled by their validation. */
async function readRows(
  { jobId, chunk }: ChunkRequest,
  { rowChunks, rowStatuses, rows: count }: Validation,
  results: ObjectStore,
): Promise<readonly Row[]> {
  const validated = unpackRowStatuses(rowStatuses, count);
  const range = { from: rowChunks[chunk]?.firstRow ?? 0, to: rowChunks[chunk + 1]?.firstRow ?? Infinity };
  const rows: Row[] = [];
  for await (const some of readRowChunks(results, { jobId, rowChunks }, range)) rows.push(...some);
  return rows.filter(({ row }) => !isSettled(validated[row] ?? PENDING));
}

async function readPart(
  { jobId, attempt, chunk, done }: ChunkRequest,
  results: ObjectStore,
): Promise<readonly RowPlan[]> {
  const stored = done > 0 ? await results.read(planPartKey(jobId, attempt, chunk)) : undefined;
  if (!stored) return [];
  const text = gunzipSync(Buffer.concat(await stored.body.toArray()))
    .toString()
    .trimEnd();
  return text.split('\n').map((line) => JSON.parse(line) as RowPlan); // ours, and planned anew where it is gone
}

interface Look {
  readonly validation: Validation;
  readonly plan: Session['plan'];
  readonly ports: ChunkPorts;
  readonly signal: AbortSignal;
}

interface Planned {
  readonly plans: readonly RowPlan[];
  /** Why the rows that are missing could not be planned now. */
  readonly wait?: Error | undefined;
}

async function planRows(rows: readonly Row[], known: readonly RowPlan[], look: Look): Promise<Planned> {
  const { clock } = look.ports;
  const endMs = clock.now().getTime() + WORK_MS;
  const done = new Set(known.map(({ row }) => row));
  const left = rows.filter(({ row }) => !done.has(row));
  const plans = [...known];
  for (let from = 0; from < left.length && clock.now().getTime() < endMs && !look.signal.aborted;) {
    const some = left.slice(from, from + ROWS_TOGETHER);
    from += some.length;
    const { plans: more, wait } = await planTogether(some, look);
    plans.push(...more);
    if (wait) return { plans, wait };
  }
  return { plans };
}

async function planTogether(rows: readonly Row[], look: Look): Promise<Planned> {
  const cellsOf = createCellReader(look.validation);
  const at = look.ports.clock.now().toISOString();
  try {
    const planned = await planCells(rows.map(cellsOf), look);
    const waits = planned.map(findWait);
    const plans = rows.flatMap(({ row, line }, index) => {
      const one = planned[index];
      return one === undefined || one.kind === 'unread' || waits[index] ? [] : [lineOf({ row, line, at }, one)];
    });
    return { plans, wait: waits.find((wait) => wait !== undefined) };
  } catch (error) {
    if (error instanceof RateLimited || error instanceof NoAnswer || (error instanceof Refusal && error.temporary))
      return { plans: [], wait: error };
    throw error;
  }
}

/** Why a row cannot be planned now, but may be later; throws what halts the job. */
function findWait(planned: PlannedRow): Error | undefined {
  if (planned.kind === 'unread') return planned.error;
  if (planned.kind !== 'refused') return undefined;
  if (isHalting(planned.refusal)) throw planned.refusal;
  return planned.refusal.temporary ? planned.refusal : undefined;
}

/** One row's value may be why a look-up that rows share is refused: by halves that row ends up alone, and is refused alone. */
async function planCells(cells: readonly Cells[], look: Look): Promise<readonly PlannedRow[]> {
  try {
    return await look.plan(cells, look.signal);
  } catch (error) {
    if (!(error instanceof Refusal) || error.temporary) throw error;
    if (isHalting(error)) throw error;
    if (cells.length === 1 || error.code !== 'REQUEST_REFUSED')
      return cells.map(() => ({ kind: 'refused', refusal: error }));
    const middle = Math.ceil(cells.length / 2);
    const first = await planCells(cells.slice(0, middle), look);
    return [...first, ...(await planCells(cells.slice(middle), look))];
  }
}

const isHalting = (error: Refusal): boolean => haltsJob(error);

/** A planned row as it is stored. */
function lineOf(
  which: Pick<RowPlan, 'row' | 'line' | 'at'>,
  planned: Exclude<PlannedRow, { kind: 'unread' }>,
): RowPlan {
  switch (planned.kind) {
    case 'noop': {
      const { subject, before, keys, message } = planned;
      return { ...which, kind: 'noop', subject, before, keys: [...keys], message };
    }
    case 'change': {
      const { subject, before, after, keys, message, blocked } = planned;
      const change = { subject, before, after, keys: [...keys], message };
      const by = blocked && { by: blocked.by, ...refusalOf(blocked.refusal) };
      return { ...which, kind: 'change', ...change, ...(by && { blocked: by }) };
    }
    case 'refused':
      return { ...which, kind: 'refused', ...refusalOf(planned.refusal) };
    default:
      return planned satisfies never;
  }
}

const refusalOf = ({ code, message, httpStatus, traceId }: Refusal) => ({
  code,
  message: message.slice(0, MESSAGE_CHARACTERS),
  httpStatus,
  traceId,
});

/** Stores what is planned, and leaves the rest for later: at once when only the time was over. */
async function leaveRest(
  { jobId, attempt, chunk }: ChunkRequest,
  { plans, wait }: Planned,
  calls: Calls,
  ports: ChunkPorts,
): Promise<never> {
  if (plans.length > 0) await ports.results.write(planPartKey(jobId, attempt, chunk), packRowPlans(plans));
  const nowMs = ports.clock.now().getTime();
  const notBeforeMs = wait === undefined ? nowMs : wait instanceof RateLimited ? wait.notBeforeMs : nowMs + RETRY_MS;
  throw new PlanDeferred(wait?.message ?? 'The time of one message is over', {
    notBeforeMs,
    calls,
    done: plans.length,
    reason: wait,
  });
}
