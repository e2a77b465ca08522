import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';

import { clientEnvironment } from '../../local/aws/services.ts';
import { startStack, type LocalStack } from '../../local/stack.ts';
import { s3Client, sqsClient } from '../../shared/aws/clients.ts';
import { invokeFunction } from '../../shared/aws/invoke-function.ts';

const folder = mkdtempSync(join(tmpdir(), 'rollcall-stack-'));
let stack: LocalStack;
/** What a write fails with, by the operation. */
let diskFault: (operation: string) => Error | undefined = () => undefined;
const said: string[] = [];

// Answers an upload with a copy of what it is told of it, and does what a message asks of it.
const SOURCE = `
  import { GetObjectCommand, PutObjectCommand, S3Client } from ${JSON.stringify(import.meta.resolve('@aws-sdk/client-s3'))};
  const s3 = new S3Client({});
  export const handler = async ({ Records: records }, { invokedFunctionArn }) => {
    if (!records) return { invokedFunctionArn };
    const batchItemFailures = [];
    for (const { messageId, body } of records) {
      const message = JSON.parse(body);
      const { s3: told, userIdentity, eventTime } = message.Records?.[0] ?? {};
      if (message.ask === 'crash') process.exit(1);
      else if (message.ask === 'fail') batchItemFailures.push({ itemIdentifier: messageId });
      else if (message.ask === 'overreach') await s3.send(new GetObjectCommand({ Bucket: process.env.RESULTS, Key: 'x' })).catch((error) => console.log(error.name));
      else await s3.send(new PutObjectCommand({ Bucket: process.env.RESULTS, Key: 'copied', Body: JSON.stringify({ ...told?.object, ...userIdentity, eventTime }) }));
    }
    return { batchItemFailures };
  };`;

beforeAll(async () => {
  // Where the user's own AWS is: nothing of the stack may go there.
  vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:9');
  const bundle = join(folder, 'bundle');
  mkdirSync(bundle);
  writeFileSync(join(bundle, 'index.mjs'), SOURCE);
  stack = await startStack({
    folder: join(folder, 'state'),
    synthesized: { stackName: 'Test', template: TEMPLATE, folderOf: () => bundle },
    simulator: false,
    faults: { disk: (operation) => diskFault(operation) },
    say: (sentence) => said.push(sentence),
  });
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await stack.close();
  rmSync(folder, { recursive: true, force: true });
});

it('carries an upload through notification, queue, event source and function, with the keys of its own role', async () => {
  const { s3 } = clients();

  await s3.send(new PutObjectCommand({ Bucket: stack.inboxBucket, Key: 'a b/ü+.csv', Body: 'x' }));

  await expect.poll(() => read('copied'), { timeout: 10_000 }).toBeDefined();
  const told = JSON.parse((await read('copied')) ?? '');
  expect(told).toMatchObject({ key: 'a+b/%C3%BC%2B.csv', size: 1, principalId: stack.accessKeyId });
  expect(told.versionId).toMatch(/^[0-9a-f]{32}$/);
  expect(Math.abs(Date.parse(told.eventTime) - Date.now())).toBeLessThan(60_000);
  expect(stack.violations()).toEqual([]);
  expect(stack.requests()).toContainEqual(
    expect.objectContaining({ caller: 'copier', action: 's3:PutObject', resource: 'arn:aws:s3:::results/*' }),
  );
});

it('waits while its disk is full, and goes on by itself once there is room', async () => {
  const { s3, sqs } = clients();
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  const QueueUrl = stack.description.queues[0]?.url;
  // The upload still finds room; nobody can be told of it.
  diskFault = (operation) => (operation === 'PUT' ? undefined : full);
  await s3.send(new PutObjectCommand({ Bucket: stack.inboxBucket, Key: 'late.csv', Body: 'xx' }));
  await expect(sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }))).rejects.toThrow('the disk is full');
  diskFault = () => full;
  await expect(s3.send(new PutObjectCommand({ Bucket: stack.inboxBucket, Key: 'x.csv', Body: 'x' }))).rejects.toThrow(
    'the disk is full',
  );
  expect(await read('copied')).not.toContain('late');

  diskFault = () => undefined;

  await expect.poll(() => read('copied'), { timeout: 15_000 }).toContain('late');
  await expect
    .poll(() => said, { timeout: 30_000 })
    .toEqual([
      expect.stringMatching(/^Nothing can be written to .+: the disk is full\. Make room; /),
      expect.stringContaining('can be written to again'),
    ]);
}, 60_000);

it('runs a function whose alias is invoked directly', async () => {
  const environment = clientEnvironment(stack);
  const functionName = stack.intakeFunctionName;

  const answer = await invokeFunction({ environment, functionName, payload: {} });

  expect(answer).toEqual({ invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:Test-Copier:stop' });
});

it('deletes messages that are done, and none that failed or whose function died', async () => {
  const { sqs } = clients();
  const QueueUrl = stack.description.queues[0]?.url;

  for (const ask of ['fail', 'crash', 'nothing']) {
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify({ ask }) }));
  }

  // Hidden until their visibility time-out is over.
  const hidden = async (): Promise<string | undefined> => {
    const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
    const { Attributes: found } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...names] }),
    );
    return names.map((name) => found?.[name]).join();
  };
  await expect.poll(() => stack.usage()[0]?.failures, { timeout: 10_000 }).toBeGreaterThan(0);
  await expect.poll(hidden, { timeout: 10_000 }).toBe('0,2');
});

it('refuses a call that the role does not allow, and keeps it: the run has failed', async () => {
  const { sqs } = clients();

  const MessageBody = JSON.stringify({ ask: 'overreach' });
  await sqs.send(new SendMessageCommand({ QueueUrl: stack.description.queues[0]?.url, MessageBody }));

  await expect
    .poll(() => stack.violations(), { timeout: 10_000 })
    .toEqual([{ caller: 'copier', action: 's3:GetObject', resource: 'arn:aws:s3:::results/*' }]);
  await expect
    .poll(() => readFileSync(join(folder, 'state', 'logs', 'copier.log'), 'utf8'), { timeout: 5_000 })
    .toContain('AccessDenied');
});

function clients() {
  const environment = clientEnvironment(stack);
  return { s3: s3Client(environment), sqs: sqsClient(environment) };
}

async function read(key: string): Promise<string | undefined> {
  const { s3 } = clients();
  const found = await s3.send(new GetObjectCommand({ Bucket: stack.resultsBucket, Key: key })).catch(() => undefined);
  return found?.Body?.transformToString();
}

const arn = (logicalId: string) => ({ 'Fn::GetAtt': [logicalId, 'Arn'] });

const TEMPLATE = {
  Resources: {
    Intake: { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: 600 } },
    Inbox: {
      Type: 'AWS::S3::Bucket',
      Properties: {
        BucketName: 'inbox',
        VersioningConfiguration: { Status: 'Enabled' },
        NotificationConfiguration: { QueueConfigurations: [{ Event: 's3:ObjectCreated:*', Queue: arn('Intake') }] },
      },
    },
    Results: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'results' } },
    Role: {
      Type: 'AWS::IAM::Role',
      Properties: {
        Policies: [
          {
            PolicyDocument: {
              Statement: [
                { Effect: 'Allow', Action: ['sqs:*'], Resource: arn('Intake') },
                { Effect: 'Allow', Action: 's3:PutObject', Resource: { 'Fn::Join': ['', [arn('Results'), '/*']] } },
              ],
            },
          },
        ],
      },
    },
    Copier: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        Handler: 'index.handler',
        Role: arn('Role'),
        Code: { S3Key: 'code.zip' },
        Environment: { Variables: { RESULTS: { Ref: 'Results' } } },
        Timeout: 10,
        MemorySize: 256,
      },
    },
    Version: { Type: 'AWS::Lambda::Version', Properties: { FunctionName: { Ref: 'Copier' } } },
    Alias: {
      Type: 'AWS::Lambda::Alias',
      Properties: {
        Name: 'stop',
        FunctionName: { Ref: 'Copier' },
        FunctionVersion: { 'Fn::GetAtt': ['Version', 'Version'] },
      },
    },
    Source: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: {
        EventSourceArn: arn('Intake'),
        FunctionName: { Ref: 'Copier' },
        BatchSize: 1,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
      },
    },
  },
  Outputs: {
    InboxBucketName: { Value: { Ref: 'Inbox' } },
    ResultsBucketName: { Value: { Ref: 'Results' } },
    IntakeFunctionName: { Value: { 'Fn::Join': [':', [{ Ref: 'Copier' }, 'stop']] } },
  },
};
