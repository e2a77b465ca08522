import { Aws, CfnOutput, Duration, Stack, Tags, type App } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as InvokeFunction } from 'aws-cdk-lib/aws-events-targets';
import { ManagedPolicy, PermissionsBoundary, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Alias, type Code } from 'aws-cdk-lib/aws-lambda';
import { Key, type IKey } from 'aws-cdk-lib/aws-kms';
import type { CfnBucket, Bucket } from 'aws-cdk-lib/aws-s3';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

import {
  bucketPrefixOf,
  callsAtlassian,
  STOP_ALIAS,
  stackNameOf,
  VARIABLE,
  writeEnvironment,
  type FunctionName,
  type Resources,
  type Settings,
} from '../shared/settings.ts';
import { PLAN_PREFIX, ROWS_PREFIX } from '../shared/job/keys.ts';
import { secretPrefixOf } from '../shared/target.ts';
import { CERTIFICATES_PATH } from './bundles.ts';
import { pipelineBucket } from './constructs/bucket.ts';
import { pipelineFunction, receivesFrom, type PipelineFunction } from './constructs/function.ts';
import { joinsNetwork, usesKey } from './constructs/statements.ts';
import { acknowledgeFindings } from './acknowledgements.ts';
import { pipelineAlarms } from './pipeline-alarms.ts';
import { pipelineDashboard } from './pipeline-dashboard.ts';
import { noticesTopic } from './pipeline-notices.ts';
import { pipelineQueues } from './pipeline-queues.ts';
import { rolesOver, type Holdings } from './pipeline-roles.ts';

export interface PipelineOptions {
  readonly stage: Settings;
  /** The code of a function. */
  readonly code: (name: FunctionName) => Code;
}

/** The pipeline, wired in the order a row travels. It knows no account and no region, so it synthesizes anywhere. */
export function pipelineStack(app: App, { stage, code }: PipelineOptions): Stack {
  const stack = new Stack(app, stackNameOf(stage), {
    description: 'Rollcall: drop a CSV of people in a bucket; a report accounts for every row.',
  });
  for (const [key, value] of Object.entries(stage.tags)) Tags.of(stack).add(key, value);
  if (stage.permissionsBoundary !== undefined)
    PermissionsBoundary.of(stack).apply(
      ManagedPolicy.fromManagedPolicyArn(stack, 'Boundary', stage.permissionsBoundary),
    );
  const encryptionKey =
    stage.encryptionKey === undefined ? undefined : Key.fromKeyArn(stack, 'EncryptionKey', stage.encryptionKey);
  const { queues, lastStops } = pipelineQueues(stack, stage, encryptionKey);
  const { inbox, results } = pipelineBuckets(stack, stage, encryptionKey);
  const secretPrefix = secretPrefixOf(stage);
  announceUploads(stack, inbox, queues.intake);
  const notices = noticesTopic(stack, stage, encryptionKey);

  const functions = pipelineFunctions(stack, {
    stage,
    code,
    holdings: { inbox, results, queues, notices, secretPrefix },
  });
  connect(functions, queues, stage);
  const reconcile = reconcileEveryMinute(stack, functions.coordinator);
  checkCredentialsDaily(stack, functions.notifier);
  new Alias(stack, 'Stop', { aliasName: STOP_ALIAS, version: functions.intake.lambda.currentVersion });

  const topic = pipelineAlarms(stack, { stage, encryptionKey, functions, queues, lastStops, reconcile });
  pipelineDashboard(stack, { stage, queues });
  output(stack, {
    InboxBucketName: inbox.bucketName,
    ResultsBucketName: results.bucketName,
    DeadLetterQueueUrl: queues.deadLetters.queueUrl,
    TasksQueueUrl: queues.tasks.queueUrl,
    // With its alias: who may invoke that may stop jobs.
    IntakeFunctionName: `${functions.intake.lambda.functionName}:${STOP_ALIAS}`,
    AlarmTopicArn: topic.topicArn,
    NoticesTopicArn: notices.topicArn,
    TargetSecretPrefix: secretPrefix,
  });
  acknowledgeFindings(stack, { inbox, results, secretPrefix });
  return stack;
}

function pipelineBuckets(
  scope: Construct,
  stage: Settings,
  encryptionKey: IKey | undefined,
): Pick<Holdings, 'inbox' | 'results'> {
  const { manifestDays, resultDays, accessLogDays } = stage.retention;
  // Under S3's own key whatever the stage says: S3 delivers no access logs to a bucket under another. (Amazon S3 user guide, server access logging.)
  const bucket = pipelineBucket(scope, 'AccessLogs', { expiryDays: accessLogDays });
  const inbox = pipelineBucket(scope, 'Inbox', {
    name: stage.inboxBucketName ?? defaultBucketName(stage, 'inbox'),
    versioned: true,
    encryptionKey,
    expiryDays: manifestDays,
    accessLogs: { bucket, prefix: 'inbox/' },
  });
  const results = pipelineBucket(scope, 'Results', {
    name: stage.resultsBucketName ?? defaultBucketName(stage, 'results'),
    encryptionKey,
    expiryDays: resultDays,
    sooner: { prefixes: [ROWS_PREFIX, PLAN_PREFIX], expiryDays: Math.min(manifestDays, resultDays) },
    accessLogs: { bucket, prefix: 'results/' },
  });
  // The L2's eventBridgeEnabled deploys a function of CDK's for what is one property.
  cfnBucketOf(results).notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
  return { inbox, results };
}

const cfnBucketOf = (bucket: Bucket): CfnBucket => bucket.node.defaultChild as CfnBucket; // what an L2 bucket is made of

// S3 tests that it may send before a bucket with notifications exists, so the queue's policy must know the bucket's name
// beforehand: it cannot be one that CloudFormation makes up.
const defaultBucketName = (stage: Settings, purpose: 'inbox' | 'results'): string =>
  `${bucketPrefixOf(stage, purpose)}${Aws.ACCOUNT_ID}-${Aws.REGION}`;

/** Tells the intake queue of every object; intake tells manifests from commands. Filters for both would overlap, which S3 refuses. */
function announceUploads(stack: Stack, inbox: Bucket, intake: Queue): void {
  const bucket = cfnBucketOf(inbox);
  const name = bucket.bucketName ?? '';
  intake.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal('s3.amazonaws.com')],
      actions: ['sqs:SendMessage'],
      resources: [intake.queueArn],
      conditions: {
        ArnEquals: { 'aws:SourceArn': stack.formatArn({ service: 's3', region: '', account: '', resource: name }) },
        StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
      },
    }),
  );
  bucket.notificationConfiguration = {
    queueConfigurations: [{ event: 's3:ObjectCreated:*', queue: intake.queueArn }],
  };
  const queuePolicy = intake.node.findChild('Policy');
  bucket.node.addDependency(queuePolicy);
}

interface FunctionsOptions extends PipelineOptions {
  readonly holdings: Holdings;
}

type Functions = Readonly<Record<FunctionName, PipelineFunction>>;

function pipelineFunctions(scope: Construct, { stage, code, holdings }: FunctionsOptions): Functions {
  const statements = rolesOver(scope, holdings);
  const resources = resourcesOf(holdings);
  const build = (name: FunctionName, id: string, about: string, recursive: boolean): PipelineFunction =>
    pipelineFunction(scope, id, {
      about,
      recursive,
      code: code(name),
      settings: stage[name],
      logDays: stage.retention.logDays,
      vpc: stage.vpc,
      environment: {
        [VARIABLE]: writeEnvironment(name, stage, resources),
        ...(stage.certificates !== undefined && callsAtlassian(name) && { NODE_EXTRA_CA_CERTS: CERTIFICATES_PATH }),
      },
      statements: [...statements[name], ...ofEveryFunction(stage)],
    });
  return {
    intake: build('intake', 'Intake', 'Routes uploads and commands, and stops jobs.', false),
    splitter: build('splitter', 'Splitter', 'Validates manifests and sends the changes that are released.', true),
    planner: build('planner', 'Planner', 'Plans what each row would change, and whether the job may run.', true),
    worker: build('worker', 'Worker', 'Applies changes at Atlassian.', true),
    coordinator: build('coordinator', 'Coordinator', 'Folds what happens to a job and decides what follows.', true),
    reporter: build('reporter', 'Reporter', "Writes a job's report files.", false),
    notifier: build(
      'notifier',
      'Notifier',
      'Tells people what became of a job, and which credentials need them.',
      false,
    ),
  };
}

/** What a network and a key of the account's own ask of every role. */
const ofEveryFunction = ({ vpc, encryptionKey }: Settings): readonly PolicyStatement[] => [
  ...(vpc ? [joinsNetwork()] : []),
  ...(encryptionKey === undefined ? [] : [usesKey(encryptionKey)]),
];

const resourcesOf = ({ inbox, results, queues, notices }: Holdings): Resources => ({
  inbox: inbox.bucketName,
  results: results.bucketName,
  validate: queues.validate.queueUrl,
  plan: queues.plan.queueUrl,
  tasks: queues.tasks.queueUrl,
  isolationArn: queues.isolation.queueArn,
  deadLetters: queues.deadLetters.queueUrl,
  events: queues.events.queueUrl,
  enqueue: queues.enqueue.queueUrl,
  reports: queues.reports.queueUrl,
  notices: queues.notices.queueUrl,
  noticesTopic: notices.topicArn,
});

/** Each takes milliseconds, and more than ten would be gathered over a window. */
const UPLOADS_BATCH = 10;
/** Batches of ten are the most that a FIFO queue gives. */
const MAILBOX_BATCH = 10;

function connect(functions: Functions, queues: Holdings['queues'], stage: Settings): void {
  const { intake, splitter, planner, worker, coordinator, reporter, notifier } = functions;
  const { intakeConcurrency } = stage.intake;
  receivesFrom(intake, 'Uploads', {
    queue: queues.intake,
    batchSize: UPLOADS_BATCH,
    maxConcurrency: intakeConcurrency,
  });
  const { validateConcurrency, enqueueConcurrency } = stage.splitter;
  receivesFrom(splitter, 'Validate', { queue: queues.validate, batchSize: 1, maxConcurrency: validateConcurrency });
  const { planConcurrency } = stage.planner;
  receivesFrom(planner, 'Plan', { queue: queues.plan, batchSize: 1, maxConcurrency: planConcurrency });
  receivesFrom(splitter, 'Enqueue', { queue: queues.enqueue, batchSize: 1, maxConcurrency: enqueueConcurrency });
  const { batchSize, batchingWindowSeconds, tasksConcurrency, isolationConcurrency } = stage.worker;
  receivesFrom(worker, 'Tasks', {
    queue: queues.tasks,
    batchSize,
    batchingWindowSeconds,
    maxConcurrency: tasksConcurrency,
  });
  receivesFrom(worker, 'Isolation', { queue: queues.isolation, batchSize: 1, maxConcurrency: isolationConcurrency });
  const { eventsConcurrency } = stage.coordinator;
  receivesFrom(coordinator, 'Events', {
    queue: queues.events,
    batchSize: MAILBOX_BATCH,
    maxConcurrency: eventsConcurrency,
  });
  const { reportsConcurrency } = stage.reporter;
  receivesFrom(reporter, 'Reports', { queue: queues.reports, batchSize: 1, maxConcurrency: reportsConcurrency });
  const { noticesConcurrency } = stage.notifier;
  receivesFrom(notifier, 'Notices', { queue: queues.notices, batchSize: 1, maxConcurrency: noticesConcurrency });
}

function reconcileEveryMinute(scope: Construct, coordinator: PipelineFunction): Rule {
  return new Rule(scope, 'Reconcile', {
    description: 'Reminds every open job of the time.',
    schedule: Schedule.rate(Duration.minutes(1)),
    targets: [new InvokeFunction(coordinator.lambda)],
  });
}

function checkCredentialsDaily(scope: Construct, notifier: PipelineFunction): void {
  new Rule(scope, 'CheckCredentials', {
    description: "Tries each target's credentials with calls that only read.",
    schedule: Schedule.rate(Duration.days(1)),
    targets: [new InvokeFunction(notifier.lambda)],
  });
}

function output(scope: Construct, values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values)) new CfnOutput(scope, name, { value });
}
