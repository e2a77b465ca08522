import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import * as z from 'zod';

import { enqueueRequestSchema, validateRequestSchema } from '../../shared/job/messages.ts';
import { postTo } from '../../shared/job/post.ts';
import { errorFields, type Log } from '../../shared/log.ts';
import type { ManifestLimits } from '../../shared/manifest/refusal.ts';
import type { Operation } from '../../shared/operations/operation.ts';
import type { Chance, Clock, EventsQueue, ObjectStore, Queue } from '../../shared/ports.ts';
import { deadlineOf, quarantine, readMessage, type Timeout } from '../../shared/records.ts';
import { enqueue } from './enqueue.ts';
import { validate } from './validate.ts';

export interface SplitterPorts {
  readonly inbox: ObjectStore;
  readonly results: ObjectStore;
  readonly operations: readonly Operation[];
  readonly tasks: Queue;
  readonly eventsQueue: EventsQueue;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly limits: ManifestLimits;
  /** The most rows of a row chunk, where that is not the usual number. */
  readonly chunkRows?: number | undefined;
  readonly log: Log;
  readonly timeout?: Timeout;
}

/** Time for sending what is under way and sending the event. */
const RESERVE_MS = 10_000;

const requestSchema = z.discriminatedUnion('kind', [validateRequestSchema, enqueueRequestSchema]);

const UNKNOWN_REQUEST = 'This is no request of a version that the splitter knows.';

/** Validates manifests and sends the changes that are released; a message has failed unless everything it asks for is done. */
export function createSplitter(given: SplitterPorts) {
  const ports = { ...given, post: postTo(given), now: given.clock.now };

  return async function splitter(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
    const { signal } = deadlineOf(context, given, RESERVE_MS);
    const failed: string[] = [];
    for (const record of event.Records) if (!(await isDone(record, signal))) failed.push(record.messageId);
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  };

  async function isDone(record: SQSRecord, signal: AbortSignal): Promise<boolean> {
    const request = readMessage(requestSchema, record.body);
    try {
      if (!request) await quarantine(given.results, record, UNKNOWN_REQUEST, given.log);
      else if (request.kind === 'enqueue') await enqueue(request, ports, signal);
      else await validate(request, ports, signal);
      return true;
    } catch (error) {
      given.log('splitter.failed', { messageId: record.messageId, ...errorFields(error) });
      return false;
    }
  }
}
