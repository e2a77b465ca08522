import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReceiveMessageCommand, SQSClient, type Message, type ReceiveMessageCommandInput } from '@aws-sdk/client-sqs';

import type { AwsCall } from '../../../../local/aws/access-control.ts';
import { startQueues, type QueuesOptions } from '../../../../local/aws/sqs/queues.ts';

export const KEY = { accessKeyId: 'LOCALTEST', secretAccessKey: 'secret' };
export const ACCOUNT = '000000000000';
export const REGION = 'eu-central-1';

type QueueAttributes = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** An embedded SQS in a folder of its own, with a clock that can be put forward and a client that may use it. */
export async function queuesHere(
  queues: QueueAttributes,
  { folder = mkdtempSync(join(tmpdir(), 'queues-')), ...options }: Partial<QueuesOptions> = {},
) {
  const calls: AwsCall[] = [];
  let aheadMs = 0;
  const server = await startQueues({
    folder,
    credentials: (id) => (id === KEY.accessKeyId ? KEY.secretAccessKey : undefined),
    region: REGION,
    account: ACCOUNT,
    record: (call) => calls.push(call),
    nowMs: () => Date.now() + aheadMs,
    ...options,
  });
  const create = (more: QueueAttributes): void =>
    server.create(Object.entries(more).map(([name, attributes]) => ({ name, attributes })));
  create(queues);
  const clientWith = (secretAccessKey: string): SQSClient =>
    new SQSClient({ endpoint: server.url, region: REGION, credentials: { ...KEY, secretAccessKey } });
  const sqs = clientWith(KEY.secretAccessKey);
  const urlOf = (name: string): string => `${server.url}/${ACCOUNT}/${name}`;
  return {
    ...server,
    folder,
    sqs,
    clientWith,
    calls,
    create,
    urlOf,
    /** Up to ten messages with all that is known of them. */
    receive: async (name: string, request: Partial<ReceiveMessageCommandInput> = {}): Promise<readonly Message[]> => {
      const command = new ReceiveMessageCommand({
        QueueUrl: urlOf(name),
        MaxNumberOfMessages: 10,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
        ...request,
      });
      return (await sqs.send(command)).Messages ?? [];
    },
    pass: (seconds: number): void => void (aheadMs += seconds * 1_000),
    close: async () => {
      sqs.destroy();
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}

export type QueuesHere = Awaited<ReturnType<typeof queuesHere>>;

export const arnOf = (name: string): string => `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`;

/** The attribute that sends messages to a dead-letter queue which were received so often. */
export const redriveTo = (name: string, maxReceiveCount = 5) => ({
  RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arnOf(name), maxReceiveCount }),
});

/** The attribute that says which queues may name this one as theirs for dead letters. */
export const allowRedrive = (policy: object) => ({ RedriveAllowPolicy: JSON.stringify(policy) });
