import { once, type EventEmitter } from 'node:events';

import { ServiceRefusal } from '../service-refusal.ts';
import { readInput, required, type Input } from './input.ts';
import type { MessageDatabase } from './message-database.ts';
import { acceptMessage, messageBytes, readHandle, receivedMessage, sentAnswer } from './message.ts';
import { cancelMove, listMoves, sourcesOf, startMove, type MoveTask } from './move-tasks.ts';
import { nameIn, refused, type Queue } from './queue.ts';
import * as stored from './stored-messages.ts';

/** What the operations work on. */
export interface Sqs {
  readonly database: MessageDatabase;
  readonly queues: ReadonlyMap<string, Queue>;
  /** Newest first. */
  readonly moveTasks: MoveTask[];
  /** Makes a queue, or gives it other attributes; throws ServiceRefusal. */
  readonly setQueue: (name: string, attributes: Queue['attributes']) => void;
  /** Emits the name of a queue after something has happened in it. */
  readonly changes: EventEmitter;
}

/** Gives the fields of the answer; throws ServiceRefusal. The signal says that nobody waits for it any more. */
type Operation = (sqs: Sqs, input: Input, gone: AbortSignal) => object | Promise<object>;
type QueueOperation = (sqs: Sqs, queue: Queue, input: Input) => object | void;

const single =
  (run: QueueOperation): Operation =>
  (sqs, input) =>
    sqs.database.transact(() => run(sqs, queueAt(sqs, input), input)) ?? {};

/** Source: Amazon SQS API reference. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  SendMessage: single(send),
  SendMessageBatch: single(batch(send)),
  ReceiveMessage: receive,
  DeleteMessage: single(remove),
  DeleteMessageBatch: single(batch(remove)),
  ChangeMessageVisibility: single(hide),
  ChangeMessageVisibilityBatch: single(batch(hide)),
  PurgeQueue: single(({ database }, queue) => stored.purgeMessages(database, queue)),
  GetQueueUrl: (sqs, input) => ({ QueueUrl: queueAt(sqs, { QueueUrl: required(input, 'QueueName') }).url }),
  ListQueues: ({ queues }, { QueueNamePrefix: prefix = '' }) => ({
    QueueUrls: [...queues.values()].filter(({ name }) => name.startsWith(prefix)).map(({ url }) => url),
  }),
  ListDeadLetterSourceQueues: single(({ queues }, queue) => ({
    queueUrls: sourcesOf(queues, queue).map(({ url }) => url),
  })),
  GetQueueAttributes: single(attributesOf),
  SetQueueAttributes: single(({ setQueue }, { name, attributes }, input) =>
    setQueue(name, { ...attributes, ...required(input, 'Attributes') }),
  ),
  StartMessageMoveTask: startMove,
  ListMessageMoveTasks: listMoves,
  CancelMessageMoveTask: cancelMove,
};

const BATCH_MESSAGES = 10;
const BATCH_BYTES = 1_048_576;

/** Does with each entry of a request what is done with one message, or says why not. */
function batch(run: QueueOperation): QueueOperation {
  return (sqs, queue, input) => {
    const entries = required(input, 'Entries');
    checkEntries(entries);
    const Successful: object[] = [];
    const Failed: object[] = [];
    let bytes = 0;
    for (const { Id, ...entry } of entries) {
      try {
        const message = readInput(entry);
        bytes += messageBytes(message);
        Successful.push({ Id, ...run(sqs, queue, message) });
      } catch (error) {
        if (!(error instanceof ServiceRefusal)) throw error;
        Failed.push({ Id, SenderFault: true, Code: error.code, Message: error.message });
      }
    }
    // Thrown out of the transaction: then none is stored.
    if (bytes > BATCH_BYTES)
      throw refused('BatchRequestTooLong', `A batch has at most ${BATCH_BYTES} bytes. You have sent ${bytes} bytes.`);
    return { Successful, Failed };
  };
}

function checkEntries(entries: NonNullable<Input['Entries']>): void {
  if (entries.length === 0) throw refused('EmptyBatchRequest', 'There should be at least one entry in the request.');
  if (entries.length > BATCH_MESSAGES)
    throw refused('TooManyEntriesInBatchRequest', `A batch has at most ${BATCH_MESSAGES} entries.`);
  if (new Set(entries.map(({ Id }) => Id)).size < entries.length)
    throw refused('BatchEntryIdsNotDistinct', 'Two or more batch entries in the request have the same Id.');
}

function send({ database }: Sqs, queue: Queue, input: Input): object {
  const message = acceptMessage(input, queue);
  return sentAnswer({ ...message, ...stored.storeMessage(database, queue, message) });
}

function remove({ database }: Sqs, queue: Queue, input: Input): void {
  stored.deleteMessage(database, queue, readHandle(input));
}

function hide({ database }: Sqs, queue: Queue, input: Input): void {
  stored.hideMessage(database, queue, readHandle(input), required(input, 'VisibilityTimeout') * 1_000);
}

async function receive(sqs: Sqs, input: Input, gone: AbortSignal): Promise<object> {
  const { database, changes } = sqs;
  const queue = queueAt(sqs, input);
  const { MaxNumberOfMessages: most = 1, VisibilityTimeout: hidden = queue.settings.VisibilityTimeout } = input;
  const { WaitTimeSeconds: wait = queue.settings.ReceiveMessageWaitTimeSeconds } = input;
  const endMs = database.nowMs() + wait * 1_000;
  while (!gone.aborted) {
    const messages = database.transact(() => stored.takeMessages(database, queue, { most, hiddenMs: hidden * 1_000 }));
    if (messages.length > 0) return { Messages: messages.map((message) => receivedMessage(message, queue, input)) };
    if (endMs <= database.nowMs()) break;
    const nextMs = Math.min(endMs, stored.nextVisibleMs(database, queue)) - database.nowMs();
    const over = AbortSignal.any([gone, AbortSignal.timeout(Math.max(1, nextMs))]);
    await once(changes, queue.name, { signal: over }).catch(() => undefined);
  }
  return {};
}

function attributesOf({ database }: Sqs, queue: Queue, { AttributeNames: names = [] }: Input): object {
  const counts = stored.countMessages(database, queue);
  const all = {
    ...queue.attributes,
    QueueArn: queue.arn,
    ApproximateNumberOfMessages: String(counts.visible),
    ApproximateNumberOfMessagesNotVisible: String(counts.inFlight),
    ApproximateNumberOfMessagesDelayed: String(counts.delayed),
  };
  const wanted = Object.entries(all).filter(([name]) => names.includes('All') || names.includes(name));
  return { Attributes: Object.fromEntries(wanted) };
}

/** The queue of a URL, whatever its host; throws ServiceRefusal. */
function queueAt({ queues }: Sqs, input: Input): Queue {
  const queue = queues.get(nameIn(required(input, 'QueueUrl')));
  if (queue) return queue;
  throw refused('QueueDoesNotExist', 'The specified queue does not exist.');
}
