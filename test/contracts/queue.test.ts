import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  type Message as Received,
} from '@aws-sdk/client-sqs';
import { buildApp } from 'fauxqs';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { sqsClient } from '../../shared/aws/clients.ts';
import { sqsQueue } from '../../shared/aws/sqs-queue.ts';
import type { Message } from '../../shared/ports.ts';
import { memoryQueue } from '../fakes/memory-queue.ts';
import { queueContract } from './queue-contract.ts';

queueContract('the queue in memory', () => {
  const queue = memoryQueue();
  return { queue, received: async () => queue.messages.filter(({ delaySeconds }) => !delaySeconds) };
});

const server = buildApp({ logger: false, host: '127.0.0.1', defaultRegion: 'eu-central-1' });
let client: ReturnType<typeof sqsClient>;

beforeAll(async () => {
  client = sqsClient({
    AWS_ENDPOINT_URL_SQS: await server.listen({ host: '127.0.0.1', port: 0 }),
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'AKIALOCALTEST',
    AWS_SECRET_ACCESS_KEY: 'secret',
  });
});
afterAll(async () => {
  client.destroy();
  await server.close();
});

queueContract('the adapter over SQS', async () => {
  const queueUrl = await createQueue({});
  return { queue: sqsQueue({ client, queueUrl }), received: async () => (await drained(queueUrl)).map(messageOf) };
});

it('puts a message into its group of a FIFO queue, once for each deduplication id', async () => {
  const queueUrl = await createQueue({ FifoQueue: 'true' });

  await sqsQueue({ client, queueUrl }).send([
    { body: 1, groupId: 'job-1', deduplicationId: 'a' },
    { body: 1, groupId: 'job-1', deduplicationId: 'a' },
    { body: 2, groupId: 'job-2', deduplicationId: 'b' },
  ]);

  const groups = (await drained(queueUrl)).map(({ Body, Attributes }) => [Body, Attributes?.MessageGroupId]);
  expect(groups.toSorted()).toEqual([
    ['1', 'job-1'],
    ['2', 'job-2'],
  ]);
});

let queues = 0;

async function createQueue(attributes: Readonly<Record<string, string>>): Promise<string> {
  queues += 1;
  const name = attributes['FifoQueue'] ? `queue-${queues}.fifo` : `queue-${queues}`;
  const { QueueUrl = '' } = await client.send(
    new CreateQueueCommand({ QueueName: name, Attributes: { ...attributes, MaximumMessageSize: '1048576' } }),
  );
  return QueueUrl;
}

async function drained(queueUrl: string): Promise<readonly Received[]> {
  const all: Received[] = [];
  for (;;) {
    const request = {
      QueueUrl: queueUrl,
      MaxNumberOfMessages: 10,
      AttributeNames: ['All' as const],
      MessageAttributeNames: ['All'],
    };
    const { Messages: messages = [] } = await client.send(new ReceiveMessageCommand(request));
    if (messages.length === 0) return all;
    all.push(...messages);
    const entries = messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries }));
  }
}

function messageOf({ Body = '', MessageAttributes }: Received): Message {
  const named = Object.entries(MessageAttributes ?? {}).map(([name, { StringValue = '' }]) => [name, StringValue]);
  return { body: JSON.parse(Body), ...(named.length > 0 && { attributes: Object.fromEntries(named) }) };
}
