import { HeadObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';

import { eventsQueueOver } from '../shared/aws/events-queue.ts';
import { s3ObjectStore } from '../shared/aws/s3-object-store.ts';
import { sqsQueue } from '../shared/aws/sqs-queue.ts';
import { systemChance } from '../shared/aws/system-chance.ts';
import { readEnvironment, VARIABLE } from '../shared/settings.ts';
import { systemClock } from '../shared/aws/system-clock.ts';
import { s3Notification } from './aws/notifications.ts';
import type { InboxObject, RecoveryPorts } from './recovery.ts';
import type { StackDescription } from './aws/template/description.ts';

interface RecoveryPlace {
  readonly client: S3Client;
  readonly sqs: SQSClient;
  readonly inbox: string;
  readonly results: string;
  readonly region: string;
  readonly description: StackDescription;
}

/** What recovery needs, over a stack's own buckets and queues; `undefined` when the template has no such pipeline in it. */
export function recoveryPorts(place: RecoveryPlace): RecoveryPorts | undefined {
  const { client, sqs, inbox, description } = place;
  const coordinator = description.functions.find(({ environment }) => environment[VARIABLE]?.includes('"enqueue":'));
  const eventsQueueUrl = coordinator && readEnvironment('coordinator', coordinator.environment).resources.events;
  const intakeArn = description.buckets.find(({ name }) => name === inbox)?.notifications[0]?.queueArn;
  const intakeUrl = description.queues.find(({ arn }) => arn === intakeArn)?.url;
  if (eventsQueueUrl === undefined || intakeUrl === undefined) return undefined;
  return {
    bucket: inbox,
    manifests: () => newestVersions(client, inbox),
    results: s3ObjectStore({ client, bucket: place.results }),
    eventsQueue: eventsQueueOver(sqsQueue({ client: sqs, queueUrl: eventsQueueUrl })),
    announce: async (manifest) => {
      const MessageBody = s3Notification(createdOf(inbox, manifest), place.region);
      await sqs.send(new SendMessageCommand({ QueueUrl: intakeUrl, MessageBody }));
    },
    clock: systemClock,
    chance: systemChance,
  };
}

async function* newestVersions(client: S3Client, bucket: string): AsyncIterable<InboxObject> {
  for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket })) {
    for (const { Key: key = '', Size: bytes = 0 } of page.Contents ?? []) {
      if (!/\.csv$/i.test(key)) continue;
      const { VersionId: versionId } = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
      yield { key, versionId, bytes };
    }
  }
}

const createdOf = (bucket: string, { key, versionId, bytes }: InboxObject) => ({
  id: '',
  bucket,
  key,
  versionId,
  size: bytes,
  etag: '',
  eventTime: new Date().toISOString(),
  eventName: 'ObjectCreated:Put',
});
