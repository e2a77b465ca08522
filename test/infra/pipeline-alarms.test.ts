import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { METRICS_NAMESPACE, STACK_DIMENSION, STACK_METRICS, TARGET_METRICS } from '../../shared/metrics.ts';
import { idIn, synthesizedStage, textOf, type Json } from './synthesized-stage.ts';

const stage = synthesizedStage({ alarms: { emails: ['oncall@example.com', 'identity@example.com'] } });
const QUEUE = 'AWS::SQS::Queue';
const FUNCTION = 'AWS::Lambda::Function';
const topic = stage.idOf('AWS::SNS::Topic', 'Alarms');
const alarms = stage.all('AWS::CloudWatch::Alarm').map(([id, { Properties: alarm }]) => ({
  name: id.replace(/Alarm[0-9A-F]{8}$/, ''),
  alarm,
}));

const watched = (metric: string, dimension: string): readonly string[] =>
  alarms
    .filter(({ alarm }) => alarm.MetricName === metric)
    .map(({ alarm }) => idIn(alarm.Dimensions.find(({ Name }: Json) => Name === dimension).Value))
    .toSorted();

describe.each(alarms)('the alarm $name', ({ name, alarm }) => {
  it('says in sentences what happened and what to do', () => {
    expect(alarm.AlarmDescription).toMatch(/^[A-Z].{40,}\.$/s);
    expect(alarm.AlarmDescription.split(/[.;] /).length).toBeGreaterThan(1);
  });

  it('tells the topic', () => {
    expect(alarm.AlarmActions.map(idIn)).toEqual([topic]);
  });

  it('takes silence for health, but for what should come every minute', () => {
    expect(alarm.TreatMissingData).toBe(name === 'Reconcile' ? 'breaching' : 'notBreaching');
  });

  it('tells within ten minutes', () => {
    expect(alarm.EvaluationPeriods * alarm.Period).toBeLessThanOrEqual(600);
  });

  it('has a section in the operations handbook', () => {
    const handbook = readFileSync(new URL('../../docs/operations-handbook.md', import.meta.url), 'utf8');

    expect(handbook).toContain(`\`${name}Alarm\``);
  });
});

it('watches every queue that no function receives from', () => {
  const received = stage
    .all('AWS::Lambda::EventSourceMapping')
    .map(([, { Properties: source }]) => idIn(source.EventSourceArn));
  const dead = stage.idOf(QUEUE, 'DeadLetters'); // watched by what is sent there, and why
  const lastStops = stage.all(QUEUE).filter(([id]) => !received.includes(id) && id !== dead);

  expect(watched('ApproximateNumberOfMessagesVisible', 'QueueName')).toEqual(lastStops.map(([id]) => id).toSorted());
});

it('watches the age of the oldest message of every queue that a function receives from', () => {
  const queues = stage
    .all('AWS::Lambda::EventSourceMapping')
    .map(([, { Properties: source }]) => idIn(source.EventSourceArn));

  expect(watched('ApproximateAgeOfOldestMessage', 'QueueName')).toEqual(queues.toSorted());
});

it.each(['Errors', 'Throttles', 'RecursiveInvocationsDropped'])('watches %s of every function', (metric) => {
  const functions = stage.all(FUNCTION).map(([id]) => id);

  expect(watched(metric, 'FunctionName')).toEqual(functions.toSorted());
});

it('watches everything that log lines count for the whole stack, and makes no metric of log lines but by their own format', () => {
  const own = alarms.filter(({ alarm }) => alarm.Namespace === METRICS_NAMESPACE).map(({ alarm }) => alarm);

  expect(own.map(({ MetricName: name }) => name).toSorted()).toEqual([...STACK_METRICS].toSorted());
  for (const { Dimensions: dimensions } of own)
    expect(dimensions).toEqual([{ Name: STACK_DIMENSION, Value: 'Rollcall' }]);
  expect(stage.all('AWS::Logs::MetricFilter')).toEqual([]);
});

it('has a dashboard of every metric', () => {
  const [[, dashboard] = []] = stage.all('AWS::CloudWatch::Dashboard');
  const body = textOf(dashboard?.Properties.DashboardBody);

  for (const metric of [...STACK_METRICS, ...Object.keys(TARGET_METRICS)]) expect(body).toContain(metric);
});

describe('the topic', () => {
  const [, policy] =
    stage.all('AWS::SNS::TopicPolicy').find(([, { Properties: one }]) => one.Topics.map(idIn).includes(topic)) ?? [];
  const statements: readonly Json[] = policy?.Properties.PolicyDocument.Statement;

  it('writes to everybody whom the stage names', () => {
    const subscribers = stage.all('AWS::SNS::Subscription').map(([, { Properties: one }]) => one);

    expect(subscribers.map(({ Protocol, Endpoint }) => [Protocol, Endpoint])).toEqual([
      ['email', 'oncall@example.com'],
      ['email', 'identity@example.com'],
    ]);
  });

  it('takes alarms of this account, and nothing that does not come over TLS', () => {
    const allowing = statements.find(({ Effect: effect }) => effect === 'Allow');
    const denying = statements.find(({ Effect: effect }) => effect === 'Deny');

    expect(allowing.Principal).toEqual({ Service: 'cloudwatch.amazonaws.com' });
    expect(textOf(allowing.Condition.StringEquals['aws:SourceAccount'])).toBe('<AWS::AccountId>');
    expect(denying.Condition).toEqual({ Bool: { 'aws:SecureTransport': 'false' } });
  });
});
