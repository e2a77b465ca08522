import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import {
  completeSettings,
  readEnvironment,
  VARIABLE,
  visibilitySeconds,
  type FunctionName,
  type GivenSettings,
} from '../../shared/settings.ts';
import { deniesPlainText, idIn, synthesizedStage, textOf, type SynthesizedStage } from './synthesized-stage.ts';

const QUEUE = 'AWS::SQS::Queue';
const FUNCTION = 'AWS::Lambda::Function';
const SOURCE = 'AWS::Lambda::EventSourceMapping';
const BUCKET = 'AWS::S3::Bucket';
const FUNCTIONS = [
  ['intake', 'Intake'],
  ['splitter', 'Splitter'],
  ['planner', 'Planner'],
  ['worker', 'Worker'],
  ['coordinator', 'Coordinator'],
  ['reporter', 'Reporter'],
  ['notifier', 'Notifier'],
] as const satisfies readonly (readonly [FunctionName, string])[];

// The file that a deployer would take.
const smallAccount: unknown = JSON.parse(
  readFileSync(new URL('../../infra/stages/small-account.json', import.meta.url), 'utf8'),
);

const standard = synthesizedStage();

const sourcesOf = (stage: SynthesizedStage) =>
  stage.all(SOURCE).map(([, { Properties: source }]) => ({
    source,
    lambda: stage.resources[idIn(source.FunctionName)]!.Properties,
    queue: stage.resources[idIn(source.EventSourceArn)]!.Properties,
  }));

const sumBy = (stage: SynthesizedStage, lambda: unknown): number =>
  sourcesOf(stage)
    .filter((one) => one.lambda === lambda)
    .reduce((sum, { source }) => sum + source.ScalingConfig.MaximumConcurrency, 0);

const stages = {
  'the defaults': standard,
  'an account without reservations': synthesizedStage(smallAccount as GivenSettings),
  'a worker with three seconds': synthesizedStage({ name: 'chaos', worker: { timeoutSeconds: 3 } }),
  'a busy account': synthesizedStage({
    worker: { tasksConcurrency: 20, isolationConcurrency: 5, reservedConcurrency: 25, batchingWindowSeconds: 5 },
    maxReceiveCount: 8,
  }),
};

describe.each(Object.entries(stages))('event sources of %s', (_, stage) => {
  it('keep a message hidden for six function time-outs and the batching window', () => {
    for (const { source, lambda, queue } of sourcesOf(stage)) {
      const least = 6 * lambda.Timeout + (source.MaximumBatchingWindowInSeconds ?? 0);
      expect(queue.VisibilityTimeout).toBeGreaterThanOrEqual(least);
    }
  });

  it('say how many run at once, and which messages of a batch failed', () => {
    for (const { source } of sourcesOf(stage)) {
      expect(source.ScalingConfig.MaximumConcurrency).toBeGreaterThanOrEqual(2);
      expect(source.FunctionResponseTypes).toEqual(['ReportBatchItemFailures']);
    }
  });

  it('read queues that redrive after five receives or more', () => {
    for (const { queue } of sourcesOf(stage)) {
      expect(queue.RedrivePolicy.maxReceiveCount).toBeGreaterThanOrEqual(5);
    }
  });

  it('gather more than ten messages only over a window, and at most ten of a mailbox', () => {
    for (const { source, queue } of sourcesOf(stage)) {
      if (source.BatchSize > 10) expect(source.MaximumBatchingWindowInSeconds).toBeGreaterThanOrEqual(1);
      if (!queue.FifoQueue) continue;
      expect(source.BatchSize).toBeLessThanOrEqual(10);
      expect(source.MaximumBatchingWindowInSeconds).toBeUndefined();
    }
  });

  it('never have more to run than their function has reserved', () => {
    for (const [, { Properties: lambda }] of stage.all(FUNCTION)) {
      const reserved = lambda.ReservedConcurrentExecutions ?? Infinity;
      expect(reserved).toBeGreaterThanOrEqual(sumBy(stage, lambda));
    }
  });
});

describe('an account whose concurrency quota is ten', () => {
  it('can deploy: nothing is reserved', () => {
    const lambdas = stages['an account without reservations'].all(FUNCTION);

    expect(lambdas.map(([, { Properties: lambda }]) => 'ReservedConcurrentExecutions' in lambda)).toEqual(
      lambdas.map(() => false),
    );
  });

  it('has all event sources at the least that AWS lets them run', () => {
    const most = sourcesOf(stages['an account without reservations']).map(
      ({ source }) => source.ScalingConfig.MaximumConcurrency,
    );

    expect(new Set(most)).toEqual(new Set([2]));
  });

  it('stops jobs in time from a quota of twenty on: there is a slot for everything at once (promise 4)', () => {
    const sum = sourcesOf(standard).reduce((total, { source }) => total + source.ScalingConfig.MaximumConcurrency, 0);
    const reconcile = 1;
    const stop = 1;

    expect(sum + reconcile + stop).toBeLessThanOrEqual(20);
  });
});

it.each([
  ['the coordinator', 'Coordinator', 'the reconcile beside its mailboxes'],
  ['intake', 'Intake', 'a stop beside its uploads (promise 4)'],
])('leaves %s room (%s) for %s', (_who, name) => {
  const lambda = standard.one(FUNCTION, name).Properties;

  expect(lambda.ReservedConcurrentExecutions).toBeGreaterThan(sumBy(standard, lambda));
});

it('reads the intake queue by a function of its own, ten messages at once and soon over (promise 4)', () => {
  const intake = standard.one(FUNCTION, 'Intake').Properties;
  const own = sourcesOf(standard).filter(({ lambda }) => lambda === intake);

  expect(own.map(({ queue }) => queue)).toEqual([standard.one(QUEUE, 'IntakeQueue').Properties]);
  expect(own.map(({ source }) => source.BatchSize)).toEqual([10]);
  expect(own.map(({ source }) => source.MaximumBatchingWindowInSeconds)).toEqual([undefined]);
  expect(intake.Timeout).toBeLessThanOrEqual(10);
});

it('names intake by the alias that stops jobs, at the version that is deployed', () => {
  const alias = standard.one('AWS::Lambda::Alias', 'Stop').Properties;
  const version = standard.resources[idIn(alias.FunctionVersion)]!;
  const intake = standard.idOf(FUNCTION, 'Intake');

  expect([idIn(alias.FunctionName), idIn(version.Properties.FunctionName)]).toEqual([intake, intake]);
  expect(textOf(standard.outputs['IntakeFunctionName']?.Value)).toBe(`<${intake}>:${alias.Name}`);
});

describe('queues', () => {
  it.each([
    ['IntakeQueue', 'IntakeDead'],
    ['Validate', 'ValidateDead'],
    ['Plan', 'PlanDead'],
    ['Enqueue', 'EnqueueDead'],
    ['Tasks', 'Isolation'],
    ['Isolation', 'DeadLetters'],
    ['Events', 'EventsDead'],
    ['Reports', 'ReportsDead'],
    ['NoticesQueue', 'NoticesDead'],
  ])('%s redrives to %s', (from, to) => {
    const { RedrivePolicy: redrive } = standard.one(QUEUE, from).Properties;

    expect(idIn(redrive.deadLetterTargetArn)).toBe(standard.idOf(QUEUE, to));
  });

  it('take dead letters only of the queues that redrive to them', () => {
    const allowed = standard.all(QUEUE).map(([id, { Properties: queue }]) => {
      const { redrivePermission, sourceQueueArns = [] } = queue.RedriveAllowPolicy;
      return [id, redrivePermission, sourceQueueArns.map(textOf)] as const;
    });

    for (const [id, permission, arns] of allowed) {
      const sources = standard
        .all(QUEUE)
        .filter(([, { Properties: queue }]) => idIn(queue.RedrivePolicy?.deadLetterTargetArn) === id)
        .map(
          ([, { Properties: queue }]) =>
            `arn:<AWS::Partition>:sqs:<AWS::Region>:<AWS::AccountId>:${textOf(queue.QueueName)}`,
        );
      expect([permission, arns]).toEqual([sources.length > 0 ? 'byQueue' : 'denyAll', sources]);
    }
  });

  it('have names that SQS takes, of any stage, and new ones with each new stack', () => {
    const longest = synthesizedStage({
      name: 'a'.repeat(20),
      inboxBucketName: 'inbox',
      resultsBucketName: 'results',
    });
    const names = longest.all(QUEUE).map(([, { Properties: queue }]) => textOf(queue.QueueName));

    for (const name of names) {
      expect(name).toMatch(/^Rollcall-a{20}-[A-Za-z]+-<AWS::StackId\/2-0>(\.fifo)?$/);
      expect(name.replace(/<.*>/, '01234567').length).toBeLessThanOrEqual(80);
    }
    expect(new Set(names).size).toBe(names.length);
  });

  it('lets a row that comes with all its receives spent be received five times more, alone', () => {
    const receives = (name: string): number => standard.one(QUEUE, name).Properties.RedrivePolicy.maxReceiveCount;

    expect(receives('Isolation')).toBeGreaterThan(receives('Tasks') + 5);
  });

  it('give a part of a plan all the receives of six hours of waiting', () => {
    const { maxReceiveCount } = standard.one(QUEUE, 'Plan').Properties.RedrivePolicy;

    expect(maxReceiveCount).toBeGreaterThan((6 * 60) / 2);
  });

  it('keep what nobody finished for as long as SQS keeps anything', () => {
    for (const [, { Properties: queue }] of standard.all(QUEUE)) {
      expect(queue.MessageRetentionPeriod).toBe(14 * 86_400);
    }
  });

  it('are encrypted and refuse what does not come over TLS', () => {
    const secured = standard
      .all('AWS::SQS::QueuePolicy')
      .filter(([, { Properties: policy }]) => deniesPlainText(policy.PolicyDocument))
      .flatMap(([, { Properties: policy }]) => policy.Queues.map(idIn));

    const queues = standard.all(QUEUE);
    expect(secured.toSorted()).toEqual(queues.map(([id]) => id).toSorted());
    expect(queues.every(([, { Properties: queue }]) => queue.SqsManagedSseEnabled)).toBe(true);
  });

  it('give each mailbox its own throughput and redrive to a mailbox queue', () => {
    for (const name of ['Events', 'EventsDead']) {
      expect(standard.one(QUEUE, name).Properties).toMatchObject({
        FifoQueue: true,
        DeduplicationScope: 'messageGroup',
        FifoThroughputLimit: 'perMessageGroupId',
      });
    }
  });
});

describe('functions', () => {
  it.each(FUNCTIONS)('find in the environment of the %s exactly what it reads', (name, id) => {
    const variables: Record<string, unknown> = standard.one(FUNCTION, id).Properties.Environment.Variables;

    const read = [VARIABLE, 'NODE_OPTIONS']; // the last one by Node itself

    expect(Object.keys(variables).toSorted()).toEqual(read.toSorted());
    expect(readEnvironment(name, { [VARIABLE]: textOf(variables[VARIABLE]) })).toEqual(
      JSON.parse(textOf(variables[VARIABLE])),
    );
  });

  it('run on Node 24 and arm64', () => {
    for (const [, { Properties: lambda }] of standard.all(FUNCTION)) {
      expect(lambda).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'], Handler: 'index.handler' });
    }
  });

  it.each([
    ['Intake', 'Terminate'],
    ['Splitter', 'Allow'],
    ['Planner', 'Allow'],
    ['Worker', 'Allow'],
    ['Coordinator', 'Allow'],
    ['Reporter', 'Terminate'],
  ])('%s: a chain of its own messages: %s', (id, recursiveLoop) => {
    expect(standard.one(FUNCTION, id).Properties.RecursiveLoop).toBe(recursiveLoop);
  });

  it('write to log groups that forget', () => {
    for (const [, { Properties: lambda }] of standard.all(FUNCTION)) {
      const logGroup = standard.resources[idIn(lambda.LoggingConfig.LogGroup)]!;
      expect(logGroup.Properties.RetentionInDays).toBe(completeSettings().retention.logDays);
    }
  });

  it('know a job as overdue once its rows may be received again', () => {
    const { Variables: variables } = standard.one(FUNCTION, 'Coordinator').Properties.Environment;
    const { settings } = readEnvironment('coordinator', { [VARIABLE]: textOf(variables[VARIABLE]) });

    expect(visibilitySeconds(settings.worker)).toBe(standard.one(QUEUE, 'Tasks').Properties.VisibilityTimeout);
  });

  it('share a rate among as many workers as their event source runs at once', () => {
    const rows = standard.idOf(QUEUE, 'Tasks');
    const [, source] = standard.all(SOURCE).find(([, { Properties: one }]) => idIn(one.EventSourceArn) === rows)!;
    const { Variables: variables } = standard.one(FUNCTION, 'Worker').Properties.Environment;
    const { settings } = readEnvironment('worker', { [VARIABLE]: textOf(variables[VARIABLE]) });

    expect(settings.worker.tasksConcurrency).toBe(source.Properties.ScalingConfig.MaximumConcurrency);
  });
});

it('hides rows for 19 seconds when the worker may run for three', () => {
  const { VisibilityTimeout: seconds } = stages['a worker with three seconds'].one(QUEUE, 'Tasks').Properties;

  expect(seconds).toBe(19);
});

it('reconciles every minute, by a rule that may invoke the coordinator', () => {
  const [[ruleId, rule] = []] = standard.all('AWS::Events::Rule');
  const [[, permission] = []] = standard.all('AWS::Lambda::Permission');

  const coordinator = standard.idOf(FUNCTION, 'Coordinator');
  expect(rule?.Properties.ScheduleExpression).toBe('rate(1 minute)');
  expect(idIn(rule?.Properties.Targets[0].Arn)).toBe(coordinator);
  expect(idIn(permission?.Properties.FunctionName)).toBe(coordinator);
  expect(idIn(permission?.Properties.SourceArn)).toBe(ruleId);
});

it('creates no secret, no custom resource and no helper function', () => {
  const types = new Set(Object.values(standard.resources).map(({ Type: type }) => type));

  expect([...types].filter((type) => /^Custom::|CustomResource|SecretsManager/.test(type))).toEqual([]);
  expect(standard.all(FUNCTION)).toHaveLength(FUNCTIONS.length);
});

it('says where to upload, where reports lie and where failed rows are kept', () => {
  const { InboxBucketName, ResultsBucketName, DeadLetterQueueUrl, AlarmTopicArn } = standard.outputs;

  expect(idIn(InboxBucketName?.Value)).toBe(standard.idOf(BUCKET, 'Inbox'));
  expect(idIn(ResultsBucketName?.Value)).toBe(standard.idOf(BUCKET, 'Results'));
  expect(idIn(DeadLetterQueueUrl?.Value)).toBe(standard.idOf(QUEUE, 'DeadLetters'));
  expect(idIn(AlarmTopicArn?.Value)).toBe(standard.idOf('AWS::SNS::Topic', 'Alarms'));
});
