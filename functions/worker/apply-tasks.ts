import { Refusal, TargetUnusable } from '../../shared/atlassian/errors.ts';
import { inParallel } from '../../shared/in-parallel.ts';
import { createEvent, type Calls, type JobEvent } from '../../shared/job/events.ts';
import { mayApply } from '../../shared/job/job.ts';
import type { Task } from '../../shared/job/messages.ts';
import { wasAttempted } from '../../shared/job/row-status.ts';
import { errorFields } from '../../shared/log.ts';
import type { Deadline } from '../../shared/records.ts';
import { nowMs, runFor, settle, settleAll, taskResultOn, type Batch, type BatchPorts, type Progress } from './batch.ts';
import { conflictsElsewhere, conflictsIn, isRepeat, type Planned, type Writable } from './conflicts.ts';
import { createRecorder } from './recorder.ts';
import { haltsJob, openSession, withholdUnless, type Session } from './session.ts';
import { again, isInDoubt, success, taskResultByState, type Delivery, type TaskResult } from './task-result.ts';

/** Applies the tasks of one job, and gives the ids of the messages that may be deleted: those that are recorded. */
export async function applyTasks(
  jobId: string,
  deliveries: readonly Delivery[],
  deadline: Deadline,
  ports: BatchPorts,
): Promise<ReadonlySet<string>> {
  const progress: Progress = { halted: false, retried: 0, countSent: () => ({ sent: 0, rateLimited: 0 }) };
  const countCalls = (): Calls => ({ ...progress.countSent(), retried: progress.retried });
  const recorder = createRecorder({ jobId, endsAtMs: deadline.endsAtMs, countCalls }, ports);
  const rows = onceEach(deliveries);
  try {
    const state = await ports.views.view(jobId);
    if (!state) throw new Error('a task of a job that has no state'); // its state may be late; if not, the row ends alone
    const batch = { jobId, state, deadline, recorder, progress, ports };
    await applyBatch([...rows.keys()], batch);
    await recorder.finish();
    ports.log('tasks.recorded', { job: jobId, tasks: recorder.recorded.size, calls: progress.countSent().sent });
  } catch (error) {
    // Whatever is not recorded by now stays on the queue.
    ports.log('batch.failed', { job: jobId, ...errorFields(error) });
  }
  return new Set([...rows].flatMap(([{ messageId }, ids]) => (recorder.recorded.has(messageId) ? ids : [])));
}

/** A row that came twice is applied once, and what is recorded of it deletes both messages: each row with the ids of its messages. */
function onceEach(deliveries: readonly Delivery[]): ReadonlyMap<Delivery, readonly string[]> {
  const rows = Map.groupBy(deliveries, ({ task }) => `${task.row} ${task.generation}`);
  return new Map(
    [...rows.values()].flatMap((same) =>
      same.slice(0, 1).map((first) => [first, same.map(({ messageId }) => messageId)] as const),
    ),
  );
}

async function applyBatch(deliveries: readonly Delivery[], batch: Batch): Promise<void> {
  const due = deliveries.filter((delivery) => isDue(delivery, batch));
  const [first] = due;
  if (!first) return;
  const session = await runFor(due, () => open(first.task, batch), batch);
  if (!session) return;
  batch.progress.countSent = session.calls;
  const planned = await plan(due, session, batch);
  const isDoubted = ({ task }: Delivery): boolean => isInDoubt(task, batch.state);
  for (const one of planned.filter(isDoubted)) settleDoubt(one, batch);
  const certain = planned.filter((one) => !isDoubted(one));
  await runFor(certain, () => write(certain, session, batch), batch);
}

function isDue({ messageId, task }: Delivery, batch: Batch): boolean {
  const taskResult = taskResultByState(task, batch.state, nowMs(batch));
  if (taskResult) batch.recorder.add(messageId, taskResult);
  return taskResult === undefined;
}

async function open({ operation: name, target: targetName }: Task, batch: Batch): Promise<Session> {
  const { jobId, state, deadline, progress, ports } = batch;
  const operation = ports.operations(name);
  if (!operation) throw new TargetUnusable('REQUEST_REFUSED', `There is no operation ${name} any more.`);
  const beforeCall = async (): Promise<void> => {
    const now = await ports.views.view(jobId);
    // Redriven rows belong to jobs that have ended: there, only a change of the state withholds the call.
    withholdUnless(!progress.halted && now !== undefined && (mayApply(now.state) || now.state === state.state));
  };
  return openSession(ports, { targetName, operation, deadlineMs: deadline.atMs, beforeCall });
}

/** The rows that could be planned; the others have their task result. */
async function plan(rows: readonly Delivery[], session: Session, batch: Batch): Promise<readonly Planned[]> {
  try {
    const cells = rows.map(({ task }) => task.cells);
    const plans = await session.plan(cells, batch.deadline.signal);
    return rows.map((delivery, index) => {
      const planned = plans[index];
      if (!planned) throw new Error(`${plans.length} plans for ${rows.length} rows`);
      return { ...delivery, plan: planned };
    });
  } catch (error) {
    if (rows.length > 1 && isRequestRefused(error)) return await planHalves(rows, session, batch);
    await settleAll(rows, error, batch);
    return [];
  }
}

/** One row's value may be why a look-up that rows share is refused: by halves that row ends up alone, and fails alone. */
async function planHalves(rows: readonly Delivery[], session: Session, batch: Batch): Promise<readonly Planned[]> {
  const middle = Math.ceil(rows.length / 2);
  const planned = await plan(rows.slice(0, middle), session, batch);
  return [...planned, ...(await plan(rows.slice(middle), session, batch))];
}

/** Whether Atlassian refused what it was asked, rather than who asks. */
const isRequestRefused = (error: unknown): boolean =>
  error instanceof Refusal && error.code === 'REQUEST_REFUSED' && !haltsJob(error);

function settleDoubt({ messageId, task, plan: planned }: Planned, batch: Batch): void {
  if (planned.kind === 'unread') settle({ messageId, task }, planned.error, batch);
  else if (planned.kind === 'noop') batch.recorder.add(messageId, success(task, { status: 'unchanged' }, nowMs(batch)));
  else batch.recorder.add(messageId, { kind: 'done', task });
}

async function write(planned: readonly Planned[], session: Session, batch: Batch): Promise<void> {
  const { deadline, ports, recorder } = batch;
  // Every row of the batch is written down before rows of the batch are compared: one of a third batch may contradict both.
  const elsewhere = await conflictsElsewhere(planned, ports.results, { nowMs: nowMs(batch), signal: deadline.signal });
  // A repeat is left to the row that came first to its subject; by the order of rows that one may be the repeat.
  const compared = planned.filter(({ messageId }) => !isRepeat(elsewhere.get(messageId)));
  const conflicts = new Map([...conflictsIn(compared, nowMs(batch)), ...elsewhere]);
  const settled = planned.flatMap((one) => {
    const taskResult = conflicts.get(one.messageId) ?? resultWithoutWrite(one, batch);
    return taskResult ? [{ messageId: one.messageId, taskResult }] : [];
  });
  for (const { messageId, taskResult } of settled) recorder.add(messageId, taskResult);
  const writable = planned.filter(isWritable).filter(({ messageId }) => !conflicts.has(messageId));
  if (writable.length === 0) return;
  await ports.eventsQueue.post([attempting(writable, batch)]);
  await inParallel(writable, ports.callsUnderWay, (one) => writeOne(one, session, batch));
}

/** The task result of a row that needs no write, or can have none. */
function resultWithoutWrite({ task, plan: planned }: Planned, batch: Batch): TaskResult | undefined {
  switch (planned.kind) {
    case 'noop':
      return success(task, { status: 'unchanged', message: planned.message }, nowMs(batch));
    case 'refused':
      return taskResultOn(planned.refusal, task, batch);
    case 'unread':
      return taskResultOn(planned.error, task, batch);
    case 'change':
      return undefined;
    default:
      return planned satisfies never;
  }
}

const isWritable = (row: Planned): row is Writable => row.plan.kind === 'change';

function attempting(writable: readonly Writable[], { jobId, ports }: Batch): JobEvent {
  const rows = writable.map(({ task: { row, line }, plan: { before } }) => ({ row, line, before }));
  return createEvent(jobId, { type: 'attempting', rows }, ports);
}

async function writeOne({ messageId, task, plan: change }: Writable, session: Session, batch: Batch): Promise<void> {
  if (task.attempts > 0) batch.progress.retried += 1;
  try {
    const written = await session.write(change, batch.deadline.signal);
    const untouched = written.status === 'unchanged' && isFirstWrite(task, batch) ? true : undefined;
    batch.recorder.add(messageId, success(task, { ...written, untouched }, nowMs(batch)));
  } catch (error) {
    if (haltsJob(error)) await haltUnlessOutdated({ messageId, task }, error, session, batch);
    else settle({ messageId, task }, error, batch);
  }
}

function isFirstWrite({ attempts, row }: Task, { state }: Batch): boolean {
  return attempts === 0 && !wasAttempted(state.rowStatuses[row] ?? 0);
}

/** A secret that cannot be read again concerns this row alone: the others may have been written. */
async function haltUnlessOutdated(delivery: Delivery, refusal: Refusal, session: Session, batch: Batch): Promise<void> {
  await runFor(
    [delivery],
    async () => {
      if (!(await session.isOutdated())) throw refusal;
      batch.recorder.add(delivery.messageId, again(delivery.task, nowMs(batch) + 1_000));
    },
    batch,
  );
}
