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

/** The targets' credentials: every secret whose name begins so, none of which the stack creates. */
export const readsTargets = (scope: Construct, prefix: string): PolicyStatement =>
  allow(
    ['secretsmanager:GetSecretValue'],
    [
      Stack.of(scope).formatArn({
        service: 'secretsmanager',
        resource: 'secret',
        resourceName: `${prefix}*`,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      }),
    ],
  );

/** Names alone, without contents. (Service authorization reference: ListSecrets knows no resource but all.) */
export const listsTargets = (): PolicyStatement => allow(['secretsmanager:ListSecrets'], ['*']);

export const publishes = (topic: Topic): PolicyStatement => allow(['sns:Publish'], [topic.topicArn]);
/** What Lambda does in a function's name to put it into a network, which has no resource to name yet. (AWS Lambda developer guide, VPC access.) */
export const joinsNetwork = (): PolicyStatement =>
  allow(
    [
      'ec2:AssignPrivateIpAddresses',
      'ec2:CreateNetworkInterface',
      'ec2:DeleteNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSubnets',
      'ec2:UnassignPrivateIpAddresses',
    ],
    ['*'],
  );

/** What S3 and SQS do in a function's name with what is encrypted with a key. (SQS developer guide, key management.) */
export const usesKey = (keyArn: string): PolicyStatement => allow(['kms:Decrypt', 'kms:GenerateDataKey'], [keyArn]);

const arnOf = ({ queueArn }: Queue): string => queueArn;
