import { describe, expect, it } from 'vitest';

import { deniesPlainText, idIn, synthesizedStage, textOf, type Json } from './synthesized-stage.ts';

const QUEUE = 'AWS::SQS::Queue';
const BUCKET = 'AWS::S3::Bucket';

const standard = synthesizedStage();

describe('buckets', () => {
  it('are encrypted, closed to the public, emptied with time, and kept when the stack is removed', () => {
    for (const [, bucket] of standard.all(BUCKET)) {
      expect(bucket.DeletionPolicy).toBe('RetainExceptOnCreate');
      expect(bucket.UpdateReplacePolicy).toBe('Retain');
      expect(bucket.Properties.BucketEncryption).toBeDefined();
      expect(Object.values(bucket.Properties.PublicAccessBlockConfiguration)).toEqual([true, true, true, true]);
      expect(bucket.Properties.LifecycleConfiguration.Rules[0].ExpirationInDays).toBeGreaterThan(0);
      expect(bucket.Properties.LifecycleConfiguration.Rules[0].AbortIncompleteMultipartUpload).toBeDefined();
    }
  });

  it('refuse what does not come over TLS', () => {
    const secured = standard
      .all('AWS::S3::BucketPolicy')
      .filter(([, { Properties: policy }]) => deniesPlainText(policy.PolicyDocument))
      .map(([, { Properties: policy }]) => idIn(policy.Bucket));

    expect(secured.toSorted()).toEqual(
      standard
        .all(BUCKET)
        .map(([id]) => id)
        .toSorted(),
    );
  });

  it.each(['rows/', 'plan/'])("keep a file's %s no longer than the file, and its report longer", (prefix) => {
    const rulesOf = (bucket: string) => standard.one(BUCKET, bucket).Properties.LifecycleConfiguration.Rules as Json[];

    const manifestDays = rulesOf('Inbox')[0].ExpirationInDays;
    const sooner = rulesOf('Results').find(({ Prefix: one }) => one === prefix);
    expect(sooner).toMatchObject({ ExpirationInDays: manifestDays, Status: 'Enabled' });
    expect(rulesOf('Results')[0].ExpirationInDays).toBeGreaterThan(manifestDays);
  });

  it('keep every version of a manifest', () => {
    const { VersioningConfiguration: versions } = standard.one(BUCKET, 'Inbox').Properties;

    expect(versions).toEqual({ Status: 'Enabled' });
  });
});

describe('the upload notification', () => {
  const inbox = standard.one(BUCKET, 'Inbox');
  const [policyId, policy] = standard
    .all('AWS::SQS::QueuePolicy')
    .find(([, { Properties: one }]) => idIn(one.Queues[0]) === standard.idOf(QUEUE, 'IntakeQueue'))!;

  it('reaches the intake queue for every object', () => {
    const { QueueConfigurations: configurations } = inbox.Properties.NotificationConfiguration;

    expect(configurations).toHaveLength(1);
    expect(configurations[0].Event).toBe('s3:ObjectCreated:*');
    expect(configurations[0].Filter).toBeUndefined();
    expect(idIn(configurations[0].Queue)).toBe(standard.idOf(QUEUE, 'IntakeQueue'));
  });

  it('is accepted from this bucket of this account alone', () => {
    const statement = policy.Properties.PolicyDocument.Statement.find((one: Json) => one.Effect === 'Allow');

    expect(statement.Principal).toEqual({ Service: 's3.amazonaws.com' });
    expect(statement.Action).toBe('sqs:SendMessage');
    const source = textOf(statement.Condition.ArnEquals['aws:SourceArn']);
    expect(source).toBe(`arn:<AWS::Partition>:s3:::${textOf(inbox.Properties.BucketName)}`);
    expect(statement.Condition.StringEquals).toEqual({ 'aws:SourceAccount': { Ref: 'AWS::AccountId' } });
  });

  it('is set up after the queue accepts it, for S3 tests that', () => {
    expect(inbox.DependsOn).toContain(policyId);
  });
});
