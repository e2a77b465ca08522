import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';

import { ConditionNotMet } from '../../shared/port-errors.ts';
import { isolatedKey } from '../../shared/job/keys.ts';
import { taskSchema, type Task } from '../../shared/job/messages.ts';
import { readMessage, quarantine, type Deadline } from '../../shared/records.ts';
import { applyTasks, type ApplyPorts } from './apply-tasks.ts';
import type { Delivery } from './delivery.ts';
import { createJobViews } from './job-views.ts';
import { createRecorder } from './recorder.ts';
import { hasOutcome } from './task-result-by-state.ts';
import { withoutWrite } from './task-result.ts';

export interface WorkerPorts extends Omit<ApplyPorts, 'views'> {
  /** Where rows go whose batch died again and again. */
  readonly isolationQueueArn: string;
  /** A signal that ends after so long; a simulation's ends in virtual time. */
  readonly timeout?: (ms: number) => AbortSignal;
}

/** Time for recording what a batch came to: a third of a short time-out, and five seconds of a long one. */
const RESERVE_MS = 5_000;

const UNKNOWN_TASK = 'This is no task of a version that the worker knows.';

/** Applies tasks of any jobs, and deletes each message only when what became of its row is in the job's events. */
export function createWorker(ports: WorkerPorts) {
  const { timeout = (ms: number) => AbortSignal.timeout(ms) } = ports;
  const applyPorts = { ...ports, views: createJobViews(ports.results, ports.clock) };

  return async function worker(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
    const deadline = deadlineOf(context);
    const done = new Set<string>();
    const deliveries = await open(event.Records, deadline, done);
    const jobs = Map.groupBy(deliveries, ({ task }) => task.jobId);
    await Promise.all(
      [...jobs].map(async ([jobId, own]) => {
        for (const id of await applyTasks(jobId, own, deadline, applyPorts)) done.add(id);
      }),
    );
    const left = event.Records.filter(({ messageId }) => !done.has(messageId));
    return { batchItemFailures: left.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };

  function deadlineOf(context: Context): Deadline {
    const remainingMs = context.getRemainingTimeInMillis();
    const usableMs = Math.max(0, remainingMs - Math.min(RESERVE_MS, remainingMs / 3));
    const nowMs = ports.clock.now().getTime();
    return { atMs: nowMs + usableMs, signal: timeout(Math.floor(usableMs)), endsAtMs: nowMs + remainingMs };
  }

  /** The tasks that are to be tried; messages that are none, and rows that had their try alone, are done with here. */
  async function open(
    records: readonly SQSRecord[],
    { endsAtMs }: Deadline,
    done: Set<string>,
  ): Promise<readonly Delivery[]> {
    const deliveries: Delivery[] = [];
    for (const record of records) {
      const { messageId } = record;
      const task = readMessage(taskSchema, record.body);
      if (!task) {
        await quarantine(ports.results, record, UNKNOWN_TASK, ports.log);
        done.add(messageId);
      } else if (record.eventSourceARN === ports.isolationQueueArn && !(await mayTryIsolated(task))) {
        if (await isBuried({ messageId, task }, endsAtMs)) done.add(messageId);
      } else deliveries.push({ messageId, task });
    }
    return deliveries;
  }

  /** A row whose batch died gets one try alone. SQS's receive count goes on from the queue before, so the try is written down. */
  async function mayTryIsolated({ jobId, row, generation }: Task): Promise<boolean> {
    try {
      await ports.results.write(isolatedKey(jobId, row, generation), '', { ifNoneMatch: '*' });
      return true;
    } catch (error) {
      if (error instanceof ConditionNotMet) return false;
      throw error;
    }
  }

  async function isBuried({ messageId, task }: Delivery, endsAtMs: number): Promise<boolean> {
    const state = await applyPorts.views.view(task.jobId);
    if (state && hasOutcome(task, state)) return true;
    const countCalls = () => ({ sent: 0, rateLimited: 0, retried: 0 });
    const recorder = createRecorder({ jobId: task.jobId, endsAtMs, countCalls }, ports);
    const message = 'Processing this row crashed its worker, even when it was tried alone.';
    const reason = { status: 'failed', code: 'WORKER_DIED', message } as const;
    recorder.add(messageId, withoutWrite(task, reason, ports.clock.now().getTime()));
    await recorder.finish();
    ports.log('task.buried', { job: task.jobId, line: task.line });
    return recorder.recorded.has(messageId);
  }
}
