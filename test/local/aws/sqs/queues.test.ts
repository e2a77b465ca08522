import {
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, it } from 'vitest';

import type { AwsCall } from '../../../../local/aws/access-control.ts';
import { startQueues, type Queues } from '../../../../local/aws/sqs/queues.ts';
import type { ServiceFault } from '../../../../local/aws/service-refusal.ts';
import { ServiceRefusal } from '../../../../local/aws/service-refusal.ts';

const KEY = { accessKeyId: 'LOCALTEST', secretAccessKey: 'secret' };
const ACCOUNT = '000000000000';
const REGION = 'us-east-1';
const calls: AwsCall[] = [];
const faults: ServiceFault[] = [];
let queues: Queues;

beforeAll(async () => {
  queues = await startQueues({
    credentials: (id) => (id === KEY.accessKeyId ? KEY.secretAccessKey : undefined),
    region: REGION,
    account: ACCOUNT,
    record: (call) => {
      if (call.resource.endsWith(':forbidden')) throw new ServiceRefusal(403, 'AccessDeniedException', 'not allowed');
      calls.push(call);
    },
    fault: () => faults.shift(),
  });
  await queues.create(
    [
      describe('rows', { VisibilityTimeout: '7' }),
      describe('events queue.fifo', { FifoQueue: 'true' }),
      describe('faulty', {}),
    ],
    KEY,
  );
});

afterAll(() => queues.close());

it('carries messages with their attributes', async () => {
  const sqs = client();
  await sqs.send(
    new SendMessageBatchCommand({
      QueueUrl: urlOf('rows'),
      Entries: [
        { Id: 'a', MessageBody: 'body', MessageAttributes: { code: { DataType: 'String', StringValue: 'X' } } },
      ],
    }),
  );

  const { Messages: messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: urlOf('rows'), MessageAttributeNames: ['All'], MaxNumberOfMessages: 10 }),
  );

  expect(messages.map((message) => [message.Body, message.MessageAttributes?.['code']?.StringValue])).toEqual([
    ['body', 'X'],
  ]);
});

it('records each request as the action and resource that a role must allow', async () => {
  const sqs = client();
  calls.length = 0;

  await sqs.send(new SendMessageBatchCommand({ QueueUrl: urlOf('rows'), Entries: [{ Id: 'a', MessageBody: 'x' }] }));
  await sqs.send(
    new DeleteMessageBatchCommand({ QueueUrl: urlOf('rows'), Entries: [{ Id: 'a', ReceiptHandle: 'x' }] }),
  );

  expect(calls.map(({ action, resource, accessKeyId }) => [action, resource, accessKeyId])).toEqual([
    ['sqs:SendMessage', `arn:aws:sqs:${REGION}:${ACCOUNT}:rows`, KEY.accessKeyId],
    ['sqs:DeleteMessage', `arn:aws:sqs:${REGION}:${ACCOUNT}:rows`, KEY.accessKeyId],
  ]);
});

it('refuses a wrong signature, and what the recorder refuses', async () => {
  const receive = (queue: string) => new ReceiveMessageCommand({ QueueUrl: urlOf(queue) });

  await expect(client('wrong').send(receive('rows'))).rejects.toMatchObject({ name: 'InvalidSignatureException' });
  await expect(client().send(receive('forbidden'))).rejects.toMatchObject({ name: 'AccessDeniedException' });
});

it('fails as it is told: before a request is applied, or after, so that only its answer is lost', async () => {
  const sqs = client();
  const send = (body: string) =>
    sqs.send(new SendMessageBatchCommand({ QueueUrl: urlOf('faulty'), Entries: [{ Id: 'a', MessageBody: body }] }));

  faults.push({ status: 503 });
  await send('refused once');
  faults.push({ status: 500, after: true });
  await send('taken twice');
  const { Messages: messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: urlOf('faulty'), MaxNumberOfMessages: 10 }),
  );

  expect(messages.map(({ Body }) => Body)).toEqual(['refused once', 'taken twice', 'taken twice']);
});

const describe = (name: string, attributes: Record<string, string>) => ({
  logicalId: name,
  name,
  arn: `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`,
  url: urlOf(name),
  attributes,
});

const urlOf = (name: string): string => `${queues.url}/${ACCOUNT}/${name}`;

const client = (secretAccessKey = KEY.secretAccessKey): SQSClient =>
  new SQSClient({ endpoint: queues.url, region: REGION, credentials: { ...KEY, secretAccessKey } });
