import { expect, it } from 'vitest';

import { describeTemplate } from '../../../../local/aws/template/describe.ts';

const PLACE = {
  stackName: 'Rollcall',
  account: '000000000000',
  region: 'us-east-1',
  queuesUrl: 'http://127.0.0.1:4566',
};

const arn = (logicalId: string) => ({ 'Fn::GetAtt': [logicalId, 'Arn'] });

it('names what the template does not name, and resolves references to it', () => {
  const { queues } = read({
    Dead: { Type: 'AWS::SQS::Queue', Properties: { MessageRetentionPeriod: 1_209_600 } },
    Tasks: {
      Type: 'AWS::SQS::Queue',
      Properties: { VisibilityTimeout: 190, RedrivePolicy: { deadLetterTargetArn: arn('Dead'), maxReceiveCount: 5 } },
    },
    EventsQueue: { Type: 'AWS::SQS::Queue', Properties: { FifoQueue: true, QueueName: 'eventsQueue.fifo', Tags: [] } },
  });

  expect(queues.map(({ name, attributes }) => [name, attributes])).toEqual([
    ['Rollcall-Dead', { MessageRetentionPeriod: '1209600' }],
    [
      'Rollcall-Tasks',
      {
        VisibilityTimeout: '190',
        RedrivePolicy: JSON.stringify({
          deadLetterTargetArn: 'arn:aws:sqs:us-east-1:000000000000:Rollcall-Dead',
          maxReceiveCount: 5,
        }),
      },
    ],
    ['eventsQueue.fifo', { FifoQueue: 'true' }],
  ]);
});

it('takes texts apart and picks of their parts', () => {
  const uuid = { 'Fn::Select': [2, { 'Fn::Split': ['/', { Ref: 'AWS::StackId' }] }] };
  const { queues } = read({
    Dead: { Type: 'AWS::SQS::Queue', Properties: { QueueName: { 'Fn::Join': ['-', ['Rollcall-Dead', uuid]] } } },
  });

  expect(queues.map(({ name }) => name)).toEqual(['Rollcall-Dead-local']);
});

it('reads a function with its bundle, environment, limits and aliases', () => {
  const { functions } = read({
    Tasks: { Type: 'AWS::SQS::Queue' },
    Role: { Type: 'AWS::IAM::Role' },
    Worker: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        Handler: 'index.handler',
        Role: arn('Role'),
        Code: { S3Bucket: { 'Fn::Sub': 'assets-${AWS::AccountId}' }, S3Key: 'abc.zip' },
        Environment: { Variables: { TASKS_QUEUE_URL: { Ref: 'Tasks' }, WORKERS: '2' } },
        Timeout: 30,
        MemorySize: 512,
        ReservedConcurrentExecutions: 3,
      },
    },
    Alias: { Type: 'AWS::Lambda::Alias', Properties: { FunctionName: { Ref: 'Worker' }, Name: 'live' } },
  });

  expect(functions).toEqual([
    {
      name: 'Rollcall-Worker',
      label: 'worker',
      arn: 'arn:aws:lambda:us-east-1:000000000000:function:Rollcall-Worker',
      roleArn: 'arn:aws:iam::000000000000:role/Rollcall-Role',
      handler: 'index.handler',
      folder: 'assets/abc.zip',
      environment: { TASKS_QUEUE_URL: 'http://127.0.0.1:4566/000000000000/Rollcall-Tasks', WORKERS: '2' },
      timeoutSeconds: 30,
      memoryMegabytes: 512,
      reservedConcurrency: 3,
      aliases: ['live'],
    },
  ]);
});

it('reads which uploads are told to which queue', () => {
  const { buckets } = read({
    Intake: { Type: 'AWS::SQS::Queue' },
    Inbox: {
      Type: 'AWS::S3::Bucket',
      Properties: {
        NotificationConfiguration: {
          QueueConfigurations: [
            {
              Event: 's3:ObjectCreated:*',
              Queue: arn('Intake'),
              Filter: { S3Key: { Rules: [{ Name: 'suffix', Value: '.csv' }] } },
            },
          ],
        },
      },
    },
  });

  expect(buckets[0]?.notifications).toEqual([
    {
      queueArn: 'arn:aws:sqs:us-east-1:000000000000:Rollcall-Intake',
      event: 's3:ObjectCreated:*',
      prefix: '',
      suffix: '.csv',
    },
  ]);
});

it('reads an event source mapping and a schedule', () => {
  const { eventSources, schedules } = read({
    Tasks: { Type: 'AWS::SQS::Queue' },
    Worker: { Type: 'AWS::Lambda::Function', Properties: { Handler: 'h', Role: 'r', Code: { S3Key: 'abc.zip' } } },
    Source: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: {
        EventSourceArn: arn('Tasks'),
        FunctionName: { Ref: 'Worker' },
        BatchSize: 100,
        MaximumBatchingWindowInSeconds: 1,
        ScalingConfig: { MaximumConcurrency: 2 },
        FunctionResponseTypes: ['ReportBatchItemFailures'],
      },
    },
    Reconcile: {
      Type: 'AWS::Events::Rule',
      Properties: { ScheduleExpression: 'rate(5 minutes)', Targets: [{ Arn: arn('Worker'), Id: '1' }] },
    },
  });

  expect(eventSources).toEqual([
    {
      functionName: 'Rollcall-Worker',
      queueArn: 'arn:aws:sqs:us-east-1:000000000000:Rollcall-Tasks',
      batchSize: 100,
      windowSeconds: 1,
      maxConcurrency: 2,
      partialResponses: true,
    },
  ]);
  expect(schedules).toMatchObject([{ name: 'Rollcall-Reconcile', everyMs: 300_000 }]);
});

it("gathers a role's statements from its own and its attached policies", () => {
  const statement = (action: string) => ({ Effect: 'Allow', Action: action, Resource: '*' });
  const { roles } = read({
    Role: {
      Type: 'AWS::IAM::Role',
      Properties: {
        Policies: [{ PolicyName: 'own', PolicyDocument: { Statement: [statement('s3:GetObject')] } }],
      },
    },
    Policy: {
      Type: 'AWS::IAM::Policy',
      Properties: { Roles: [{ Ref: 'Role' }], PolicyDocument: { Statement: [statement('sqs:SendMessage')] } },
    },
  });

  expect(roles[0]?.statements.flatMap(({ actions }) => actions)).toEqual(['s3:GetObject', 'sqs:SendMessage']);
});

it.each([
  [
    'an intrinsic function that it does not know',
    {
      Queue: {
        Type: 'AWS::SQS::Queue',
        Properties: { QueueName: { 'Fn::ImportValue': 'x' }, DelaySeconds: { 'Fn::ImportValue': 'x' } },
      },
    },
  ],
  [
    'a part that a text does not have',
    {
      Queue: {
        Type: 'AWS::SQS::Queue',
        Properties: { QueueName: { 'Fn::Select': ['3', { 'Fn::Split': ['/', 'a/b'] }] } },
      },
    },
  ],
  ['a reference to nothing', { Queue: { Type: 'AWS::SQS::Queue', Properties: { DelaySeconds: { Ref: 'Nothing' } } } }],
  [
    'a role with a managed policy',
    { Role: { Type: 'AWS::IAM::Role', Properties: { ManagedPolicyArns: ['arn:aws:iam::aws:policy/ReadOnlyAccess'] } } },
  ],
  [
    'a schedule that is no rate',
    {
      Rule: {
        Type: 'AWS::Events::Rule',
        Properties: { ScheduleExpression: 'cron(0 1 * * ? *)', Targets: [{ Arn: 'x', Id: '1' }] },
      },
    },
  ],
])('refuses %s', (_what, resources) => {
  expect(() => read(resources)).toThrow(expect.objectContaining({ code: 'TEMPLATE_UNREADABLE' }));
});

it('refuses a function whose code is no asset of the assembly', () => {
  const Worker = { Type: 'AWS::Lambda::Function', Properties: { Handler: 'h', Role: 'r', Code: { S3Key: 'a.zip' } } };

  expect(() => describeTemplate({ Resources: { Worker } }, PLACE, () => undefined)).toThrow('a.zip');
});

const read = (resources: object) => describeTemplate({ Resources: resources }, PLACE, (key) => `assets/${key}`);
