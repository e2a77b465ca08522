import { Refusal, TargetUnusable, Withheld } from '../../shared/atlassian/errors.ts';
import { settledStatus, wasAttempted } from '../../shared/job/row-status.ts';
import { type Calls, type JobEvent, createEvent } from '../../shared/job/events.ts';
import type { State } from '../../shared/job/state.ts';
import type { Task } from '../../shared/job/messages.ts';
import { inParallel } from '../../shared/in-parallel.ts';
import { errorFields, type Log } from '../../shared/log.ts';
import type { Operation } from '../../shared/operations/operation.ts';
import type { Deadline } from '../../shared/records.ts';
import type { Delivery } from './delivery.ts';
import { conflictsElsewhere } from './claims.ts';
import { conflictsIn, isRepeat } from './conflicts.ts';
import { createHalt } from './halt.ts';
import type { JobViews } from './job-views.ts';
import { createRecorder, type Recorder, type RecorderPorts } from './recorder.ts';
import { haltsJob, openSession, withholdUnless, type Session, type SessionPorts } from './session.ts';
import { sortPlanned, type Planned, type Writable } from './sorting.ts';
import { HELD_MS, isInDoubt, isRedriven, taskResultByState } from './task-result-by-state.ts';
import { again, success, taskResultOf, type TaskResult } from './task-result.ts';

export interface ApplyPorts extends SessionPorts, RecorderPorts {
  readonly views: JobViews;
  readonly operations: (name: string) => Operation | undefined;
  readonly log: Log;
  readonly maxAttempts: number;
  readonly consistencySeconds: number;
  readonly callsUnderWay: number;
}

/** Applies the tasks of one job, and gives the ids of the messages that may be deleted: those that are recorded. */
export async function applyTasks(
  jobId: string,
  deliveries: readonly Delivery[],
  deadline: Deadline,
  ports: ApplyPorts,
): Promise<ReadonlySet<string>> {
  const calls = { made: (): Omit<Calls, 'retried'> => ({ sent: 0, rateLimited: 0 }), retried: 0 };
  const countCalls = (): Calls => ({ ...calls.made(), retried: calls.retried });
  const recorder = createRecorder({ jobId, endsAtMs: deadline.endsAtMs, countCalls }, ports);
  const rows = onceEach(deliveries);
  try {
    const state = await ports.views.view(jobId);
    if (!state) throw new Error('a task of a job that has no state'); // its state may be late; if not, the row ends alone
    await createBatch({ jobId, state, deadline, recorder, calls }, ports).apply(rows.map(({ first }) => first));
    await recorder.finish();
    ports.log('tasks.recorded', { job: jobId, tasks: recorder.recorded.size, calls: calls.made().sent });
  } catch (error) {
    // Whatever is not recorded by now stays on the queue.
    ports.log('batch.failed', { job: jobId, ...errorFields(error) });
  }
  return new Set(
    rows.filter(({ first }) => recorder.recorded.has(first.messageId)).flatMap(({ messageIds }) => messageIds),
  );
}

/** A row that came twice is applied once, and what is recorded of it deletes both messages. */
function onceEach(deliveries: readonly Delivery[]) {
  const rows = Map.groupBy(deliveries, ({ task }) => `${task.row} ${task.generation}`);
  return [...rows.values()].flatMap((same) => {
    const [first] = same;
    return first ? [{ first, messageIds: same.map(({ messageId }) => messageId) }] : [];
  });
}

interface BatchContext {
  readonly jobId: string;
  /** The job as it stood when the batch began. */
  readonly state: State;
  readonly deadline: Deadline;
  readonly recorder: Recorder;
  readonly calls: { made: () => Omit<Calls, 'retried'>; retried: number };
}

function createBatch({ jobId, state, deadline, recorder, calls }: BatchContext, ports: ApplyPorts) {
  const halt = createHalt(jobId, ports);
  const nowMs = (): number => ports.clock.now().getTime();

  return {
    apply: async (deliveries: readonly Delivery[]): Promise<void> => {
      const due = deliveries.filter((delivery) => !settledByState(delivery));
      const [first] = due;
      if (!first) return;
      const session = await concerning(due, () => open(first.task));
      if (!session) return;
      calls.made = session.calls;
      const planned = await plan(due, session);
      for (const one of planned.filter(isDoubted)) settleDoubt(one);
      const certain = planned.filter((one) => !isDoubted(one));
      await concerning(certain, () => write(certain, session));
    },
  };

  /** What `run` throws concerns all of the rows: each gets its task result from it. */
  async function concerning<Value>(rows: readonly Delivery[], run: () => Promise<Value>): Promise<Value | undefined> {
    try {
      return await run();
    } catch (error) {
      await settleAll(rows, error);
      return undefined;
    }
  }

  function settledByState({ messageId, task }: Delivery): boolean {
    const taskResult = taskResultByState(task, state, nowMs());
    if (taskResult) recorder.add(messageId, taskResult);
    return taskResult !== undefined;
  }

  async function open({ operation: name, target: targetName }: Task): Promise<Session> {
    const operation = ports.operations(name);
    if (!operation) throw new TargetUnusable('REQUEST_REFUSED', `There is no operation ${name} any more.`);
    const beforeCall = async (): Promise<void> => {
      const now = await ports.views.view(jobId);
      // Rows put up again by hand belong to jobs that have ended: there, only a change of the state withholds the call.
      withholdUnless(!halt.halted() && (now?.state === 'running' || now?.state === state.state));
    };
    return openSession(ports, { targetName, operation, deadlineMs: deadline.atMs, beforeCall });
  }

  /** The rows that could be planned; the others have their task result. */
  async function plan(rows: readonly Delivery[], session: Session): Promise<readonly Planned[]> {
    try {
      const plans = await session.plan(
        rows.map(({ task }) => task.cells),
        deadline.signal,
      );
      return rows.map((delivery, index) => {
        const planned = plans[index];
        if (!planned) throw new Error(`${plans.length} plans for ${rows.length} rows`);
        return { ...delivery, plan: planned };
      });
    } catch (error) {
      if (rows.length > 1 && isRequestRefused(error)) return await planHalves(rows, session);
      await settleAll(rows, error);
      return [];
    }
  }

  /** One row's value may be why a look-up that rows share is refused: by halves that row ends up alone, and fails alone. */
  async function planHalves(rows: readonly Delivery[], session: Session): Promise<readonly Planned[]> {
    const middle = Math.ceil(rows.length / 2);
    const planned = await plan(rows.slice(0, middle), session);
    return [...planned, ...(await plan(rows.slice(middle), session))];
  }

  function isDoubted({ task }: Delivery): boolean {
    return isInDoubt(task, state);
  }

  function settleDoubt({ messageId, task, plan: planned }: Planned): void {
    if (planned.kind === 'unread') settle({ messageId, task }, planned.error);
    else if (planned.kind === 'noop') recorder.add(messageId, success(task, { status: 'unchanged' }, nowMs()));
    else recorder.add(messageId, { kind: 'done', task });
  }

  async function write(planned: readonly Planned[], session: Session): Promise<void> {
    // Every row of the batch is written down before rows of the batch are compared: one of a third batch may contradict both.
    const elsewhere = await conflictsElsewhere(planned, ports.results, { nowMs: nowMs(), signal: deadline.signal });
    // A repeat is left to the row that came first to its subject; by the order of rows that one may be the repeat.
    const compared = planned.filter(({ messageId }) => !isRepeat(elsewhere.get(messageId)));
    const conflicts = new Map([...conflictsIn(compared, nowMs()), ...elsewhere]);
    const { settled, writable } = sortPlanned(planned, conflicts, nowMs(), taskResultOn);
    for (const [{ messageId }, taskResult] of settled) recorder.add(messageId, taskResult);
    if (writable.length === 0) return;
    await ports.eventsQueue.post([attempting(writable)]);
    await inParallel(writable, ports.callsUnderWay, (one) => writeOne(one, session));
  }

  async function writeOne({ messageId, task, plan: change }: Writable, session: Session): Promise<void> {
    if (task.attempts > 0) calls.retried += 1;
    try {
      const written = await session.write(change, deadline.signal);
      const untouched = written.status === 'unchanged' && isFirstWrite(task) ? true : undefined;
      recorder.add(messageId, success(task, { ...written, untouched }, nowMs()));
    } catch (error) {
      if (haltsJob(error)) await haltUnlessOutdated({ messageId, task }, error, session);
      else settle({ messageId, task }, error);
    }
  }

  /** A secret that cannot be read again concerns this row alone: the others may have been written. */
  async function haltUnlessOutdated(delivery: Delivery, refusal: Refusal, session: Session): Promise<void> {
    await concerning([delivery], async () => {
      if (!(await session.isOutdated())) throw refusal;
      recorder.add(delivery.messageId, again(delivery.task, nowMs() + 1_000));
    });
  }

  function isFirstWrite({ attempts, row }: Task): boolean {
    return attempts === 0 && !wasAttempted(state.rowStatuses[row] ?? 0);
  }

  /** What halts the job fails the first of the rows, and the rest are dropped. */
  async function settleAll(due: readonly Delivery[], error: unknown): Promise<void> {
    for (const delivery of due) {
      if (haltsJob(error)) await haltAt(delivery, error);
      else settle(delivery, error);
    }
  }

  /** Nobody enqueues a redriven row again, so each of them fails, and keeps its dead letter. */
  async function haltAt(delivery: Delivery, error: Refusal): Promise<void> {
    if ((await halt.because(error)) || isRedriven(delivery.task)) settle(delivery, error);
    else recorder.add(delivery.messageId, { kind: 'dropped', task: delivery.task });
  }

  /** An unforeseen error leaves the message on the queue: our mistake is not recorded as the row's. */
  function settle({ messageId, task }: Delivery, error: unknown): void {
    try {
      const taskResult = taskResultOn(error, task);
      // What it failed of is recorded already.
      recorder.add(
        messageId,
        taskResult.kind === 'outcome' && isInDoubt(task, state) ? { kind: 'done', task } : taskResult,
      );
    } catch (unforeseen) {
      ports.log('task.failed', { job: jobId, line: task.line, ...errorFields(unforeseen) });
    }
  }

  function taskResultOn(error: unknown, task: Task): TaskResult {
    if (error instanceof Withheld && isRedriven(task)) return again(task, nowMs() + HELD_MS);
    const { maxAttempts, consistencySeconds } = ports;
    const predecessor = task.after && settledStatus(state.rowStatuses[task.after.row] ?? 0);
    const isFreed = predecessor?.status === 'changed' || predecessor?.status === 'unchanged';
    const random = ports.chance.random();
    return taskResultOf(error, task, { nowMs: nowMs(), random, maxAttempts, consistencySeconds, isFreed });
  }

  function attempting(writable: readonly Writable[]): JobEvent {
    const rows = writable.map(({ task: { row, line }, plan: { before } }) => ({ row, line, before }));
    return createEvent(jobId, { type: 'attempting', rows }, ports);
  }
}

/** Whether Atlassian refused what it was asked, rather than who asks. */
const isRequestRefused = (error: unknown): boolean =>
  error instanceof Refusal && error.code === 'REQUEST_REFUSED' && !haltsJob(error);
