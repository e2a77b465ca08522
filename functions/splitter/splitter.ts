import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';

import type { Job } from '../../shared/job/job.ts';
import { errorFields, type Log } from '../../shared/log.ts';
import type { ManifestLimits } from '../../shared/manifest/refusal.ts';
import type { Operation } from '../../shared/operations/operation.ts';
import type { Chance, Clock, EventsQueue, ObjectStore, Queue, Targets } from '../../shared/ports.ts';
import { deadlineOf, quarantine, type Timeout } from '../../shared/records.ts';
import { enqueue } from './enqueue.ts';
import { type RowPlan, takeIn } from './intake.ts';
import { MessageUnreadable, postTo, readRequest } from './message.ts';
import { validate } from './validate.ts';

export interface SplitterPorts {
  readonly inbox: ObjectStore;
  readonly results: ObjectStore;
  readonly targets: Targets;
  readonly operations: readonly Operation[];
  readonly tasks: Queue;
  readonly eventsQueue: EventsQueue;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly limits: ManifestLimits;
  readonly log: Log;
  readonly timeout?: Timeout;
}

/** Time for sending what is under way and sending the event. */
const RESERVE_MS = 10_000;

/** Makes jobs of uploads and sends the rows that are released; a message has failed unless everything it asks for is done. */
export function createSplitter(given: SplitterPorts) {
  const post = postTo(given);
  const ports = { ...given, post, now: given.clock.now };

  return async function splitter(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
    const { signal } = deadlineOf(context, given, RESERVE_MS);
    const failed: string[] = [];
    for (const record of event.Records) if (!(await isDone(record, signal))) failed.push(record.messageId);
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  };

  async function isDone(record: SQSRecord, signal: AbortSignal): Promise<boolean> {
    try {
      await applyTasks(record.body, signal);
      return true;
    } catch (error) {
      if (error instanceof MessageUnreadable) {
        await quarantine(given.results, record, error.message, given.log);
        return true;
      }
      given.log('splitter.failed', { messageId: record.messageId, ...errorFields(error) });
      return false;
    }
  }

  async function applyTasks(body: string, signal: AbortSignal): Promise<void> {
    const request = readRequest(body);
    if (request.kind === 'enqueue') return enqueue(request, ports, signal);
    const validateNow = (job: Job, plan: RowPlan) => validate(job, plan, ports, signal);
    for (const upload of request.uploads) await takeIn(upload, { ...ports, validation: validateNow });
  }
}
