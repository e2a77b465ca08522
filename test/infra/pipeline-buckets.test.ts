import { readFileSync } from 'node:fs';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';

import { deniesPlainText, idIn, synthesizedStage, textOf, type Json } from './synthesized-stage.ts';

const QUEUE = 'AWS::SQS::Queue';
const BUCKET = 'AWS::S3::Bucket';

const standard = synthesizedStage();

const adoptedSchema = z.strictObject({
  Type: z.literal(BUCKET),
  DeletionPolicy: z.string(),
  UpdateReplacePolicy: z.string(),
  Properties: z.strictObject({ BucketName: z.string() }),
});

describe('buckets', () => {
  it('are encrypted, closed to the public and emptied with time', () => {
    for (const [, bucket] of standard.all(BUCKET)) {
      expect(bucket.Properties.BucketEncryption).toBeDefined();
      expect(Object.values(bucket.Properties.PublicAccessBlockConfiguration)).toEqual([true, true, true, true]);
      expect(bucket.Properties.LifecycleConfiguration.Rules[0].ExpirationInDays).toBeGreaterThan(0);
      expect(bucket.Properties.LifecycleConfiguration.Rules[0].AbortIncompleteMultipartUpload).toBeDefined();
    }
  });

  it('are kept when the stack is removed, and go with a first deployment that fails', () => {
    for (const [, bucket] of standard.all(BUCKET)) {
      expect(bucket.DeletionPolicy).toBe('RetainExceptOnCreate');
      expect(bucket.UpdateReplacePolicy).toBe('Retain');
    }
  });

  it('lose their policies with the stack: CloudFormation creates none where there is one', () => {
    const policies = standard.all('AWS::S3::BucketPolicy');

    expect(policies).toHaveLength(standard.all(BUCKET).length);
    expect(policies.filter(([, { DeletionPolicy: policy = 'Delete' }]) => policy !== 'Delete')).toEqual([]);
  });

  it.each(RegionInfo.regions.map(({ name }) => name))(
    'have names that S3 takes in %s, whatever the stage',
    (region) => {
      for (const stage of [standard, synthesizedStage({ name: 'a'.repeat(17) })]) {
        const names = ['Inbox', 'Results'].map((bucket) =>
          nameIn(stage.one(BUCKET, bucket).Properties.BucketName, region),
        );

        for (const name of names) expect(name).toMatch(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/);
        expect(new Set(names).size).toBe(2);
      }
    },
  );

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

describe('the way to take kept buckets up again, in the deployment guide', () => {
  const guide = readFileSync(new URL('../../docs/deployment.md', import.meta.url), 'utf8');
  const [, section = ''] = guide.split('\n### Taking kept buckets up again\n');
  const shown = [...(section.split('\n## ')[0] ?? '').matchAll(/^```json$(.*?)^```$/gms)].map(
    ([, json = '']): unknown => JSON.parse(json),
  );
  const stage = synthesizedStage({ name: 'production' });
  const adopted = z.strictObject({ Resources: z.record(z.string(), adoptedSchema) }).parse(shown[0]).Resources;

  it('names the buckets by the logical ids of the stack, which never change', () => {
    expect(Object.keys(adopted)).toEqual(['InboxA8E05DC3', 'Results25575328']);
    expect(Object.keys(adopted)).toEqual(['Inbox', 'Results'].map((name) => stage.idOf(BUCKET, name)));
  });

  it('keeps them as the stack does, which an import asks for', () => {
    for (const [id, { DeletionPolicy: kept, UpdateReplacePolicy: replaced }] of Object.entries(adopted)) {
      expect([kept, replaced]).toEqual([stage.resources[id]?.DeletionPolicy, stage.resources[id]?.UpdateReplacePolicy]);
    }
  });

  it('gives them the names that the stack gives them, and no property that the deployment would take for set', () => {
    for (const [id, { Properties: properties }] of Object.entries(adopted)) {
      const name = nameIn(stage.resources[id]?.Properties.BucketName, 'eu-central-1');
      expect(properties).toEqual({ BucketName: name });
    }
  });

  it('says to CloudFormation which bucket is which', () => {
    expect(shown[1]).toEqual(
      Object.entries(adopted).map(([id, { Type: type, Properties: properties }]) => ({
        ResourceType: type,
        LogicalResourceId: id,
        ResourceIdentifier: properties,
      })),
    );
  });
});

/** A bucket's name in an account and a region. */
function nameIn(name: Json, region: string): string {
  return textOf(name).replace('<AWS::AccountId>', '123456789012').replace('<AWS::Region>', region);
}
