import { randomUUID } from 'node:crypto';
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type Message,
  type SQSClient,
} from '@aws-sdk/client-sqs';

import { inParallel } from '../shared/in-parallel.ts';

/** A queue to walk; `signal` ends a walk of it between two receives. */
export interface WalkedQueue {
  readonly sqs: SQSClient;
  readonly queueUrl: string;
  readonly signal: AbortSignal;
  /** Of how many messages those that stay are hidden until the walk ends; of more, they go to the end of the queue. */
  readonly mostHeld?: number | undefined;
}

/** Looks at messages, and gives those that are to be deleted. */
export type Visit = (messages: readonly Message[]) => Promise<readonly Message[]>;

/** Far from the 120,000 that SQS lets be in flight. */
const MOST_HELD = 10_000;
/** A receive without messages is the end: a wait makes SQS ask all of its servers. (SQS developer guide, long polling.) */
const WAIT_SECONDS = 1;
/** For how long a message that was received is not received again: longer than a walk that holds them takes. */
const HIDDEN_SECONDS = 600;
/** For so many receives a walk waits for what somebody else has hidden. */
const MOST_EMPTY = 10;
const BATCH = 10;
const BATCH_BYTES = 1_048_576;
const LANES = 8;
/** So many in a row that the walk has met already are the end, and so many more where SQS has counted more than it has met. */
const SEEN_IN_A_ROW = 1_000;
const SEEN_IN_A_ROW_AT_MOST = 3_000;

/** An attribute that names the latest walks that have met a message: two at once must not take turns with it for ever. */
const WALKS = 'walks';
const REMEMBERED_WALKS = 4;
/** Of one message. (SQS developer guide, message metadata.) */
const MOST_ATTRIBUTES = 10;

/**
 * Shows `visit` each message of a queue once. SQS cannot select, so all are received: a few are hidden until the end; of many,
 * those that stay go to the end of the queue as they come, so that none is hidden for longer than that takes. A copy is there
 * before its message is deleted: none is lost. Gives about how many were not met, since somebody else has hidden them.
 */
export async function walkQueue(queue: WalkedQueue, visit: Visit): Promise<number> {
  const { mostHeld = MOST_HELD } = queue;
  const count = await countMessages(queue);
  const ending = new AbortController();
  const signal = AbortSignal.any([queue.signal, ending.signal]);
  const walk: Walk = {
    queue: { ...queue, signal },
    id: randomUUID().slice(0, 8),
    count,
    met: 0,
    seenInARow: 0,
    held: [],
    seen: [],
    mostHeld: count <= mostHeld ? mostHeld : 0,
  };
  try {
    await inParallel(Array.from({ length: LANES }), LANES, () =>
      walkLane(walk, visit).catch((error: unknown) => {
        ending.abort(error);
        throw error;
      }),
    );
    return Math.max(0, walk.count - walk.met);
  } finally {
    await showAll(queue, [...walk.held, ...walk.seen]);
  }
}

const COUNTS = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;

/** About how many messages a queue has, those that somebody else has hidden among them. */
export async function countMessages({ sqs, queueUrl }: Pick<WalkedQueue, 'sqs' | 'queueUrl'>): Promise<number> {
  const { Attributes: attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...COUNTS] }),
  );
  return COUNTS.reduce((sum, name) => sum + Number(attributes?.[name] ?? 0), 0);
}

interface Walk {
  readonly queue: WalkedQueue;
  readonly id: string;
  /** How many messages there are to meet. */
  count: number;
  met: number;
  seenInARow: number;
  /** Shown to others when the walk ends. */
  readonly held: Message[];
  /** Those that it has met before; they have their mark. */
  readonly seen: Message[];
  readonly mostHeld: number;
}

async function walkLane(walk: Walk, visit: Visit): Promise<void> {
  const { queue } = walk;
  for (let empty = 0; !isOver(walk) && empty < MOST_EMPTY;) {
    queue.signal.throwIfAborted();
    const messages = await receive(queue);
    if (messages.length === 0 && (await hasMetAll(walk))) return;
    empty = messages.length === 0 ? empty + 1 : 0;
    // Another walk may wait for these.
    if (empty > 0) await showAll(queue, walk.seen.splice(0));
    if (empty > 0) continue;
    const { seen = [], unseen = [] } = Object.groupBy(messages, (one) => (wasSeen(one, walk) ? 'seen' : 'unseen'));
    walk.seen.push(...seen);
    walk.met += unseen.length;
    walk.seenInARow = unseen.length === 0 ? walk.seenInARow + seen.length : 0;
    const gone = new Set(await visit(unseen));
    await deleteAll(queue, [...gone]);
    await keep(
      unseen.filter((message) => !gone.has(message)),
      walk,
    );
  }
}

const isOver = ({ seenInARow, met, count }: Walk): boolean =>
  seenInARow >= (met >= count ? SEEN_IN_A_ROW : SEEN_IN_A_ROW_AT_MOST);

/** Whether nobody else has any: what is gone since the walk began is not waited for. */
async function hasMetAll(walk: Walk): Promise<boolean> {
  if (walk.met < walk.count && (await countMessages(walk.queue)) <= walk.held.length + walk.seen.length)
    walk.count = walk.met;
  return walk.met >= walk.count;
}

const walksOf = ({ MessageAttributes: attributes }: Message): readonly string[] =>
  attributes?.[WALKS]?.StringValue?.split(' ') ?? [];

const wasSeen = (message: Message, { id }: Walk): boolean => walksOf(message).includes(id);

async function keep(messages: readonly Message[], walk: Walk): Promise<void> {
  const { queue, held, mostHeld } = walk;
  const holds = (message: Message): boolean => held.length < mostHeld || !mayBeMarked(message);
  const moved: Message[] = [];
  for (const message of messages) (holds(message) ? held : moved).push(message);
  for (const batch of sendable(moved)) await sendToEnd(batch, walk);
  await deleteAll(
    queue,
    moved.filter((message) => !held.includes(message)),
  );
}

const mayBeMarked = ({ MessageAttributes: attributes = {} }: Message): boolean =>
  WALKS in attributes || Object.keys(attributes).length < MOST_ATTRIBUTES;

/** What SQS takes in one request; what is too much together goes one by one. */
function sendable(messages: readonly Message[]): readonly (readonly Message[])[] {
  if (messages.length === 0) return [];
  const bytes = Buffer.byteLength(
    JSON.stringify(messages.map(({ Body, MessageAttributes }) => [Body, MessageAttributes])),
  );
  return bytes <= BATCH_BYTES ? [messages] : messages.map((message) => [message]);
}

/** Sends a copy of each message; one that SQS does not take is held. */
async function sendToEnd(messages: readonly Message[], { queue, id, held }: Walk): Promise<void> {
  const Entries = messages.map((message, index) => {
    const group = message.Attributes?.MessageGroupId;
    const walks = [id, ...walksOf(message)].slice(0, REMEMBERED_WALKS).join(' ');
    return {
      Id: String(index),
      MessageBody: message.Body,
      MessageAttributes: { ...message.MessageAttributes, [WALKS]: { DataType: 'String', StringValue: walks } },
      ...(group !== undefined && { MessageGroupId: group }),
    };
  });
  const answer = await queue.sqs.send(new SendMessageBatchCommand({ QueueUrl: queue.queueUrl, Entries }));
  for (const { Id } of answer.Failed ?? []) held.push(...messages.slice(Number(Id), Number(Id) + 1));
}

async function receive({ sqs, queueUrl }: WalkedQueue): Promise<readonly Message[]> {
  const { Messages: messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: BATCH,
      VisibilityTimeout: HIDDEN_SECONDS,
      WaitTimeSeconds: WAIT_SECONDS,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['MessageGroupId'],
    }),
  );
  return messages;
}

async function deleteAll({ sqs, queueUrl }: WalkedQueue, messages: readonly Message[]): Promise<void> {
  for (const Entries of batchesOf(messages)) {
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
  }
}

async function showAll({ sqs, queueUrl }: WalkedQueue, messages: readonly Message[]): Promise<void> {
  await inParallel([...batchesOf(messages)], LANES, async (entries) => {
    const Entries = entries.map((entry) => ({ ...entry, VisibilityTimeout: 0 }));
    await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }));
  });
}

function* batchesOf(messages: readonly Message[]) {
  for (let start = 0; start < messages.length; start += BATCH) {
    const batch = messages.slice(start, start + BATCH);
    yield batch.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
  }
}
