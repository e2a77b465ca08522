import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  type Message,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSEvent, SQSRecord } from 'aws-lambda';

import type { EventSourceDescription } from '../template/description.ts';
import { createGatherer } from './batch-gatherer.ts';

/** The longest long poll, in seconds, and the largest batch call. Source: Amazon SQS API reference. */
const LONGEST_POLL_SECONDS = 20;
const BATCH_CALL_LIMIT = 10;
/** What Lambda begins with when a mapping names no maximum. Source: Lambda developer guide, "Scaling behavior". */
const DEFAULT_CONCURRENCY = 5;
const PAUSE_AFTER_FAULT_MS = 1_000;

export interface EventSourceOptions {
  readonly description: EventSourceDescription;
  readonly queueUrl: string;
  readonly region: string;
  /** With the credentials of the function's role, as on AWS. */
  readonly sqs: SQSClient;
  readonly invoke: (event: unknown) => Promise<unknown>;
  /** A fault of the poller itself; a function's own failures are in its log. */
  readonly report: (error: unknown) => void;
}

/** A running event source mapping: it polls a queue and hands a function its messages, until it is stopped. */
export interface EventSource {
  /** Begins no batch any more; resolves when those under way are done. */
  readonly stop: () => Promise<void>;
}

export function startEventSource(options: EventSourceOptions): EventSource {
  const stopping = new AbortController();
  const polling = poll(options, stopping.signal);
  return {
    stop: async () => {
      stopping.abort();
      await polling;
      options.sqs.destroy();
    },
  };
}

async function poll(options: EventSourceOptions, signal: AbortSignal): Promise<void> {
  const { description, report } = options;
  const { batchSize, windowSeconds, maxConcurrency = DEFAULT_CONCURRENCY } = description;
  const gatherer = createGatherer({
    batchSize,
    windowMs: windowSeconds * 1000,
    receive: (limit, abort) => receive(options, limit, abort),
  });
  const underWay = new Set<Promise<void>>();
  await checkQueue(options).catch(report);

  while (!signal.aborted) {
    try {
      if (underWay.size >= maxConcurrency) await Promise.race(underWay);
      const messages = await gatherer.next(signal);
      if (messages.length === 0) continue;
      const batch: Promise<void> = runBatch(options, messages)
        .catch(report)
        .finally(() => underWay.delete(batch));
      underWay.add(batch);
    } catch (error) {
      if (signal.aborted) break;
      report(error);
      await sleep(PAUSE_AFTER_FAULT_MS, undefined, { signal }).catch(() => undefined); // the loop asks whether to stop
    }
  }
  await Promise.all(underWay);
}

/** Lambda, too, looks at the queue with the function's role before it polls. */
async function checkQueue({ sqs, queueUrl }: EventSourceOptions): Promise<void> {
  await sqs.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['VisibilityTimeout'] }));
}

async function receive(
  { sqs, queueUrl }: EventSourceOptions,
  limit: number,
  abortSignal: AbortSignal,
): Promise<readonly Message[]> {
  const answer = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: limit,
      WaitTimeSeconds: LONGEST_POLL_SECONDS,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['All'],
    }),
    { abortSignal },
  );
  return answer.Messages ?? [];
}

async function runBatch(options: EventSourceOptions, messages: readonly Message[]): Promise<void> {
  const { description, region, invoke } = options;
  const event = createEvent(messages, { queueArn: description.queueArn, region });
  // Of a function that fails none is deleted: its messages come again after the visibility time-out.
  const done = await invoke(event).then(
    (answer) => selectDone(messages, answer, description.partialResponses),
    () => [],
  );
  await deleteAll(options, done);
}

async function deleteAll({ sqs, queueUrl }: EventSourceOptions, messages: readonly Message[]): Promise<void> {
  const calls = [];
  for (let start = 0; start < messages.length; start += BATCH_CALL_LIMIT) {
    const entries = messages
      .slice(start, start + BATCH_CALL_LIMIT)
      .map((message, index) => ({ Id: String(index), ReceiptHandle: message.ReceiptHandle }));
    calls.push(sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries })));
  }
  await Promise.all(calls);
}

interface Source {
  readonly queueArn: string;
  readonly region: string;
}

/** The event that Lambda makes of messages. Source: Lambda developer guide, "Using Lambda with Amazon SQS". */
export const createEvent = (messages: readonly Message[], source: Source): SQSEvent => ({
  Records: messages.map((message) => createRecord(message, source)),
});

function createRecord(message: Message, { queueArn, region }: Source): SQSRecord {
  const attributes = Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [
    name,
    {
      stringValue: value.StringValue,
      binaryValue: value.BinaryValue && Buffer.from(value.BinaryValue).toString('base64'),
      stringListValues: [],
      binaryListValues: [],
      dataType: value.DataType ?? 'String',
    },
  ]);
  return {
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    attributes: message.Attributes as SQSRecord['attributes'], // all of them are asked for
    messageAttributes: Object.fromEntries(attributes) as SQSRecord['messageAttributes'], // made above
    md5OfBody: message.MD5OfBody ?? '',
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: region,
  };
}

/**
 * The messages that are done by a function's answer, and deleted: all but those that it names. When the answer is not understood,
 * or names a message that was not in the batch, none is. Source: Lambda developer guide, "Reporting batch item failures".
 */
export function selectDone(
  messages: readonly Message[],
  answer: unknown,
  partialResponses: boolean,
): readonly Message[] {
  if (!partialResponses || answer === null || answer === undefined) return messages;
  const failures = typeof answer === 'object' && 'batchItemFailures' in answer ? answer.batchItemFailures : [];
  if (failures === null) return messages;
  if (!Array.isArray(failures)) return [];

  const ids = new Set(messages.map((message) => message.MessageId));
  const failed = new Set(failures.map((failure: unknown) => identifierOf(failure)));
  return [...failed].every((id) => ids.has(id)) ? messages.filter((message) => !failed.has(message.MessageId)) : [];
}

const identifierOf = (failure: unknown): string | undefined =>
  typeof failure === 'object' && failure !== null && 'itemIdentifier' in failure
    ? String(failure.itemIdentifier)
    : undefined;
