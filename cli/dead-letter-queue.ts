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
import { taskSchema, type Task } from '../shared/job/messages.ts';
import { readMessage } from '../shared/records.ts';
import { CommandFailed } from './failures.ts';

/** A message on the dead-letter queue: a failed row, as its change or, where the plan refused it, as its cells, with its reason. */
export interface DeadLetter {
  /** The row's task of its next generation; absent in a message that is not ours. */
  readonly task: Task | undefined;
  readonly code: string;
  /** Whether the row itself is why, or something that would meet any row. */
  readonly class: string;
  readonly attempts: string;
  readonly httpStatus: string;
  readonly traceId: string;
}

/** The dead-letter queue. SQS cannot select, so every use reads all of it once. */
export interface DeadLetters {
  /** All dead letters; they are visible to others again afterwards. Throws CommandFailed when there are too many. */
  readonly list: () => Promise<readonly DeadLetter[]>;
  /** Sends the dead letters of a job to the tasks queue and only then deletes them; how many there were. */
  readonly redrive: (jobId: string) => Promise<number>;
  /** Deletes the dead letters of a job; how many there were. */
  readonly discard: (jobId: string) => Promise<number>;
}

/** As many as can be hidden until the last is read. */
const MOST_MESSAGES = 10_000;
/** For how long a message that was read is not received again: longer than reading so many takes. */
const HIDDEN_SECONDS = 600;
/** An answer without messages is the end: a wait makes SQS ask all of its servers. (SQS developer guide, long polling.) */
const WAIT_SECONDS = 1;
const BATCH = 10;

/** Opens the dead-letter queue; `signal` ends a use of it between two receives. */
export function openDeadLetters(sqs: SQSClient, queueUrl: string, signal: AbortSignal): DeadLetters {
  const queue = { sqs, queueUrl, signal };
  const take = (jobId: string, use: (tasks: readonly (Task | undefined)[]) => Promise<void>): Promise<number> =>
    hideAll(queue, async (hidden) => {
      const own = [...hidden].filter(([{ task }]) => task?.jobId === jobId);
      await use(own.map(([{ task }]) => task));
      await deleteAll(
        queue,
        own.map(([, message]) => message),
      );
      for (const [deadLetter] of own) hidden.delete(deadLetter);
      return own.length;
    });
  return {
    list: () => hideAll(queue, async (hidden) => [...hidden.keys()]),
    redrive: async (jobId) => {
      const tasks = sqsQueue({ client: sqs, queueUrl: await findTasksQueue(queue) });
      return take(jobId, (own) => tasks.send(own.map((task) => ({ body: task, groupId: jobId }))));
    },
    discard: (jobId) => take(jobId, async () => undefined),
  };
}

interface QueueAt {
  readonly sqs: SQSClient;
  readonly queueUrl: string;
  readonly signal: AbortSignal;
}

type Hidden = Map<DeadLetter, Message>;

/** Hides every message from others while `use` works on them; afterwards those that are still in the map can be seen again. */
async function hideAll<Result>(queue: QueueAt, use: (hidden: Hidden) => Promise<Result>): Promise<Result> {
  await checkCount(queue);
  const hidden: Hidden = new Map();
  try {
    // Nothing is used before the end: a row that is redriven and fails at once would be met again, and again.
    while (hidden.size < MOST_MESSAGES) {
      queue.signal.throwIfAborted();
      const messages = await receive(queue);
      if (messages.length === 0) break;
      for (const message of messages) hidden.set(parseDeadLetter(message), message);
    }
    return await use(hidden);
  } finally {
    await showAll(queue, [...hidden.values()]);
  }
}

async function checkCount({ sqs, queueUrl }: QueueAt): Promise<void> {
  const { Attributes: attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['ApproximateNumberOfMessages'] }),
  );
  const count = Number(attributes?.['ApproximateNumberOfMessages'] ?? 0);
  if (count <= MOST_MESSAGES) return;
  throw new CommandFailed(
    `The dead-letter queue has about ${count} messages, and this command handles at most ${MOST_MESSAGES}. ` +
      "Upload the job's failed.csv instead; once no job's dead letters are needed, purge the queue.",
  );
}

async function receive({ sqs, queueUrl }: QueueAt): Promise<readonly Message[]> {
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

async function deleteAll({ sqs, queueUrl }: QueueAt, messages: readonly Message[]): Promise<void> {
  for (const Entries of batchesOf(messages)) {
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
  }
}

async function showAll({ sqs, queueUrl }: QueueAt, messages: readonly Message[]): Promise<void> {
  for (const entries of batchesOf(messages)) {
    const Entries = entries.map((entry) => ({ ...entry, VisibilityTimeout: 0 }));
    await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }));
  }
}

function* batchesOf(messages: readonly Message[]) {
  for (let start = 0; start < messages.length; start += BATCH) {
    const batch = messages.slice(start, start + BATCH);
    yield batch.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
  }
}

/** Tasks whose batch died each time go to the isolation queue, and from there to the dead letters: the way back leads to the tasks queue. */
async function findTasksQueue({ sqs, queueUrl }: QueueAt): Promise<string> {
  const tasks = await findSource(sqs, await findSource(sqs, queueUrl));
  if (tasks !== undefined) return tasks;
  throw new CommandFailed(
    `${queueUrl} is not a pipeline's dead-letter queue: no tasks queue leads to it. Give --dead-letters the stack output DeadLetterQueueUrl.`,
  );
}

async function findSource(sqs: SQSClient, queueUrl: string | undefined): Promise<string | undefined> {
  if (queueUrl === undefined) return undefined;
  const { queueUrls = [] } = await sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: queueUrl }));
  return queueUrls[0];
}

function parseDeadLetter({ Body: body = '', MessageAttributes: attributes = {} }: Message): DeadLetter {
  const text = (name: string): string => attributes[name]?.StringValue ?? '';
  return {
    task: readMessage(taskSchema, body),
    code: text('code'),
    class: text('class'),
    attempts: text('attempts'),
    httpStatus: text('httpStatus'),
    traceId: text('traceId'),
  };
}
