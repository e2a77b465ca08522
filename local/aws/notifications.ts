import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';

import type { Created } from './s3/bucket-state.ts';
import type { NotificationDescription, StackDescription } from './template/description.ts';

interface NotifierOptions {
  readonly description: StackDescription;
  readonly sqs: SQSClient;
  readonly region: string;
}

/** Tells queues of objects that were stored, as the template's notifications say. */
export function createNotifier({ description: { buckets, queues }, sqs, region }: NotifierOptions) {
  return async (created: Created): Promise<void> => {
    const notifications = buckets.find(({ name }) => name === created.bucket)?.notifications ?? [];
    const concerned = notifications.filter((notification) => concerns(notification, created));
    const MessageBody = s3Notification(created, region);
    await Promise.all(
      concerned.map(({ queueArn }) => {
        const QueueUrl = queues.find(({ arn }) => arn === queueArn)?.url;
        return sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
      }),
    );
  };
}

const concerns = ({ event, prefix, suffix }: NotificationDescription, { key, eventName }: Created): boolean =>
  (event === 's3:ObjectCreated:*' || event === `s3:${eventName}`) && key.startsWith(prefix) && key.endsWith(suffix);

/** The message that tells of one object. */
export const s3Notification = (created: Created, region: string): string =>
  JSON.stringify({ Records: [s3Record(created, region)] });

/** Source: Amazon S3 user guide, "Event message structure"; keys are URL-encoded, with `+` for a space. */
const s3Record = (created: Created, awsRegion: string): object => ({
  eventVersion: '2.1',
  eventSource: 'aws:s3',
  awsRegion,
  eventTime: created.eventTime,
  eventName: created.eventName,
  userIdentity: { principalId: created.principalId },
  s3: {
    s3SchemaVersion: '1.0',
    bucket: { name: created.bucket, arn: `arn:aws:s3:::${created.bucket}` },
    object: {
      key: encodeURIComponent(created.key).replaceAll('%20', '+').replaceAll('%2F', '/'),
      size: created.size,
      eTag: created.etag,
      ...(created.versionId !== undefined && { versionId: created.versionId }),
      sequencer: Date.parse(created.eventTime).toString(16).toUpperCase().padStart(16, '0'),
    },
  },
});
