import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

/** These actions on these resources. */
export const allow = (actions: readonly string[], resources: readonly string[]): PolicyStatement =>
  new PolicyStatement({ actions: [...actions], resources: [...resources] });

/** What an event source needs of the queues that it reads, in its function's name. */
export const receives = (...queues: readonly Queue[]): PolicyStatement =>
  allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], queues.map(arnOf));

/** The same for a function that says when what it could not do comes again. */
export const receivesAgain = (...queues: readonly Queue[]): PolicyStatement =>
  allow(
    ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ChangeMessageVisibility'],
    queues.map(arnOf),
  );

export const sends = (...queues: readonly Queue[]): PolicyStatement => allow(['sqs:SendMessage'], queues.map(arnOf));

/** Actions on the objects of a bucket under these prefixes or patterns. */
export const onObjects = (bucket: Bucket, actions: readonly string[], ...patterns: readonly string[]) =>
  allow(
    actions,
    patterns.map((pattern) => bucket.arnForObjects(pattern)),
  );

/**
 * Lets S3 answer 404 for a key that is not there: without it the answer is 403. It has no condition on the prefix, because
 * a GetObject carries none, so the condition would never hold. (Amazon S3 API reference, GetObject.)
 */
export const tellsMissing = (...buckets: readonly Bucket[]): PolicyStatement =>
  allow(
    ['s3:ListBucket'],
    buckets.map(({ bucketArn }) => bucketArn),
  );

/** The targets' credentials: every secret whose name begins with `rollcall/`, none of which the stack creates. */
export const readsTargets = (scope: Construct): PolicyStatement =>
  allow(
    ['secretsmanager:GetSecretValue'],
    [
      Stack.of(scope).formatArn({
        service: 'secretsmanager',
        resource: 'secret',
        resourceName: 'rollcall/*',
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      }),
    ],
  );

/** Names alone, without contents. (Service authorization reference: ListSecrets knows no resource but all.) */
export const listsTargets = (): PolicyStatement => allow(['secretsmanager:ListSecrets'], ['*']);

export const publishes = (topic: Topic): PolicyStatement => allow(['sns:Publish'], [topic.topicArn]);

const arnOf = ({ queueArn }: Queue): string => queueArn;
