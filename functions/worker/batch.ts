import type { CallCount } from '../../shared/atlassian/apis.ts';
import { type Refusal, Withheld } from '../../shared/atlassian/errors.ts';
import { createEvent } from '../../shared/job/events.ts';
import type { Task } from '../../shared/job/messages.ts';
import { settledStatus } from '../../shared/job/row-status.ts';
import { createStateStore, type State } from '../../shared/job/state.ts';
import { errorFields, type Log } from '../../shared/log.ts';
import type { Operation } from '../../shared/operations/operation.ts';
import type { Deadline } from '../../shared/records.ts';
import type { Recorder, RecorderPorts } from './recorder.ts';
import { haltsJob, type SessionPorts } from './session.ts';
import { again, type Delivery, HELD_MS, isInDoubt, isRedriven, type TaskResult, taskResultOf } from './task-result.ts';
import { RollcallError } from '../../shared/errors.ts';
import type { Clock, ObjectStore } from '../../shared/ports.ts';

export interface BatchPorts extends SessionPorts, RecorderPorts {
  readonly views: JobViews;
  readonly operations: (name: string) => Operation | undefined;
  readonly log: Log;
  readonly maxAttempts: number;
  readonly consistencySeconds: number;
  readonly callsUnderWay: number;
}

/** Tasks of one job that are applied together. */
export interface Batch {
  readonly jobId: string;
  /** The job as it stood when the batch began. */
  readonly state: State;
  readonly deadline: Deadline;
  readonly recorder: Recorder;
  readonly progress: Progress;
  readonly ports: BatchPorts;
}

/** What a batch has come to so far. */
export interface Progress {
  /** Whether one of its rows has halted the job: then no further call begins. */
  halted: boolean;
  /** Calls for tasks that had been attempted before. */
  retried: number;
  countSent: () => CallCount;
}

export const nowMs = ({ ports }: Batch): number => ports.clock.now().getTime();

/** Gives a row the task result of an error. An unforeseen one leaves the message on the queue: our mistake is not recorded as the row's. */
export function settle({ messageId, task }: Delivery, error: unknown, batch: Batch): void {
  try {
    const taskResult = taskResultOn(error, task, batch);
    // What it failed of is recorded already.
    const isKnown = taskResult.kind === 'outcome' && isInDoubt(task, batch.state);
    batch.recorder.add(messageId, isKnown ? { kind: 'done', task } : taskResult);
  } catch (unforeseen) {
    batch.ports.log('task.failed', { job: batch.jobId, line: task.line, ...errorFields(unforeseen) });
  }
}

/** Gives each of the rows the task result of an error. What halts the job fails the first of them, and the rest are dropped. */
export async function settleAll(rows: readonly Delivery[], error: unknown, batch: Batch): Promise<void> {
  for (const delivery of rows) {
    if (haltsJob(error)) await haltAt(delivery, error, batch);
    else settle(delivery, error, batch);
  }
}

/** Runs what concerns all of the rows: what it throws gives each of them its task result. */
export async function runFor<Value>(
  rows: readonly Delivery[],
  run: () => Promise<Value>,
  batch: Batch,
): Promise<Value | undefined> {
  try {
    return await run();
  } catch (error) {
    await settleAll(rows, error, batch);
    return undefined;
  }
}

/** The task result of an error in a job as it stands. An unforeseen error is thrown on. */
export function taskResultOn(error: unknown, task: Task, batch: Batch): TaskResult {
  if (error instanceof Withheld && isRedriven(task)) return again(task, nowMs(batch) + HELD_MS);
  const { chance, maxAttempts, consistencySeconds } = batch.ports;
  const predecessor = task.after && settledStatus(batch.state.rowStatuses[task.after.row] ?? 0);
  const isFreed = predecessor?.status === 'changed' || predecessor?.status === 'unchanged';
  const random = chance.random();
  return taskResultOf(error, task, { nowMs: nowMs(batch), random, maxAttempts, consistencySeconds, isFreed });
}

/** Nobody enqueues a redriven row again, so each of them fails, and keeps its dead letter. */
async function haltAt(delivery: Delivery, error: Refusal, batch: Batch): Promise<void> {
  const isReason = !batch.progress.halted;
  if (isReason) await haltJob(error, batch);
  if (isReason || isRedriven(delivery.task)) settle(delivery, error, batch);
  else batch.recorder.add(delivery.messageId, { kind: 'dropped', task: delivery.task });
}

/** Stops the job: at once for the batch itself, and through an event for everybody else. */
async function haltJob({ code, message }: Refusal, { jobId, progress, ports }: Batch): Promise<void> {
  progress.halted = true;
  await ports.eventsQueue.post([createEvent(jobId, { type: 'halted', code, message }, ports)]);
  ports.log('job.halted', { job: jobId, code });
}

/** The store takes longer to show a job's state than a state may be old; the rows stay on the queue. */
export class StateTooSlow extends RollcallError {
  readonly code = 'STATE_TOO_SLOW';
  readonly temporary = true;
}

/** Jobs' states as a worker sees them: never older than a second, so that a stop takes hold within one. */
export interface JobViews {
  /** Throws StateTooSlow. */
  readonly view: (jobId: string) => Promise<State | undefined>;
}

/** Less than a second by the time that a read may take. */
const VIEW_MS = 800;
const OLDEST_MS = 1_000;
const READS = 3;
const KEPT_STATES = 50;

/** What a view shows is as old as the beginning of its read, whenever the answer comes. */
interface Reading {
  readonly beganMs: number;
  readonly state: Promise<State | undefined>;
}

export function createJobViews(results: ObjectStore, clock: Clock): JobViews {
  const states = createStateStore(results, KEPT_STATES);
  const readings = new Map<string, Reading>();
  const nowMs = (): number => clock.now().getTime();

  /** The reading that is young enough, made by whoever asked first, or a new one. */
  function latest(jobId: string): Reading {
    const beganMs = nowMs();
    for (const [id, reading] of readings) if (beganMs - reading.beganMs >= VIEW_MS) readings.delete(id);
    const known = readings.get(jobId);
    if (known) return known;
    const reading = { beganMs, state: states.load(jobId).then((stored) => stored?.state) };
    readings.set(jobId, reading);
    reading.state.catch(() => readings.delete(jobId)); // whoever asked gets the error; the next one reads again
    return reading;
  }

  return {
    view: async (jobId) => {
      for (let reads = 1; reads <= READS; reads += 1) {
        const reading = latest(jobId);
        const state = await reading.state;
        if (nowMs() - reading.beganMs < OLDEST_MS) return state;
      }
      throw new StateTooSlow(`The state of job ${jobId} took more than ${OLDEST_MS} ms to read, ${READS} times`);
    },
  };
}
