import { Aws, Stack } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Rule } from 'aws-cdk-lib/aws-events';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';

import { type FunctionName, type Settings, stackNameOf } from '../shared/settings.ts';
import { METRICS_NAMESPACE, STACK_DIMENSION, type StackMetric } from '../shared/metrics.ts';
import { ALARM_PERIOD, pipelineAlarm } from './constructs/alarm.ts';
import type { PipelineFunction } from './constructs/function.ts';
import type { LastStops, Queues } from './pipeline-queues.ts';

interface AlarmsOptions {
  readonly stage: Settings;
  readonly encryptionKey: IKey | undefined;
  readonly functions: Readonly<Record<FunctionName, PipelineFunction>>;
  readonly queues: Queues;
  readonly lastStops: LastStops;
  /** Reminds open jobs of the time. */
  readonly reconcile: Rule;
}

/** Everything that somebody must be told of, and the topic that tells them. */
export function pipelineAlarms(scope: Construct, options: AlarmsOptions): Topic {
  const topic = alarmTopic(scope, options);
  watchLastStops(scope, topic, options.lastStops);
  watchFailedRows(scope, topic, options);
  watchJobs(scope, topic, options);
  watchOldest(scope, topic, options);
  for (const { lambda } of Object.values(options.functions)) watchFunction(scope, topic, lambda.node.id, lambda);
  watchQuarantine(scope, topic, options);
  watchFailures(scope, topic, options);
  watchReconcile(scope, topic, options.reconcile);
  return topic;
}

function alarmTopic(scope: Construct, { stage, encryptionKey: masterKey }: AlarmsOptions): Topic {
  const topic = new Topic(scope, 'Alarms', {
    displayName: 'Rollcall',
    enforceSSL: true,
    ...(masterKey && { masterKey }),
  });
  for (const email of stage.alarms.emails) topic.addSubscription(new EmailSubscription(email));
  // A topic with a policy of its own has lost the default one, by which CloudWatch could publish.
  topic.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: {
        ArnLike: { 'aws:SourceArn': Stack.of(scope).formatArn({ service: 'cloudwatch', resource: 'alarm:*' }) },
        StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
      },
    }),
  );
  return topic;
}

/** The dead letters of rows are no last stop of messages: most wake nobody, and the queue is never empty for long. */
type WatchedStop = Exclude<keyof LastStops, 'deadLetters'>;

const LAST_STOP_ALARMS: Readonly<Record<WatchedStop, { readonly id: string; readonly description: string }>> = {
  intakeDead: {
    id: 'IntakeDeadAlarm',
    description:
      "An upload's event failed five times: no job began, or a command was not obeyed. Find the cause in intake's log, " +
      'then redrive the queue or upload the file again.',
  },
  validateDead: {
    id: 'ValidateDeadAlarm',
    description:
      "A file could not be read, five times. Find the cause in the splitter's log, then redrive the queue or upload the file " +
      'again.',
  },
  planDead: {
    id: 'PlanDeadAlarm',
    description:
      "A part of a job could not be planned, so the job does not go on. Find the cause in the planner's log, then redrive the " +
      'queue, or cancel the job and upload its file again.',
  },
  enqueueDead: {
    id: 'EnqueueDeadAlarm',
    description:
      'A request to send rows failed five times. It is sent again within a minute; if this comes back, the job ends with rows ' +
      "NOT_APPLIED: find the cause in the splitter's log.",
  },
  eventsDead: {
    id: 'EventsDeadAlarm',
    description:
      "Events of a job failed five times, so its counts may be too low. Find the cause in the coordinator's log, then redrive " +
      'the queue: each event counts once, however late it comes.',
  },
  reportsDead: {
    id: 'ReportsDeadAlarm',
    description:
      "A job's report could not be written. Find the cause in the reporter's log; the request is sent again within a minute, " +
      'and redriving the queue does too.',
  },
  noticesDead: {
    id: 'NoticesDeadAlarm',
    description:
      "Nobody was notified of a job, though its report is there. Find the cause in the notifier's log, then redrive the queue.",
  },
};

function watchLastStops(scope: Construct, topic: Topic, lastStops: LastStops): void {
  for (const [name, { id, description }] of Object.entries(LAST_STOP_ALARMS)) {
    const queue = lastStops[name as WatchedStop]; // the keys of a record over them
    // NumberOfMessagesSent would not count messages that SQS redrives itself.
    const metric = queue.metricApproximateNumberOfMessagesVisible({ period: ALARM_PERIOD, statistic: 'Maximum' });
    pipelineAlarm(scope, id, { topic, metric, above: 0, description });
  }
}

/** Nothing of ours waits for anybody but AWS. */
const OWN_MINUTES = 10;

/** A metric that the functions' log lines carry (shared/metrics.ts). */
const counted = (stage: Settings, metricName: StackMetric): Metric =>
  new Metric({
    namespace: METRICS_NAMESPACE,
    metricName,
    dimensionsMap: { [STACK_DIMENSION]: stackNameOf(stage) },
    period: ALARM_PERIOD,
    statistic: 'Sum',
  });

/** By what is sent and not by what lies there: an old dead letter keeps no new one quiet. */
function watchFailedRows(scope: Construct, topic: Topic, { stage }: AlarmsOptions): void {
  pipelineAlarm(scope, 'DeadLettersAlarm', {
    topic,
    metric: counted(stage, 'RowsFailedByOthers'),
    above: 0,
    description:
      'Rows of a job failed for good for reasons that are not their own: credentials, Atlassian, or a worker that died. Read their codes in ' +
      "the job's failed.csv and fix what they name, then redrive them with dead-letters redrive, or drop failed.csv in again.",
  });
}

/** What people are told of in notices, too: these wake somebody. */
function watchJobs(scope: Construct, topic: Topic, { stage }: AlarmsOptions): void {
  const watch = (id: string, metric: StackMetric, description: string): void =>
    pipelineAlarm(scope, id, { topic, metric: counted(stage, metric), above: 0, description });
  watch(
    'HaltedAlarm',
    'JobsHalted',
    'A job stopped by itself. Its notice and `npx rollcall status` say which and why; remove the cause, then resume or cancel it.',
  );
  watch(
    'OverdueAlarm',
    'ApprovalsOverdue',
    'A job that suspends or deactivates people has waited for approval for an hour or longer, and they still have their access. Find it with ' +
      '`npx rollcall status`, look at its plan, then approve or cancel it.',
  );
  watch(
    'CredentialsAlarm',
    'CredentialsFailing',
    "A target's credentials are refused, or end within 30 days. The notice names the target and the credential; put new ones into its secret.",
  );
}

function watchOldest(scope: Construct, topic: Topic, { stage, queues }: AlarmsOptions): void {
  const minutes = stage.alarms.oldestRowMinutes;
  const watch = (id: string, queue: keyof Queues, description: string, atMost = minutes): void => {
    const metric = queues[queue].metricApproximateAgeOfOldestMessage({ period: ALARM_PERIOD, statistic: 'Maximum' });
    pipelineAlarm(scope, id, { topic, metric, above: atMost * 60, description });
  };
  const OWN: readonly (readonly [string, keyof Queues, string, string])[] = [
    ['OldestUploadAlarm', 'intake', 'An upload or a command', "intake's log"],
    ['OldestRequestAlarm', 'enqueue', 'A request to send rows', "the splitter's log"],
    ['OldestEventAlarm', 'events', 'What happened to a job', "the coordinator's log"],
    ['OldestReportAlarm', 'reports', 'A report', "the reporter's log"],
    ['OldestNoticeAlarm', 'notices', 'A notice', "the notifier's log"],
    ['OldestAloneAlarm', 'isolation', 'A row that is tried alone, since its batch died,', "the worker's log"],
  ];
  for (const [id, queue, what, where] of OWN) {
    const text = `${what} has waited for more than ${OWN_MINUTES} minutes, so what comes after it waits too. Find the cause in ${where}; it is tried again by itself.`;
    watch(id, queue, text, OWN_MINUTES);
  }

  watch(
    'OldestFileAlarm',
    'validate',
    `A file has waited for more than ${minutes} minutes to be read. See in the splitter's log whether it runs; it reads as ` +
      'many files at once as splitter.validateConcurrency says.',
  );
  watch(
    'OldestPlanAlarm',
    'plan',
    `A job has waited for more than ${minutes} minutes for a part of its plan. See in the planner's log whether it runs and ` +
      'whether Atlassian answers; nothing is changed until the whole job is planned.',
  );
  watch(
    'OldestRowAlarm',
    'tasks',
    `A row has waited for more than ${minutes} minutes. See in the worker's log whether it runs and whether Atlassian ` +
      'answers; pause the job if Atlassian is down.',
  );
}

function watchFunction(scope: Construct, topic: Topic, id: string, lambda: PipelineFunction['lambda']): void {
  const sum = { period: ALARM_PERIOD, statistic: 'Sum' };
  const alarm = (kind: string, metric: Metric, description: string): void =>
    pipelineAlarm(scope, `${id}${kind}Alarm`, { topic, metric, above: 0, description });
  const name = id.toLowerCase();

  alarm(
    'Errors',
    lambda.metricErrors(sum),
    `The ${name} failed, ran out of time or ran out of memory. Its messages are delivered again; read the error in ` +
      'its log, and fix the cause if it comes back.',
  );
  alarm(
    'Throttles',
    lambda.metricThrottles(sum),
    `Lambda held the ${name} back: the account's or the function's concurrency is used up. Raise the quota or the ` +
      'reservation, or lower maxConcurrency in the stage.',
  );
  alarm(
    'Recursion',
    new Metric({
      namespace: 'AWS/Lambda',
      metricName: 'RecursiveInvocationsDropped',
      dimensionsMap: { FunctionName: lambda.functionName },
      ...sum,
    }),
    `Lambda took the ${name} for an endless loop and dropped its messages. Allow recursive loops for the function again ` +
      '(deploying the stack does), then resume the open jobs.',
  );
}

function watchQuarantine(scope: Construct, topic: Topic, { stage }: AlarmsOptions): void {
  pipelineAlarm(scope, 'QuarantineAlarm', {
    topic,
    metric: counted(stage, 'MessagesQuarantined'),
    above: 0,
    description:
      'A message that is not ours, or of a version we do not know, was kept under quarantine/ in the results bucket. ' +
      'Read its reason there, find who sent it, and delete it or send it again in the right shape.',
  });
}

/** By the functions' log lines about messages that they could not do and that come again; no Lambda error counts those. */
function watchFailures(scope: Construct, topic: Topic, { stage }: AlarmsOptions): void {
  pipelineAlarm(scope, 'FailuresAlarm', {
    topic,
    metric: counted(stage, 'MessagesFailed'),
    above: 0,
    periods: 2,
    description:
      'Messages keep failing, for ten minutes now; each is tried again within two. Look for lines that end in .failed in the logs of the ' +
      'functions: they name the error and the job. Where AWS is at fault, nothing is lost and nothing is to be done.',
  });
}

/** Without it a job that waits for nothing but time stands still. */
function watchReconcile(scope: Construct, topic: Topic, rule: Rule): void {
  pipelineAlarm(scope, 'ReconcileAlarm', {
    topic,
    metric: new Metric({
      namespace: 'AWS/Events',
      metricName: 'Invocations',
      dimensionsMap: { RuleName: rule.ruleName },
      period: ALARM_PERIOD,
      statistic: 'Sum',
    }),
    below: 1,
    periods: 2,
    description:
      'The scheduled look at open jobs has not come for ten minutes: jobs that wait for time do not go on, and lost messages are not ' +
      'sent again. See in EventBridge whether the schedule of this stack is enabled and may invoke the coordinator.',
  });
}
