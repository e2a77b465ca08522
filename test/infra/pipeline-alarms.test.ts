import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

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

it.each([
  ['Quarantine', /^"message\.quarantined"$/],
  ['Failures', /^(?:\??"\w+\.failed" ?)+$/],
])('counts in the log of every function what the alarm %s is about', (kind, pattern) => {
  const { MetricName: name, Namespace: namespace } = alarms.find((one) => one.name === kind)!.alarm;
  const filters = stage
    .all('AWS::Logs::MetricFilter')
    .map(([, { Properties: filter }]) => filter)
    .filter(({ MetricTransformations: [{ MetricName: counted }] }: Json) => counted === name);

  const logGroups = stage.all('AWS::Logs::LogGroup').map(([id]) => id);
  expect(filters.map((filter) => idIn(filter.LogGroupName)).toSorted()).toEqual(logGroups.toSorted());
  for (const filter of filters) {
    expect(filter.FilterPattern).toMatch(pattern);
    expect(filter.MetricTransformations).toEqual([{ MetricName: name, MetricNamespace: namespace, MetricValue: '1' }]);
  }
});

describe('the topic', () => {
  const [[, policy] = []] = stage.all('AWS::SNS::TopicPolicy');
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

it('looks for the lines that functions log of messages which they give back', () => {
  const patterns = stage
    .all('AWS::Logs::MetricFilter')
    .map(([, { Properties: filter }]) => filter.FilterPattern as string);
  const wanted = patterns.flatMap((pattern) => pattern.match(/\w+\.failed/g) ?? []);
  const logged = [
    'intake/intake',
    'splitter/splitter',
    'planner/planner',
    'worker/apply-tasks',
    'worker/batch',
    'coordinator/coordinator',
    'reporter/reporter',
  ].flatMap((file) =>
    [
      ...readFileSync(new URL(`../../functions/${file}.ts`, import.meta.url), 'utf8').matchAll(/log\('(\w+\.failed)'/g),
    ].map(([, line]) => line),
  );

  expect(wanted.toSorted()).toEqual([...new Set(logged)].toSorted());
});
