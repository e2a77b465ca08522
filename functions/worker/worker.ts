import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';

import { isolatedKey } from '../../shared/job/keys.ts';
import { type Task, taskSchema } from '../../shared/job/messages.ts';
import { createJobViews } from '../../shared/job/views.ts';
import { type ObjectStore, writeOnce } from '../../shared/ports.ts';
import { deadlineOf, quarantine, readMessage, type Timeout } from '../../shared/records.ts';
import { applyTasks } from './apply-tasks.ts';
import type { BatchPorts } from './batch.ts';
import { createRecorder, NO_CALLS } from './recorder.ts';
import { buried, type Delivery, hasOutcome } from './task-result.ts';

export interface WorkerPorts extends Omit<BatchPorts, 'views' | 'lastWrites'> {
  readonly results: ObjectStore;
  /** Where rows go whose batch died again and again. */
  readonly isolationQueueArn: string;
  readonly timeout?: Timeout;
}

/** Time for recording what a batch came to. */
const RESERVE_MS = 5_000;

const UNKNOWN_TASK = 'This is no task of a version that the worker knows.';

/** Applies tasks of any jobs, and deletes each message only when what became of its row is in the job's events. */
export function createWorker(given: WorkerPorts) {
  const ports = { ...given, views: createJobViews(given.results, given.clock), lastWrites: new Map() };

  return async function worker(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
    const deadline = deadlineOf(context, ports, RESERVE_MS);
    const done = new Set<string>();
    const deliveries: Delivery[] = [];
    for (const record of event.Records) {
      const task = await openRecord(record, ports);
      if (task === 'done') done.add(record.messageId);
      else if (task !== 'left') deliveries.push(deliveryOf(record, task));
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

const deliveryOf = ({ messageId, attributes }: SQSRecord, task: Task): Delivery => ({
  messageId,
  task,
  isFirst: attributes.ApproximateReceiveCount === '1',
});

type OpenPorts = BatchPorts & Pick<WorkerPorts, 'results' | 'isolationQueueArn'>;

/** A record's task; `done` for a message that is none, and for a row that had its try alone, `left` for what stays on the queue. */
async function openRecord(record: SQSRecord, ports: OpenPorts): Promise<Task | 'done' | 'left'> {
  const task = readMessage(taskSchema, record.body);
  if (!task) {
    await quarantine(ports.results, record, UNKNOWN_TASK, ports.log);
    return 'done';
  }
  if (record.eventSourceARN !== ports.isolationQueueArn) return task;
  // A row whose batch died gets one try alone. SQS's receive count goes on from the queue before, so the try is written down.
  if (await writeOnce(ports.results, isolatedKey(task.jobId, task.row, task.generation), '')) return task;
  return (await isBuried(record.messageId, task, ports)) ? 'done' : 'left';
}

/** Records a row as failed that ended its workers, and says whether that is recorded. */
async function isBuried(messageId: string, task: Task, ports: OpenPorts): Promise<boolean> {
  const state = await ports.views.view(task.jobId);
  if (state && hasOutcome(task, state)) return true;
  const recorder = createRecorder({ jobId: task.jobId, countCalls: () => NO_CALLS }, ports);
  recorder.add(messageId, buried(task, ports.clock.now().getTime()));
  await recorder.finish();
  ports.log('task.buried', { job: task.jobId, line: task.line });
  return recorder.recorded.has(messageId);
}
