import { NoAnswer, Refusal, TargetUnusable } from '../../shared/atlassian/errors.ts';
import { inParallel } from '../../shared/in-parallel.ts';
import { createEvent, type Calls, type JobEvent } from '../../shared/job/events.ts';
import { mayApply } from '../../shared/job/job.ts';
import type { Task } from '../../shared/job/messages.ts';
import { wasAttempted } from '../../shared/job/row-status.ts';
import { errorFields } from '../../shared/log.ts';
import { haltsJob, openSession, withholdUnless, type Session } from '../../shared/operations/session.ts';
import type { Deadline } from '../../shared/records.ts';
import { nowMs, runFor, settle, type Batch, type BatchPorts, type Progress } from './batch.ts';
import { findWritable, type Writable } from './read-first.ts';
import { createRecorder } from './recorder.ts';
import { again, success, taskResultByState, type Delivery } from './task-result.ts';

/** Applies the tasks of one job, and gives the ids of the messages that may be deleted: those that are recorded. */
export async function applyTasks(
  jobId: string,
  deliveries: readonly Delivery[],
  deadline: Deadline,
  ports: BatchPorts,
): Promise<ReadonlySet<string>> {
  const progress: Progress = { halt: undefined, retried: 0, countSent: () => ({ sent: 0, rateLimited: 0 }) };
  const countCalls = (): Calls => ({ ...progress.countSent(), retried: progress.retried });
  const recorder = createRecorder({ jobId, countCalls }, ports);
  const rows = onceEach(deliveries);
  try {
    const seen = await ports.views.view(jobId);
    // A job may have been resumed since, and nobody would send a dropped row again.
    const state = seen && !mayApply(seen.state) ? await ports.views.renew(jobId) : seen;
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
      same
        .slice(0, 1)
        .map((first) => [
          { ...first, isFirst: first.isFirst && same.length === 1 },
          same.map(({ messageId }) => messageId),
        ]),
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
  const found = await findWritable(due, session, batch);
  const writable = (await runFor(found, () => withoutProtected(found, session, batch), batch)) ?? [];
  await runFor(writable, () => write(writable, session, batch), batch);
}

function isDue({ messageId, task }: Delivery, batch: Batch): boolean {
  const taskResult = taskResultByState(task, batch.state, nowMs(batch));
  if (taskResult) batch.recorder.add(messageId, taskResult);
  return taskResult === undefined;
}

async function open({ operation: name, target: targetName }: Task, batch: Batch): Promise<Session> {
  const { deadline, ports } = batch;
  const operation = ports.operations(name);
  if (!operation) throw new TargetUnusable('REQUEST_REFUSED', `There is no operation ${name} any more.`);
  const beforeCall = () => withholdUnlessRunning(batch);
  // Without an answer of its own there would be no plan.
  return openSession(ports, {
    targetName,
    operation,
    deadlineMs: deadline.atMs,
    beforeCall,
    isKnown: async () => true,
  });
}

async function withholdUnlessRunning({ jobId, state, progress, ports }: Batch): Promise<void> {
  const now = await ports.views.view(jobId);
  // Redriven rows belong to jobs that have ended: there, only a change of the state withholds the call.
  withholdUnless(!progress.halt && now !== undefined && (mayApply(now.state) || now.state === state.state));
}

/** The rows that nothing protects; the others fail. Somebody may have become an admin since the plan was made. */
async function withoutProtected(
  writable: readonly Writable[],
  session: Session,
  batch: Batch,
): Promise<readonly Writable[]> {
  if (writable.length === 0) return [];
  const { refusalOf } = await session.protection(batch.deadline.signal);
  const judged = writable.map((one) => ({ one, refusal: refusalOf(session.effect(one.change.after), one.change) }));
  for (const { one, refusal } of judged) if (refusal) settle(one, refusal, batch);
  return judged.flatMap(({ one, refusal }) => (refusal ? [] : [one]));
}

async function write(writable: readonly Writable[], session: Session, batch: Batch): Promise<void> {
  const { ports } = batch;
  if (writable.length === 0) return;
  await withholdUnlessRunning(batch); // or rows would be marked as attempted that were not
  await ports.eventsQueue.post([attempting(writable, batch)]);
  await inParallel(writable, ports.callsUnderWay, (one) => writeOne(one, session, batch));
}

function attempting(writable: readonly Writable[], { jobId, ports }: Batch): JobEvent {
  const rows = writable.map(({ task: { row, line } }) => ({ row, line }));
  return createEvent(jobId, { type: 'attempting', rows }, ports);
}

async function writeOne(delivery: Writable, session: Session, batch: Batch): Promise<void> {
  const { messageId, task, change } = delivery;
  if (task.attempts > 0) batch.progress.retried += 1;
  try {
    const written = await session.write(change, batch.deadline.signal);
    noteWrite(task, batch);
    const untouched = written.status === 'unchanged' && isFirstWrite(task, batch) ? true : undefined;
    batch.recorder.add(messageId, success(task, { ...written, untouched }, nowMs(batch)));
  } catch (error) {
    if (error instanceof NoAnswer || (error instanceof Refusal && error.uncertain)) noteWrite(task, batch);
    if (haltsJob(error)) await haltUnlessOutdated(delivery, error, session, batch);
    else settle(delivery, error, batch);
  }
}

function noteWrite({ target }: Task, batch: Batch): void {
  batch.ports.lastWrites.set(target, nowMs(batch));
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
