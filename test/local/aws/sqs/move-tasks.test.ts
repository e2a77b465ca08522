import { setTimeout as sleep } from 'node:timers/promises';
import {
  GetQueueAttributesCommand,
  ListDeadLetterSourceQueuesCommand,
  ListMessageMoveTasksCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { startQueues, type Queues } from '../../../../local/aws/sqs/queues.ts';

const KEY = { accessKeyId: 'LOCALTEST', secretAccessKey: 'secret' };
const ACCOUNT = '000000000000';
const REGION = 'us-east-1';
let queues: Queues;
let sqs: SQSClient;

beforeAll(async () => {
  queues = await startQueues({
    credentials: (id) => (id === KEY.accessKeyId ? KEY.secretAccessKey : undefined),
    region: REGION,
    account: ACCOUNT,
    record: () => undefined,
  });
  const redrive = (name: string) => ({
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arnOf(name), maxReceiveCount: 5 }),
  });
  await queues.create(
    [describe('letters', {}), describe('isolation', redrive('letters')), describe('rows', redrive('isolation'))],
    KEY,
  );
  sqs = new SQSClient({ endpoint: queues.url, region: REGION, credentials: KEY });
});

afterAll(() => queues.close());

it('says which queues a dead-letter queue stands behind', async () => {
  const sources = await sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: urlOf('letters') }));

  expect(sources.queueUrls).toEqual([urlOf('isolation')]);
});

it('moves every message of a dead-letter queue, with its attributes, to the queue that was named', async () => {
  const MessageAttributes = { code: { DataType: 'String', StringValue: 'FORBIDDEN' } };
  for (let index = 0; index < 25; index += 1) {
    await sqs.send(
      new SendMessageCommand({ QueueUrl: urlOf('letters'), MessageBody: String(index), MessageAttributes }),
    );
  }

  await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: arnOf('letters'), DestinationArn: arnOf('rows') }));
  const task = await ended('letters');

  expect(task).toMatchObject({
    Status: 'COMPLETED',
    ApproximateNumberOfMessagesMoved: 25,
    ApproximateNumberOfMessagesToMove: 25,
  });
  expect(await waiting('letters')).toBe(0);
  expect(await waiting('rows')).toBe(25);
  const { Messages: [message] = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: urlOf('rows'), MessageAttributeNames: ['All'] }),
  );
  expect(message?.MessageAttributes?.['code']?.StringValue).toBe('FORBIDDEN');
});

it('moves messages back to the queue that they came from when none is named', async () => {
  await sqs.send(new SendMessageCommand({ QueueUrl: urlOf('letters'), MessageBody: 'x' }));

  await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: arnOf('letters') }));
  await ended('letters');

  expect(await waiting('isolation')).toBe(1);
});

it('refuses to move from a queue that no other queue redrives to', async () => {
  const refused = sqs.send(
    new StartMessageMoveTaskCommand({ SourceArn: arnOf('rows'), DestinationArn: arnOf('rows') }),
  );

  await expect(refused).rejects.toMatchObject({ name: 'InvalidParameterValue' });
});

async function ended(source: string) {
  for (;;) {
    const { Results: [latest] = [] } = await sqs.send(new ListMessageMoveTasksCommand({ SourceArn: arnOf(source) }));
    if (latest?.Status !== 'RUNNING') return latest;
    await sleep(10);
  }
}

async function waiting(name: string): Promise<number> {
  const command = new GetQueueAttributesCommand({
    QueueUrl: urlOf(name),
    AttributeNames: ['ApproximateNumberOfMessages'],
  });
  return Number((await sqs.send(command)).Attributes?.['ApproximateNumberOfMessages']);
}

const describe = (name: string, attributes: Record<string, string>) => ({
  logicalId: name,
  name,
  arn: arnOf(name),
  url: urlOf(name),
  attributes,
});

const arnOf = (name: string): string => `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`;
const urlOf = (name: string): string => `${queues.url}/${ACCOUNT}/${name}`;
