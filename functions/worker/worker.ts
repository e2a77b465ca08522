import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';

import { isolatedKey } from '../../shared/job/keys.ts';
import { type Task, taskSchema } from '../../shared/job/messages.ts';
import { writeOnce } from '../../shared/ports.ts';
import { type Deadline, deadlineOf, quarantine, readMessage, type Timeout } from '../../shared/records.ts';
import { applyTasks } from './apply-tasks.ts';
import { type BatchPorts, createJobViews } from './batch.ts';
import { createRecorder } from './recorder.ts';
import { type Delivery, hasOutcome, withoutWrite } from './task-result.ts';

export interface WorkerPorts extends Omit<BatchPorts, 'views'> {
  /** Where rows go whose batch died again and again. */
  readonly isolationQueueArn: string;
  readonly timeout?: Timeout;
}

/** Time for recording what a batch came to. */
const RESERVE_MS = 5_000;

const UNKNOWN_TASK = 'This is no task of a version that the worker knows.';

/** Applies tasks of any jobs, and deletes each message only when what became of its row is in the job's events. */
export function createWorker(given: WorkerPorts) {
  const ports = { ...given, views: createJobViews(given.results, given.clock) };

  return async function worker(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
    const deadline = deadlineOf(context, ports, RESERVE_MS);
    const done = new Set<string>();
    const deliveries: Delivery[] = [];
    for (const record of event.Records) {
      const task = await openRecord(record, deadline, ports);
      if (task === 'done') done.add(record.messageId);
      else if (task !== 'left') deliveries.push({ messageId: record.messageId, task });
    }
    const jobs = Map.groupBy(deliveries, ({ task }) => task.jobId);
    await Promise.all(
      [...jobs].map(async ([jobId, own]) => {
        for (const id of await applyTasks(jobId, own, deadline, ports)) done.add(id);
      }),
    );
    const left = event.Records.filter(({ messageId }) => !done.has(messageId));
    return { batchItemFailures: left.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };
}

type OpenPorts = BatchPorts & Pick<WorkerPorts, 'isolationQueueArn'>;

/** A record's task; `done` for a message that is none, and for a row that had its try alone, `left` for what stays on the queue. */
async function openRecord(record: SQSRecord, deadline: Deadline, ports: OpenPorts): Promise<Task | 'done' | 'left'> {
  const task = readMessage(taskSchema, record.body);
  if (!task) {
    await quarantine(ports.results, record, UNKNOWN_TASK, ports.log);
    return 'done';
  }
  if (record.eventSourceARN !== ports.isolationQueueArn) return task;
  // A row whose batch died gets one try alone. SQS's receive count goes on from the queue before, so the try is written down.
  if (await writeOnce(ports.results, isolatedKey(task.jobId, task.row, task.generation), '')) return task;
  return (await isBuried({ messageId: record.messageId, task }, deadline, ports)) ? 'done' : 'left';
}

/** Records a row as failed that ended its workers, and says whether that is recorded. */
async function isBuried({ messageId, task }: Delivery, { endsAtMs }: Deadline, ports: OpenPorts): Promise<boolean> {
  const state = await ports.views.view(task.jobId);
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
