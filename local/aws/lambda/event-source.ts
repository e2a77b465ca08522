import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  type Message,
  type SQSClient,
} from '@aws-sdk/client-sqs';

import type { EventSourceDescription } from '../template/description.ts';
import { createGatherer } from './batch-gatherer.ts';
import { sqsEvent, succeeded } from './sqs-event.ts';

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
      const batch: Promise<void> = process(options, messages)
        .catch(report)
        .finally(() => underWay.delete(batch));
      underWay.add(batch);
    } catch (error) {
      if (signal.aborted) break;
      report(error);
      await pause(PAUSE_AFTER_FAULT_MS, signal);
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

async function process(options: EventSourceOptions, messages: readonly Message[]): Promise<void> {
  const { description, region, invoke } = options;
  const event = sqsEvent(messages, { queueArn: description.queueArn, region });
  // A function that fails deletes nothing: its messages are seen again after the visibility time-out.
  const done = await invoke(event).then(
    (answer) => succeeded(messages, answer, description.partialResponses),
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

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timeout = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timeout), resolve()), { once: true });
  });
