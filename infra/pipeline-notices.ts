import type { IKey } from 'aws-cdk-lib/aws-kms';
import { SubscriptionFilter, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription, SqsSubscription, UrlSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

import { URGENCIES } from '../shared/notice.ts';
import type { Settings } from '../shared/settings.ts';

type Subscriber = Settings['notices']['subscribers'][number];

/** The topic that tells people and machines of jobs, and who hears what: apart from alarms, which wake somebody. */
export function noticesTopic(
  scope: Construct,
  { notices: { subscribers, escalation } }: Settings,
  masterKey?: IKey,
): Topic {
  const topic = new Topic(scope, 'Notices', {
    displayName: 'Rollcall',
    enforceSSL: true,
    ...(masterKey && { masterKey }),
  });
  subscribers.forEach((subscriber, index) => subscribe(topic, subscriber, index));
  const overdue: readonly (typeof URGENCIES)[number][] = ['overdue'];
  for (const email of escalation)
    topic.addSubscription(new EmailSubscription(email, { filterPolicy: { urgency: oneOf(overdue) } }));
  return topic;
}

function subscribe(topic: Topic, subscriber: Subscriber, index: number): void {
  const { email, https, queue } = subscriber;
  const options = optionsOf(subscriber);
  if (email !== undefined) topic.addSubscription(new EmailSubscription(email, options));
  if (https !== undefined) topic.addSubscription(new UrlSubscription(https, options));
  // Somebody else's queue: its own policy lets the topic send to it, or does not.
  if (queue !== undefined)
    topic.addSubscription(new SqsSubscription(Queue.fromQueueArn(topic, `Subscriber${index}`, queue), options));
}

const oneOf = (values: readonly string[]): SubscriptionFilter =>
  SubscriptionFilter.stringFilter({ allowlist: [...values] });

/** By the attributes that the notifier gives each notice. */
function optionsOf({ targets, operations, states, quietOnSuccess }: Subscriber): {
  readonly filterPolicy?: Record<string, SubscriptionFilter>;
} {
  const filterPolicy = {
    ...(targets && { target: oneOf(targets) }),
    ...(operations && { operation: oneOf(operations) }),
    ...(states && { state: oneOf(states) }),
    ...(quietOnSuccess && { urgency: oneOf(URGENCIES.filter((urgency) => urgency !== 'none')) }),
  };
  return Object.keys(filterPolicy).length === 0 ? {} : { filterPolicy };
}
