import { randomUUID } from 'node:crypto';
import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type Message,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import * as z from 'zod';

import { ServiceRefusal } from '../service-refusal.ts';
import type { QueueDescription } from '../template/description.ts';

/** The operations around redriving that fauxqs does not have. Source: Amazon SQS API reference. */
export interface MoveTasks {
  /** The answer to an operation, or `undefined` for one that the queues themselves answer; throws ServiceRefusal. */
  readonly answer: (operation: string, body: unknown) => Promise<unknown>;
}

interface Task {
  readonly TaskHandle: string;
  readonly SourceArn: string;
  readonly DestinationArn: string | undefined;
  readonly StartedTimestamp: number;
  readonly ApproximateNumberOfMessagesToMove: number;
  status: 'RUNNING' | 'COMPLETED' | 'FAILED';
  moved: number;
}

const moveSchema = z.object({ SourceArn: z.string(), DestinationArn: z.string().optional() });
const listSchema = z.object({ SourceArn: z.string() });
const sourcesSchema = z.object({ QueueUrl: z.string() });
const policySchema = z.object({ deadLetterTargetArn: z.string() });

/** Moves messages from a dead-letter queue to another queue, as the console's "Start DLQ redrive" has it done. */
export function createMoveTasks(sqs: SQSClient, queues: readonly QueueDescription[]): MoveTasks {
  const tasks: Task[] = [];
  return {
    answer: async (operation, body) => {
      if (operation === 'StartMessageMoveTask') return start(sqs, queues, tasks, moveSchema.parse(body));
      if (operation === 'ListMessageMoveTasks') {
        const { SourceArn: source } = listSchema.parse(body);
        return { Results: tasks.filter(({ SourceArn }) => SourceArn === source).map(resultOf) };
      }
      if (operation !== 'ListDeadLetterSourceQueues') return undefined;
      const { QueueUrl: queueUrl } = sourcesSchema.parse(body);
      const queue = found(
        queues.find(({ url }) => url === queueUrl),
        queueUrl,
      );
      return { queueUrls: sourcesOf(queues, queue.arn).map(({ url }) => url) };
    },
  };
}

async function start(
  sqs: SQSClient,
  queues: readonly QueueDescription[],
  tasks: Task[],
  { SourceArn, DestinationArn }: z.infer<typeof moveSchema>,
): Promise<unknown> {
  const [original, ...others] = sourcesOf(queues, SourceArn);
  if (!original) throw refusal('InvalidParameterValue', 'Source queue must be configured as a Dead Letter Queue.');
  if (tasks.some((task) => task.SourceArn === SourceArn && task.status === 'RUNNING')) {
    throw refusal('UnsupportedOperation', 'There is already a task running. Only one active task is allowed.');
  }
  if (DestinationArn === undefined && others.length > 0) {
    throw refusal('InvalidParameterValue', 'Here messages do not remember which of several queues they came from.');
  }
  const byArn = (arn: string): QueueDescription =>
    found(
      queues.find((queue) => queue.arn === arn),
      arn,
    );
  const source = byArn(SourceArn);
  const destination = byArn(DestinationArn ?? original.arn);
  const task: Task = {
    TaskHandle: Buffer.from(JSON.stringify({ taskId: randomUUID(), sourceArn: SourceArn })).toString('base64'),
    SourceArn,
    DestinationArn,
    StartedTimestamp: Date.now(),
    ApproximateNumberOfMessagesToMove: await countIn(sqs, source),
    status: 'RUNNING',
    moved: 0,
  };
  tasks.unshift(task);
  // The answer says that the task has started: how it ends, ListMessageMoveTasks says.
  void moveAll(sqs, task, { from: source.url, to: destination.url }).then(
    () => (task.status = 'COMPLETED'),
    () => (task.status = 'FAILED'),
  );
  return { TaskHandle: task.TaskHandle };
}

async function moveAll(sqs: SQSClient, task: Task, { from, to }: { from: string; to: string }): Promise<void> {
  for (;;) {
    const { Messages: messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: from, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] }),
    );
    if (messages.length === 0) return;
    await sqs.send(new SendMessageBatchCommand({ QueueUrl: to, Entries: messages.map(copyOf) }));
    const Entries = messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: from, Entries }));
    task.moved += messages.length;
  }
}

const copyOf = ({ Body: MessageBody, MessageAttributes }: Message, index: number) => ({
  Id: String(index),
  MessageBody,
  MessageAttributes,
});

const resultOf = ({ status, moved, TaskHandle, ...task }: Task): object => ({
  ...task,
  ...(status === 'RUNNING' && { TaskHandle }),
  Status: status,
  ApproximateNumberOfMessagesMoved: moved,
});

const sourcesOf = (queues: readonly QueueDescription[], arn: string): readonly QueueDescription[] =>
  queues.filter(({ attributes: { RedrivePolicy: policy } }) =>
    policy ? policySchema.parse(JSON.parse(policy)).deadLetterTargetArn === arn : false,
  );

async function countIn(sqs: SQSClient, { url }: QueueDescription): Promise<number> {
  const AttributeNames = ['ApproximateNumberOfMessages'] as const;
  const { Attributes: attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [...AttributeNames] }),
  );
  return Number(attributes?.['ApproximateNumberOfMessages'] ?? 0);
}

function found(queue: QueueDescription | undefined, what: string): QueueDescription {
  if (queue) return queue;
  throw refusal('ResourceNotFoundException', `There is no queue ${what}.`);
}

const refusal = (code: string, message: string): ServiceRefusal => new ServiceRefusal(400, code, message);
