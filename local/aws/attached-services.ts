import {
  CreateBucketCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { CreateSecretCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';

import { s3Client, secretsManagerClient, sqsClient } from '../../shared/aws/clients.ts';
import type { AccessKey } from './access-keys.ts';
import type { BucketDescription, QueueDescription, StackDescription } from './template/description.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The services that somebody else runs, and the key to them. */
export interface Attached {
  readonly s3?: string | undefined;
  readonly sqs?: string | undefined;
  readonly secretsManager?: string | undefined;
  readonly key?: AccessKey | undefined;
}

/** Reads `AWS_ENDPOINT_URL` and its kin. Source: AWS SDKs and tools reference guide, service-specific endpoints. */
export function attachedEndpoints(environment: Environment): Attached {
  const endpoint = (service: string): string | undefined =>
    (environment[`AWS_ENDPOINT_URL_${service}`] || environment['AWS_ENDPOINT_URL'])?.replace(/\/+$/, '');
  const [s3, sqs, secretsManager] = [endpoint('S3'), endpoint('SQS'), endpoint('SECRETS_MANAGER')];
  if (s3 === undefined && sqs === undefined && secretsManager === undefined) return {};
  const accessKeyId = environment['AWS_ACCESS_KEY_ID'] || 'test';
  const secretAccessKey = environment['AWS_SECRET_ACCESS_KEY'] || 'test';
  return { s3, sqs, secretsManager, key: { accessKeyId, secretAccessKey } };
}

/** What the template lists, created at services that somebody else runs; what is there already is kept. */
export function attach(attached: Attached, environment: Environment) {
  return {
    create: async ({ queues, buckets }: StackDescription): Promise<void> => {
      if (attached.sqs !== undefined) {
        const sqs = sqsClient(environment);
        for (const { name, attributes } of lastStopsFirst(queues)) {
          await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: { ...attributes } }));
        }
      }
      if (attached.s3 !== undefined) {
        const s3 = s3Client(environment);
        for (const bucket of buckets) await createBucket(s3, bucket);
      }
    },
    putSecret: async (name: string, secret: unknown): Promise<void> => {
      const secrets = secretsManagerClient(environment);
      const SecretString = JSON.stringify(secret);
      await secrets
        .send(new CreateSecretCommand({ Name: name, SecretString }))
        .catch(() => secrets.send(new PutSecretValueCommand({ SecretId: name, SecretString })));
    },
  };
}

async function createBucket(s3: S3Client, { name, versioned, notifications }: BucketDescription): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket: name })).catch(unlessOurs);
  if (versioned) {
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await s3.send(new PutBucketVersioningCommand({ Bucket: name, VersioningConfiguration }));
  }
  if (notifications.length === 0) return;
  const QueueConfigurations = notifications.map(({ queueArn, events, prefix, suffix }) => ({
    QueueArn: queueArn,
    Events: events as 's3:ObjectCreated:*'[], // the template's own, which AWS takes
    Filter: {
      Key: {
        FilterRules: [
          ...(prefix ? [{ Name: 'prefix' as const, Value: prefix }] : []),
          ...(suffix ? [{ Name: 'suffix' as const, Value: suffix }] : []),
        ],
      },
    },
  }));
  const NotificationConfiguration = { QueueConfigurations };
  await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket: name, NotificationConfiguration }));
}

function unlessOurs(error: unknown): void {
  if (error instanceof Error && error.name === 'BucketAlreadyOwnedByYou') return;
  throw error;
}

/** Each queue after the one that its redrive policy names. */
function lastStopsFirst(queues: readonly QueueDescription[]): readonly QueueDescription[] {
  const stepsBehind = ({ attributes }: QueueDescription): number => {
    const next = queues.find(({ arn }) => attributes['RedrivePolicy']?.includes(`"${arn}"`));
    return next ? 1 + stepsBehind(next) : 0;
  };
  return queues.toSorted((one, other) => stepsBehind(one) - stepsBehind(other));
}
