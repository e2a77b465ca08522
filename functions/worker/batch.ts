import type { CallCount } from '../../shared/atlassian/apis.ts';
import { type Refusal, Withheld } from '../../shared/atlassian/errors.ts';
import { createEvent } from '../../shared/job/events.ts';
import { PENDING, wasAttempted } from '../../shared/job/row-status.ts';
import type { State } from '../../shared/job/state.ts';
import type { JobViews } from '../../shared/job/views.ts';
import { errorFields, type Log } from '../../shared/log.ts';
import type { Operation } from '../../shared/operations/operation.ts';
import type { Deadline } from '../../shared/records.ts';
import type { Recorder, RecorderPorts } from './recorder.ts';
import { haltsJob, type SessionPorts } from '../../shared/operations/session.ts';
import { again, type Delivery, HELD_MS, isInDoubt, isRedriven, type TaskResult, taskResultOf } from './task-result.ts';

export interface BatchPorts extends SessionPorts, RecorderPorts {
  readonly views: JobViews;
  readonly operations: (name: string) => Operation | undefined;
  readonly log: Log;
  readonly maxAttempts: number;
  readonly consistencySeconds: number;
  readonly callsUnderWay: number;
  readonly lastWrites: LastWrites;
}

/** When this process last wrote to each target; epoch milliseconds. */
export type LastWrites = Map<string, number>;

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
  /** What halted the job, met by one of its rows: then no further call begins. */
  halt: Refusal | undefined;
  /** Calls for tasks that had been attempted before. */
  retried: number;
  countSent: () => CallCount;
}

export const nowMs = ({ ports }: Batch): number => ports.clock.now().getTime();

/** Gives a row the task result of an error. An unforeseen one leaves the message on the queue: our mistake is not recorded as the row's. */
export function settle(delivery: Delivery, error: unknown, batch: Batch): void {
  const { messageId, task } = delivery;
  try {
    const taskResult = taskResultOn(error, delivery, batch);
    // What it failed of is recorded already.
    const isKnown = taskResult.kind === 'outcome' && isInDoubt(task, batch.state);
    batch.recorder.add(messageId, isKnown ? { kind: 'done', task } : taskResult);
  } catch (unforeseen) {
    batch.ports.log('task.failed', { job: batch.jobId, line: task.line, ...errorFields(unforeseen) });
  }
}

/**
 * Gives each of the rows the task result of an error. What halts the job drops them: resuming enqueues them again, but for
 * redriven rows, which fail.
 */
export async function settleAll(rows: readonly Delivery[], error: unknown, batch: Batch): Promise<void> {
  if (haltsJob(error)) await halt(error, batch);
  for (const delivery of rows) {
    const { messageId, task } = delivery;
    if (haltsJob(error) && !isRedriven(task)) batch.recorder.add(messageId, { kind: 'dropped', task });
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
function taskResultOn(error: unknown, delivery: Delivery, batch: Batch): TaskResult {
  const { task } = delivery;
  if (error instanceof Withheld && isRedriven(task)) {
    const { halt } = batch.progress;
    return halt ? taskResultOn(halt, delivery, batch) : again(task, nowMs(batch) + HELD_MS);
  }
  const { chance, maxAttempts, consistencySeconds } = batch.ports;
  const random = chance.random();
  const mayHaveBegun = hasBegun(delivery, batch);
  return taskResultOf(error, task, { nowMs: nowMs(batch), random, maxAttempts, consistencySeconds, mayHaveBegun });
}

/** Whether an earlier delivery may have written: a redriven row is marked by the write that it failed of, too. */
const hasBegun = ({ task, isFirst }: Delivery, { state }: Batch): boolean =>
  task.begun === true || (wasAttempted(state.rowStatuses[task.row] ?? PENDING) && (task.generation === 0 || !isFirst));

/** Stops the job: at once for the batch itself, and through an event for everybody else. */
async function halt(reason: Refusal, { jobId, progress, ports }: Batch): Promise<void> {
  if (progress.halt) return;
  progress.halt = reason;
  const { code, message } = reason;
  await ports.eventsQueue.post([createEvent(jobId, { type: 'halted', code, message }, ports)]);
  ports.log('job.halted', { job: jobId, code });
}
