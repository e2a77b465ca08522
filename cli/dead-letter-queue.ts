import { ListDeadLetterSourceQueuesCommand, type Message, type SQSClient } from '@aws-sdk/client-sqs';

import { sqsQueue } from '../shared/aws/sqs-queue.ts';
import { taskSchema, type Task } from '../shared/job/messages.ts';
import { readMessage } from '../shared/records.ts';
import { CommandFailed } from './failures.ts';
import { countMessages, walkQueue, type WalkedQueue } from './queue-walk.ts';

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

/** What a walk of the queue has come to. */
export interface Walked {
  /** The rows that it was about. */
  readonly rows: number;
  /** About how many dead letters somebody else has hidden meanwhile. */
  readonly missed: number;
}

/** The dead-letter queue, however many it holds; each use walks all of it once. */
export interface DeadLetters {
  /** About how many there are. */
  readonly count: () => Promise<number>;
  /** Shows each dead letter. */
  readonly read: (visit: (deadLetter: DeadLetter) => void) => Promise<Walked>;
  /** Sends the dead letters of a job to the tasks queue and only then deletes them. */
  readonly redrive: (jobId: string) => Promise<Walked>;
  /** Deletes the dead letters of a job. */
  readonly discard: (jobId: string) => Promise<Walked>;
}

/** Opens the dead-letter queue; `signal` ends a use of it between two receives. */
export function openDeadLetters(sqs: SQSClient, queueUrl: string, signal: AbortSignal, mostHeld?: number): DeadLetters {
  const queue = { sqs, queueUrl, signal, mostHeld };
  return {
    count: () => countMessages(queue),
    read: async (visit) => {
      let rows = 0;
      const missed = await walkQueue(queue, async (messages) => {
        rows += messages.length;
        for (const message of messages) visit(parseDeadLetter(message));
        return [];
      });
      return { rows, missed };
    },
    redrive: async (jobId) => {
      const tasks = sqsQueue({ client: sqs, queueUrl: await findTasksQueue(queue) });
      return take(queue, jobId, (own) => tasks.send(own.map((body) => ({ body, groupId: jobId }))));
    },
    discard: (jobId) => take(queue, jobId, async () => undefined),
  };
}

/** Deletes the dead letters of a job after `use`, which gets each row once. */
async function take(queue: WalkedQueue, jobId: string, use: (own: readonly Task[]) => Promise<void>): Promise<Walked> {
  const generations = new Map<number, number>();
  const missed = await walkQueue(queue, async (messages) => {
    const gone: Message[] = [];
    const due: Task[] = [];
    for (const message of messages) {
      const task = readMessage(taskSchema, message.Body ?? '');
      if (task?.jobId !== jobId) continue;
      const known = generations.get(task.row);
      // A row that is redriven and fails at once has a dead letter of a later generation: it is not for this walk.
      if (known !== undefined && task.generation > known) continue;
      gone.push(message);
      if (known !== undefined) continue; // it came twice
      generations.set(task.row, task.generation);
      due.push(task);
    }
    if (due.length > 0) await use(due);
    return gone;
  });
  return { rows: generations.size, missed };
}

/** Tasks whose batch died each time go to the isolation queue, and from there to the dead letters: the way back leads to the tasks queue. */
async function findTasksQueue({ sqs, queueUrl }: WalkedQueue): Promise<string> {
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
