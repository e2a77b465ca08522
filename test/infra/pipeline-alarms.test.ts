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

  it('takes silence for health', () => {
    expect(alarm.TreatMissingData).toBe('notBreaching');
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
  const lastStops = stage.all(QUEUE).filter(([id]) => !received.includes(id));

  expect(watched('ApproximateNumberOfMessagesVisible', 'QueueName')).toEqual(lastStops.map(([id]) => id).toSorted());
});

it('watches the age of the oldest file, part of a plan, and row', () => {
  const queues = ['Validate', 'Plan', 'Tasks'].map((name) => stage.idOf(QUEUE, name));

  expect(watched('ApproximateAgeOfOldestMessage', 'QueueName')).toEqual(queues.toSorted());
});

it.each(['Errors', 'Throttles', 'RecursiveInvocationsDropped'])('watches %s of every function', (metric) => {
  const functions = stage.all(FUNCTION).map(([id]) => id);

  expect(watched(metric, 'FunctionName')).toEqual(functions.toSorted());
});

it('counts in the log of every function the messages that are quarantined', () => {
  const filters = stage.all('AWS::Logs::MetricFilter').map(([, { Properties: filter }]) => filter);
  const { MetricName: name, Namespace: namespace } = alarms.find((one) => one.name === 'Quarantine')!.alarm;

  const logGroups = stage.all('AWS::Logs::LogGroup').map(([id]) => id);
  expect(filters.map((filter) => idIn(filter.LogGroupName)).toSorted()).toEqual(logGroups.toSorted());
  for (const filter of filters) {
    expect(filter.FilterPattern).toBe('"message.quarantined"');
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
