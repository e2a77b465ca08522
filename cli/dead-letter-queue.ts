import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ListDeadLetterSourceQueuesCommand,
  ReceiveMessageCommand,
  type Message,
  type SQSClient,
} from '@aws-sdk/client-sqs';

import { sqsQueue } from '../shared/aws/sqs-queue.ts';
import { taskSchema, type Task } from '../shared/job/task.ts';
import { readMessage } from '../shared/read-message.ts';
import { CommandFailed } from './failure.ts';

/** A letter on the dead-letter queue. */
export interface Letter {
  /** The row's task of its next generation; absent in a message that is not ours. */
  readonly task: Task | undefined;
  readonly code: string;
  readonly attempts: string;
  readonly httpStatus: string;
  readonly traceId: string;
}

/** The dead-letter queue. SQS cannot select, so every use of it walks the queue once. */
export interface DeadLetters {
  /** All letters that there are; they are visible to others again afterwards. Throws CommandFailed when there are too many. */
  readonly all: () => Promise<readonly Letter[]>;
  /** Sends the letters of a job to the tasks queue and only then deletes them; how many there were. */
  readonly redrive: (jobId: string) => Promise<number>;
}

/** Letters that are walked at most: beyond, holding them all back until the end of the walk would take too long. */
const MOST_LETTERS = 10_000;
/** For how long a letter that was seen is not given again: longer than a walk of so many takes. */
const HIDDEN_SECONDS = 600;
/** An answer without messages ends the walk: a wait makes SQS ask all of its servers. (SQS developer guide, long polling.) */
const WAIT_SECONDS = 1;
const BATCH = 10;

export function openDeadLetters(sqs: SQSClient, queueUrl: string, signal: AbortSignal): DeadLetters {
  /** Deletes the letters that `take` gives back. */
  const walk = async (take: (letters: readonly Letter[]) => Promise<readonly Letter[]>): Promise<void> => {
    await checkCount(sqs, queueUrl);
    const hidden = new Map<Letter, Message>();
    try {
      // Nothing is taken before the end: a row that is put up again and fails at once would be met again, and again.
      await hideAll(sqs, queueUrl, hidden, signal);
      const taken = await take([...hidden.keys()]);
      await remove(
        sqs,
        queueUrl,
        taken.flatMap((letter) => hidden.get(letter) ?? []),
      );
      for (const letter of taken) hidden.delete(letter);
    } finally {
      await show(sqs, queueUrl, [...hidden.values()]);
    }
  };
  return {
    all: async () => {
      let found: readonly Letter[] = [];
      await walk(async (letters) => {
        found = letters;
        return [];
      });
      return found;
    },
    redrive: async (jobId) => {
      const tasks = sqsQueue({ client: sqs, queueUrl: await tasksQueueBehind(sqs, queueUrl) });
      let sent = 0;
      await walk(async (letters) => {
        const own = letters.filter(({ task }) => task?.jobId === jobId);
        await tasks.send(own.map(({ task }) => ({ body: task, groupId: jobId })));
        sent = own.length;
        return own;
      });
      return sent;
    },
  };
}

async function hideAll(
  sqs: SQSClient,
  queueUrl: string,
  hidden: Map<Letter, Message>,
  signal: AbortSignal,
): Promise<void> {
  while (hidden.size < MOST_LETTERS) {
    signal.throwIfAborted();
    const messages = await receive(sqs, queueUrl);
    if (messages.length === 0) return;
    for (const message of messages) hidden.set(letterOf(message), message);
  }
}

async function checkCount(sqs: SQSClient, queueUrl: string): Promise<void> {
  const { Attributes: attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['ApproximateNumberOfMessages'] }),
  );
  const count = Number(attributes?.['ApproximateNumberOfMessages'] ?? 0);
  if (count <= MOST_LETTERS) return;
  throw new CommandFailed(
    `There are about ${count} dead letters, and more than ${MOST_LETTERS} are not walked one by one. ` +
      "Drop the job's failed.csv into the inbox instead, and purge the queue when no other job's letters are needed.",
  );
}

async function receive(sqs: SQSClient, queueUrl: string): Promise<readonly Message[]> {
  const { Messages: messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: BATCH,
      VisibilityTimeout: HIDDEN_SECONDS,
      WaitTimeSeconds: WAIT_SECONDS,
      MessageAttributeNames: ['All'],
    }),
  );
  return messages;
}

async function remove(sqs: SQSClient, queueUrl: string, messages: readonly Message[]): Promise<void> {
  for (const Entries of batches(messages)) {
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
  }
}

async function show(sqs: SQSClient, queueUrl: string, messages: readonly Message[]): Promise<void> {
  for (const entries of batches(messages)) {
    const Entries = entries.map((entry) => ({ ...entry, VisibilityTimeout: 0 }));
    await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }));
  }
}

function* batches(messages: readonly Message[]) {
  for (let start = 0; start < messages.length; start += BATCH) {
    yield messages
      .slice(start, start + BATCH)
      .map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
  }
}

/** Rows whose batch died each time go to the isolation queue, and from there to the dead letters: the way back leads to the tasks queue. */
async function tasksQueueBehind(sqs: SQSClient, deadLettersUrl: string): Promise<string> {
  const rows = await sourceOf(sqs, await sourceOf(sqs, deadLettersUrl));
  if (rows !== undefined) return rows;
  throw new CommandFailed(
    `${deadLettersUrl} is not a pipeline's dead-letter queue: no rows queue leads to it. Name the one in the stack's output DeadLetterQueueUrl.`,
  );
}

async function sourceOf(sqs: SQSClient, queueUrl: string | undefined): Promise<string | undefined> {
  if (queueUrl === undefined) return undefined;
  const { queueUrls = [] } = await sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: queueUrl }));
  return queueUrls[0];
}

function letterOf({ Body: body = '', MessageAttributes: attributes = {} }: Message): Letter {
  const text = (name: string): string => attributes[name]?.StringValue ?? '';
  return {
    task: readMessage(taskSchema, body),
    code: text('code'),
    attempts: text('attempts'),
    httpStatus: text('httpStatus'),
    traceId: text('traceId'),
  };
}
