import { describe, expect, it } from 'vitest';

import { completeSettings } from '../../shared/settings.ts';
import { idIn, synthesizedStage } from './synthesized-stage.ts';

const QUEUE = 'arn:aws:sqs:eu-west-1:123456789012:told';
const stage = synthesizedStage({
  notices: {
    subscribers: [
      { email: 'all@example.com' },
      { email: 'hr@example.com', targets: ['prod'], operations: ['suspend', 'deactivate'], quietOnSuccess: true },
      { https: 'https://hooks.example.com/rollcall', states: ['halted'] },
      { queue: QUEUE },
    ],
    escalation: ['head@example.com'],
  },
});
const topic = stage.idOf('AWS::SNS::Topic', 'Notices');
const subscriptions = stage
  .all('AWS::SNS::Subscription')
  .map(([, { Properties: one }]) => one)
  .filter(({ TopicArn }) => idIn(TopicArn) === topic);

it('lets each subscriber hear what the stage says, by the attributes of notices', () => {
  expect(subscriptions.map(({ Protocol, Endpoint, FilterPolicy }) => [Protocol, Endpoint, FilterPolicy])).toEqual([
    ['email', 'all@example.com', undefined],
    [
      'email',
      'hr@example.com',
      { target: ['prod'], operation: ['suspend', 'deactivate'], urgency: ['look', 'act', 'overdue'] },
    ],
    ['https', 'https://hooks.example.com/rollcall', { state: ['halted'] }],
    ['sqs', QUEUE, undefined],
    ['email', 'head@example.com', { urgency: ['overdue'] }],
  ]);
});

it('looks at credentials once a day', () => {
  const rules = stage.all('AWS::Events::Rule').map(([, { Properties: rule }]) => rule);
  const daily = rules.filter(({ ScheduleExpression: rate }) => rate === 'rate(1 day)');

  expect(daily.map(({ Targets: [target] }) => idIn(target.Arn))).toEqual([
    stage.idOf('AWS::Lambda::Function', 'Notifier'),
  ]);
});

it('tells EventBridge of every object of the results bucket, without a function for it', () => {
  const { NotificationConfiguration } = stage.one('AWS::S3::Bucket', 'Results').Properties;

  expect(NotificationConfiguration).toEqual({ EventBridgeConfiguration: { EventBridgeEnabled: true } });
});

describe('a subscriber', () => {
  it.each([
    ['nobody', {}, 'must name one of email, https and queue'],
    ['two at once', { email: 'a@example.com', queue: QUEUE }, 'must name one of email, https and queue'],
    ['an http address', { https: 'http://hooks.example.com/' }, 'must be an https address'],
    ['a FIFO queue', { queue: `${QUEUE}.fifo` }, 'must be the ARN of an SQS queue'],
    ['a state that there is not', { email: 'a@example.com', states: ['sleeping'] }, 'states'],
  ])('that is %s is refused', (_what, subscriber, why) => {
    expect(() => completeSettings({ notices: { subscribers: [subscriber] } })).toThrow(why);
  });

  it('that stands there twice is refused, as SNS keeps one subscription of an address', () => {
    const given = { notices: { subscribers: [{ email: 'a@example.com' }], escalation: ['a@example.com'] } };

    expect(() => completeSettings(given)).toThrow('a@example.com stands there twice');
  });
});
