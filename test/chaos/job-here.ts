import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { setTimeout as sleep } from 'node:timers/promises';

import { clientEnvironment } from '../../local/aws/services.ts';
import type { Connection } from '../../local/stack.ts';
import { s3Client, sqsClient } from '../../shared/aws/clients.ts';
import { s3ObjectStore } from '../../shared/aws/s3-object-store.ts';
import { jobIdOf } from '../../shared/job/keys.ts';
import { hasEnded } from '../../shared/job/job.ts';
import type { State } from '../../shared/job/state.ts';
import type { Summary } from '../../shared/job/summary.ts';
import type { ObjectStore } from '../../shared/ports.ts';

/** Clients of a stack as it runs now. */
export function clientsOf(connection: Connection) {
  const environment = clientEnvironment(connection);
  const s3 = s3Client(environment);
  return {
    s3,
    sqs: sqsClient(environment),
    results: s3ObjectStore({ client: s3, bucket: connection.resultsBucket }),
    inbox: s3ObjectStore({ client: s3, bucket: connection.inboxBucket }),
  };
}

export type Clients = ReturnType<typeof clientsOf>;

/** Uploads a manifest; gives the job that it becomes and the folder of its report. */
export async function upload(
  { s3 }: Clients,
  { inboxBucket }: Connection,
  { target, operation, name = 'people', text }: { target: string; operation: string; name?: string; text: string },
): Promise<{ readonly jobId: string; readonly prefix: string }> {
  const key = `${target}/${operation}/${name}.csv`;
  const { VersionId: versionId } = await s3.send(new PutObjectCommand({ Bucket: inboxBucket, Key: key, Body: text }));
  const jobId = jobIdOf({ bucket: inboxBucket, key, versionId });
  return { jobId, prefix: `${target}/${operation}/${jobId}/` };
}

/** Whether a job has ended and its newest report says all that there is to say. */
export const isReported = (state: State | undefined): boolean =>
  state !== undefined && hasEnded(state.state) && !state.reportDue && state.outbox.report === undefined;

export async function textOf(results: ObjectStore, key: string): Promise<string> {
  return (await (await results.read(key))?.text()) ?? '';
}

export const summaryIn = async (results: ObjectStore, prefix: string): Promise<Summary> =>
  JSON.parse(await textOf(results, `${prefix}summary.json`)) as Summary; // the reporter wrote it

/** Messages in a queue that are visible, hidden or delayed. */
export async function countIn({ sqs }: Pick<Clients, 'sqs'>, queueUrl: string): Promise<number> {
  const names = [
    'ApproximateNumberOfMessages',
    'ApproximateNumberOfMessagesNotVisible',
    'ApproximateNumberOfMessagesDelayed',
  ] as const;
  const { Attributes: attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...names] }),
  );
  return names.reduce((sum, name) => sum + Number(attributes[name] ?? 0), 0);
}

/** Asks again and again until the answer is yes; a failed question is a no. Throws when the time is over. */
export async function until(
  what: string,
  isSo: () => Promise<boolean>,
  { forMs, everyMs = 100 }: { readonly forMs: number; readonly everyMs?: number },
): Promise<void> {
  const deadlineMs = Date.now() + forMs;
  while (!(await isSo().catch(() => false))) {
    if (Date.now() > deadlineMs) throw new Error(`${what}: not within ${forMs / 1_000} s`);
    await sleep(everyMs);
  }
}
