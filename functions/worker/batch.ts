import type { CallCount } from '../../shared/atlassian/apis.ts';
import { Withheld, type Refusal } from '../../shared/atlassian/errors.ts';
import { createEvent } from '../../shared/job/events.ts';
import type { Task } from '../../shared/job/messages.ts';
import { settledStatus } from '../../shared/job/row-status.ts';
import type { State } from '../../shared/job/state.ts';
import { errorFields, type Log } from '../../shared/log.ts';
import type { Operation } from '../../shared/operations/operation.ts';
import type { Deadline } from '../../shared/records.ts';
import type { JobViews } from './job-views.ts';
import type { Recorder, RecorderPorts } from './recorder.ts';
import { haltsJob, type SessionPorts } from './session.ts';
import { again, HELD_MS, isInDoubt, isRedriven, taskResultOf, type Delivery, type TaskResult } from './task-result.ts';

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
