import type { Calls, JournalEvent } from '../../shared/job/journal.ts';
import { isSettled } from '../../shared/job/fates.ts';
import type { State } from '../../shared/job/state.ts';
import type { Task } from '../../shared/job/task.ts';
import { errorFields, type Log } from '../../shared/log.ts';
import type { Operation } from '../../shared/operations/operation.ts';
import { conflictsIn, type Seen } from './conflicts.ts';
import type { JobViews } from './job-views.ts';
import { createRecorder, type RecorderPorts } from './recorder.ts';
import {
  isUnauthorized,
  openSession,
  TargetUnusable,
  withholdUnless,
  type Session,
  type SessionPorts,
} from './session.ts';
import { standingOf } from './standing.ts';
import { again, success, verdictOf, type Verdict } from './verdict.ts';

export interface CarryOutPorts extends SessionPorts, RecorderPorts {
  readonly views: JobViews;
  readonly operations: (name: string) => Operation | undefined;
  readonly log: Log;
  readonly maxAttempts: number;
  readonly consistencySeconds: number;
  readonly callsUnderWay: number;
}

/** A task with the message that brought it. */
export interface Delivery {
  readonly messageId: string;
  readonly task: Task;
}

export interface Deadline {
  /** Epoch milliseconds after which no call may begin. */
  readonly atMs: number;
  /** Aborts the calls that are under way then. */
  readonly signal: AbortSignal;
}

const HELD_SECONDS = 60;

/** Carries out the tasks of one job, and gives the ids of the messages that may be let go. */
export async function carryOut(
  jobId: string,
  deliveries: readonly Delivery[],
  deadline: Deadline,
  ports: CarryOutPorts,
): Promise<ReadonlySet<string>> {
  const batch = createBatch(jobId, deadline, ports);
  try {
    const state = await ports.views.view(jobId);
    if (!state) throw new Error('a task of a job that has no state'); // its state may be late; if not, the row ends alone
    await batch.run(state, deliveries);
    await batch.recorder.finish();
  } catch (error) {
    // Whatever is not recorded by now stays on the queue.
    ports.log('batch.failed', { job: jobId, ...errorFields(error) });
  }
  return batch.recorder.recorded;
}

function createBatch(jobId: string, deadline: Deadline, ports: CarryOutPorts) {
  let session: Session | undefined;
  let retried = 0;
  let halted = false;

  const nowMs = (): number => ports.clock.now().getTime();
  const countCalls = (): Calls => ({ ...(session?.calls() ?? { sent: 0, rateLimited: 0 }), retried });
  const recorder = createRecorder(jobId, countCalls, ports);

  return { recorder, run };

  async function run(state: State, deliveries: readonly Delivery[]): Promise<void> {
    const due = deliveries.filter((delivery) => isDue(delivery, state));
    const [first] = due;
    if (!first) return;
    try {
      session = await openSessionFor(first.task, state);
      await writeAll(await lookAt(due, session), state);
    } catch (error) {
      await settleAll(due, error, state);
    }
  }

  /** Whether the task is to be carried out; records what else is to become of it. */
  function isDue({ messageId, task }: Delivery, state: State): boolean {
    const standing = standingOf(task, state);
    switch (standing) {
      case 'due':
        return true;
      case 'done':
        recorder.add(messageId, { kind: 'done', task });
        return false;
      case 'stopped':
        recorder.add(messageId, { kind: 'dropped', task });
        return false;
      case 'held':
        recorder.add(messageId, again(task, HELD_SECONDS));
        return false;
      default:
        return standing satisfies never;
    }
  }

  async function openSessionFor(task: Task, { state: stateThen }: State): Promise<Session> {
    const operation = ports.operations(task.operation);
    if (!operation) throw new TargetUnusable('REQUEST_REFUSED', `There is no operation ${task.operation} any more.`);
    const gate = async (): Promise<void> => {
      const state = await ports.views.view(jobId);
      // Rows put up again by hand belong to jobs that have ended: there it is a change of the state that withholds.
      withholdUnless(!halted && state !== undefined && (state.state === 'running' || state.state === stateThen));
    };
    return openSession(ports, { targetName: task.target, operation, deadlineMs: deadline.atMs, gate });
  }

  async function lookAt(due: readonly Delivery[], { look }: Session): Promise<readonly Seen[]> {
    const sights = await look(
      due.map(({ task }) => task.cells),
      deadline.signal,
    );
    return due.map(({ messageId, task }, index) => {
      const sight = sights[index];
      if (!sight) throw new Error(`${sights.length} sights for ${due.length} rows`);
      return { messageId, task, sight };
    });
  }

  async function writeAll(seen: readonly Seen[], state: State): Promise<void> {
    const conflicts = conflictsIn(seen, nowMs());
    const writes: (Seen & { readonly sight: { readonly kind: 'ready' } })[] = [];
    for (const one of seen) {
      const { messageId, task, sight } = one;
      const conflict = conflicts.get(messageId);
      if (conflict) recorder.add(messageId, conflict);
      else if (sight.kind === 'fulfilled') {
        recorder.add(messageId, success(task, { status: 'unchanged', message: sight.message }, nowMs()));
      } else if (sight.kind === 'refused') recorder.add(messageId, verdict(sight.refusal, task, state));
      else if (sight.kind === 'unseen') recorder.add(messageId, verdict(sight.error, task, state));
      else writes.push({ ...one, sight });
    }
    if (writes.length === 0) return;
    await ports.journal.post([attempting(writes)]);
    await inParallel(writes, ports.callsUnderWay, (one) => write(one, state));
  }

  async function write({ messageId, task, sight }: Seen, state: State): Promise<void> {
    if (sight.kind !== 'ready') return;
    if (task.attempts > 0) retried += 1;
    try {
      recorder.add(messageId, success(task, await sight.write(deadline.signal), nowMs()));
    } catch (error) {
      if (isUnauthorized(error) && (await secretHasChanged(task))) recorder.add(messageId, again(task, 1));
      else if (isUnauthorized(error)) await halt(error, { messageId, task }, state);
      else settle({ messageId, task }, error, state);
    }
  }

  /** What looking at all of them threw concerns all of them. */
  async function settleAll(due: readonly Delivery[], error: unknown, state: State): Promise<void> {
    const [first, ...others] = due;
    if (!first || !(isUnauthorized(error) || error instanceof TargetUnusable)) {
      for (const delivery of due) settle(delivery, error, state);
      return;
    }
    await halt(error, first, state);
    for (const { messageId, task } of others) recorder.add(messageId, { kind: 'dropped', task });
  }

  /** The one row that met the refusal fails; whatever has not begun is withheld from now on. */
  async function halt(error: unknown, { messageId, task }: Delivery, state: State): Promise<void> {
    const first = !halted;
    halted = true;
    if (!first) {
      recorder.add(messageId, { kind: 'dropped', task });
      return;
    }
    recorder.add(messageId, verdict(error, task, state));
    const message = error instanceof Error ? error.message : 'The target cannot be used.';
    await ports.journal.post([{ ...header(), type: 'halted', code: 'UNAUTHORIZED', message }]);
    ports.log('job.halted', { job: jobId, code: 'UNAUTHORIZED' });
  }

  async function secretHasChanged(task: Task): Promise<boolean> {
    const before = await ports.targets.find(task.target);
    const fresh = await ports.targets.find(task.target, { fresh: true });
    return JSON.stringify(before) !== JSON.stringify(fresh);
  }

  /** An unforeseen error leaves the message on the queue: our mistake is not recorded as the row's. */
  function settle({ messageId, task }: Delivery, error: unknown, state: State): void {
    try {
      recorder.add(messageId, verdict(error, task, state));
    } catch (unforeseen) {
      ports.log('task.failed', { job: jobId, line: task.line, ...errorFields(unforeseen) });
    }
  }

  function verdict(error: unknown, task: Task, state: State): Verdict {
    const precededByOpenRow = task.after !== undefined && !isSettled(state.fates[task.after.row] ?? 0);
    const { maxAttempts, consistencySeconds } = ports;
    const context = {
      nowMs: nowMs(),
      random: ports.chance.random(),
      maxAttempts,
      consistencySeconds,
      precededByOpenRow,
    };
    return verdictOf(error, task, context);
  }

  function attempting(writes: readonly Seen[]): JournalEvent {
    const rows = writes.map(({ task, sight }) => ({
      row: task.row,
      line: task.line,
      before: sight.kind === 'ready' ? sight.before : undefined,
    }));
    return { ...header(), type: 'attempting', rows };
  }

  function header() {
    return { version: 1, id: ports.chance.uuid(), jobId, at: ports.clock.now().toISOString() } as const;
  }
}

/** Runs over all items, at most `limit` at a time; rejects when one of them does, after the others have ended. */
async function inParallel<Item>(
  items: readonly Item[],
  limit: number,
  run: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const lane = async (): Promise<void> => {
    for (const item of queue) await run(item);
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, lane));
  for (const ended of lanes) if (ended.status === 'rejected') throw ended.reason;
}
