import { setTimeout as sleep } from 'node:timers/promises';
import {
  SendMessageBatchCommand,
  type BatchResultErrorEntry,
  type SendMessageBatchRequestEntry,
  type SQSClient,
} from '@aws-sdk/client-sqs';

import { inParallel } from '../in-parallel.ts';
import { type Message, type Queue, QueueRefused } from '../ports.ts';

/** Limits of one SendMessageBatch call: ten messages, 1 MiB together. (SQS developer guide, quotas.) */
const BATCH_MESSAGES = 10;
const BATCH_BYTES = 1_048_576;
/** A hundred messages start together: calls in a wave cost a third less processor time than one call as another ends. */
const BATCHES_UNDER_WAY = 10;
const TRIES = 3;
const PAUSE_MS = 100;

interface SqsQueue {
  readonly client: SQSClient;
  readonly queueUrl: string;
}

interface Sized {
  readonly entry: Omit<SendMessageBatchRequestEntry, 'Id'>;
  readonly bytes: number;
}

/** One SQS queue to send to: ten messages or 1 MiB a call, ten calls under way. */
export function sqsQueue(queue: SqsQueue): Queue {
  return {
    send: async (messages) => {
      const waiting = batches(messages.map((message) => fitting(queue, sized(message))));
      await inParallel(waiting, BATCHES_UNDER_WAY, (batch) => sendBatch(queue, batch));
    },
  };
}

async function sendBatch(queue: SqsQueue, batch: readonly Sized[]): Promise<void> {
  let rest = batch;
  for (let tries = 1; ; tries += 1) {
    const refusals = await sendOnce(queue, rest);
    if (refusals.length === 0) return;
    if (tries === TRIES || refusals.some((refusal) => refusal.SenderFault)) throw refused(queue, refusals);
    const sent = rest;
    rest = refusals.flatMap((refusal) => sent[Number(refusal.Id)] ?? []);
    await sleep(PAUSE_MS * tries);
  }
}

// A batch of which some messages were refused answers 200 all the same.
async function sendOnce(
  { client, queueUrl }: SqsQueue,
  batch: readonly Sized[],
): Promise<readonly BatchResultErrorEntry[]> {
  const entries = batch.map(({ entry }, index) => ({ ...entry, Id: String(index) }));
  const answer = await client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries }));
  return answer.Failed ?? [];
}

function refused(queue: SqsQueue, refusals: readonly BatchResultErrorEntry[]): QueueRefused {
  const reasons = [...new Set(refusals.map(({ Code, Message: text }) => `${Code}: ${text ?? 'no reason given'}`))];
  return new QueueRefused(
    `The queue ${nameOf(queue)} did not accept ${refusals.length} message(s): ${reasons.join('; ')}`,
  );
}

function fitting(queue: SqsQueue, message: Sized): Sized {
  if (message.bytes <= BATCH_BYTES) return message;
  throw new QueueRefused(
    `The queue ${nameOf(queue)} takes messages of at most ${BATCH_BYTES} bytes, and one has ${message.bytes}`,
  );
}

const nameOf = ({ queueUrl }: SqsQueue): string => queueUrl.slice(queueUrl.lastIndexOf('/') + 1);

function batches(messages: readonly Sized[]): Sized[][] {
  const all: Sized[][] = [];
  let batch: Sized[] = [];
  let bytes = 0;
  for (const message of messages) {
    if (batch.length === BATCH_MESSAGES || (batch.length > 0 && bytes + message.bytes > BATCH_BYTES)) {
      all.push(batch);
      [batch, bytes] = [[], 0];
    }
    batch.push(message);
    bytes += message.bytes;
  }
  return batch.length > 0 ? [...all, batch] : all;
}

function sized({ body, groupId, deduplicationId, delaySeconds, attributes = {} }: Message): Sized {
  const text = xmlSafeJson(body);
  // SQS refuses empty attributes.
  const named = Object.entries(attributes).filter(([, value]) => value !== '');
  return {
    entry: {
      MessageBody: text,
      ...(groupId !== undefined && { MessageGroupId: groupId }),
      ...(deduplicationId !== undefined && { MessageDeduplicationId: deduplicationId }),
      ...(delaySeconds !== undefined && { DelaySeconds: delaySeconds }),
      ...(named.length > 0 && {
        MessageAttributes: Object.fromEntries(
          named.map(([name, value]) => [
            name,
            { DataType: 'String', StringValue: value.toWellFormed().replace(UNFIT, '\uFFFD') },
          ]),
        ),
      }),
    },
    bytes:
      Buffer.byteLength(text) + named.flat().reduce((sum, part) => sum + Buffer.byteLength(part) + 'String'.length, 0),
  };
}

// SQS refuses what XML 1.0 cannot hold. JSON escapes all of that by itself but U+FFFE and U+FFFF.
const xmlSafeJson = (body: unknown): string =>
  JSON.stringify(body).replace(/[\uFFFE\uFFFF]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`);

// Control characters carry nothing in an attribute, and SQS refuses most of them.
const UNFIT = /[\p{Cc}\uFFFE\uFFFF]/gu;
