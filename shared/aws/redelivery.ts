import { ChangeMessageVisibilityBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';

import { errorFields, type Log } from '../log.ts';

/** How messages that a function gave back are delivered again. */
export interface RedeliveryOptions {
  readonly client: Pick<SQSClient, 'send'>;
  /** Of any queue of the stack: the others differ from it in their names. */
  readonly queueUrl: string;
  /** After so many seconds, by how often the message was received. */
  readonly delaySeconds?: (receives: number) => number;
  readonly log: Log;
}

/** Doubling, to two minutes: what failed for a passing reason is tried again within them, and an hour of failing is 35 receives. */
export const backOff = (receives: number): number => Math.min(120, 2 ** Math.min(receives, 7));

/** For a job's mailbox, which nothing else gets past: a second for a while, and never longer than five. An hour of failing is 800 receives. */
export const backOffBriefly = (receives: number): number => (receives <= 100 ? 1 : 5);

/**
 * A handler of SQS batches whose failed messages come again soon. Their queues hide them for much longer, for functions that die; a
 * message whose time cannot be changed comes again then.
 */
export function withRedelivery<Event, Rest extends readonly unknown[], Answer>(
  handler: (event: Event, ...rest: Rest) => Promise<Answer>,
  options: RedeliveryOptions,
): (event: Event, ...rest: Rest) => Promise<Answer> {
  return async (event, ...rest) => {
    const answer = await handler(event, ...rest);
    const failed = failedOf(event, answer);
    if (failed.length > 0) await deliverSoon(failed, options);
    return answer;
  };
}

function failedOf(event: unknown, answer: unknown): readonly SQSRecord[] {
  if (!hasRecords(event) || !isBatchResponse(answer)) return [];
  const ids = new Set(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
  return event.Records.filter(({ messageId }) => ids.has(messageId));
}

const hasRecords = (event: unknown): event is { readonly Records: readonly SQSRecord[] } =>
  typeof event === 'object' && event !== null && 'Records' in event && Array.isArray(event.Records);

const isBatchResponse = (answer: unknown): answer is SQSBatchResponse =>
  typeof answer === 'object' && answer !== null && 'batchItemFailures' in answer;

/** The most messages of one call. (SQS API reference, ChangeMessageVisibilityBatch.) */
const BATCH_MESSAGES = 10;

async function deliverSoon(failed: readonly SQSRecord[], options: RedeliveryOptions): Promise<void> {
  const { client, queueUrl, delaySeconds = backOff, log } = options;
  const byQueue = Map.groupBy(failed, ({ eventSourceARN }) => eventSourceARN);
  for (const [arn, records] of byQueue) {
    const url = queueUrl.slice(0, queueUrl.lastIndexOf('/') + 1) + arn.slice(arn.lastIndexOf(':') + 1);
    for (let from = 0; from < records.length; from += BATCH_MESSAGES) {
      const entries = records.slice(from, from + BATCH_MESSAGES).map(({ receiptHandle, attributes }, index) => ({
        Id: String(index),
        ReceiptHandle: receiptHandle,
        VisibilityTimeout: delaySeconds(Number(attributes.ApproximateReceiveCount)),
      }));
      try {
        await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries: entries }));
      } catch (error) {
        log('redelivery.late', errorFields(error));
      }
    }
  }
}
