import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PublishCommand } from '@aws-sdk/client-sns';
import { DeleteMessageCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { uploadManifest } from '../../cli/files.ts';
import { assemble } from '../../local/assembly.ts';
import { clientEnvironment } from '../../local/aws/services.ts';
import type { Published } from '../../local/aws/sns.ts';
import { ACCOUNT, REGION, startStack, type LocalStack } from '../../local/stack.ts';
import { s3Client, snsClient, sqsClient } from '../../shared/aws/clients.ts';
import { s3ObjectStore } from '../../shared/aws/s3-object-store.ts';
import { stateKey } from '../../shared/job/keys.ts';
import { parseState } from '../../shared/job/state.ts';
import { noticeSchema } from '../../shared/notice.ts';
import { completeSettings, type Settings } from '../../shared/settings.ts';

const SUBSCRIBERS = {
  everything: {},
  'leavers-only': { operations: ['suspend'] },
  quiet: { quietOnSuccess: true },
} satisfies Record<string, Partial<Settings['notices']['subscribers'][number]>>;
type Name = keyof typeof SUBSCRIBERS;

const folder = mkdtempSync(join(tmpdir(), 'rollcall-notices-'));
const published: Published[] = [];
let stack: LocalStack;
let sqs: SQSClient;

beforeAll(async () => {
  const subscribers = Object.entries(SUBSCRIBERS).map(([name, wish]) => ({
    queue: `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`,
    ...wish,
  }));
  stack = await startStack({
    folder,
    synthesized: await assemble(completeSettings({ notices: { subscribers } })),
    published: (publication) => published.push(publication),
  });
  sqs = sqsClient(clientEnvironment(stack));
}, 60_000);

afterAll(async () => {
  await stack.close();
  rmSync(folder, { recursive: true, force: true });
});

const WITHIN_MS = 30_000;

/** The next notice that a subscriber's queue gets, with the time at which it came. */
async function receive(name: Name) {
  const QueueUrl = stack.deadLetterQueueUrl.replace(/[^/]*$/, name);
  const endMs = Date.now() + WITHIN_MS;
  while (Date.now() < endMs) {
    const { Messages: messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 2 }));
    const [message] = messages;
    if (!message) continue;
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
    const envelope = JSON.parse(message.Body ?? '') as Readonly<Record<string, string>>;
    return { notice: noticeSchema.parse(JSON.parse(envelope['Message'] ?? '')), envelope, atMs: Date.now() };
  }
  return expect.fail(`no notice on ${name} within ${WITHIN_MS} ms`);
}

const upload = async (operation: string, file: string): Promise<string> => {
  const path = new URL(`../../examples/cloud/${operation}/${file}`, import.meta.url).pathname;
  const client = s3Client(clientEnvironment(stack));
  return (await uploadManifest({ client, bucket: stack.inboxBucket, target: 'cloud', operation, path })).jobId;
};

it(
  'a queue that subscribes gets the JSON of a job, seconds after the job has ended, and each queue what its filter lets through',
  async () => {
    const leavers = await upload('suspend', 'leavers.csv');
    const { notice, envelope, atMs } = await receive('everything');
    const results = s3ObjectStore({ client: s3Client(clientEnvironment(stack)), bucket: stack.resultsBucket });
    const stored = await results.read(stateKey(leavers));
    const { stateSinceMs } = parseState((await stored?.text()) ?? '');

    expect(notice).toMatchObject({
      job: leavers.slice(-12),
      target: 'cloud',
      operation: 'suspend',
      state: 'completed',
    });
    expect(envelope).toMatchObject({ Type: 'Notification', Subject: expect.stringMatching(/^Rollcall: /) });
    console.log(`from the job's end to its notice: ${atMs - stateSinceMs} ms`);
    expect((await receive('leavers-only')).notice).toEqual(notice);
    expect((await receive('quiet')).notice).toEqual(notice);

    const back = await upload('reactivate', 'back-again.csv');
    expect((await receive('everything')).notice).toMatchObject({ job: back.slice(-12), urgency: 'none' });
    const joiners = await upload('membership', 'team-changes.csv');
    expect((await receive('quiet')).notice).toMatchObject({ job: joiners.slice(-12) });

    expect(published.map(({ attributes }) => attributes['operation'])).toEqual(['suspend', 'reactivate', 'membership']);
    expect(stack.violations()).toEqual([]);
  },
  4 * WITHIN_MS,
);

it('the daily look at credentials calls nothing that its role does not allow', async () => {
  await stack.checkCredentials();

  expect(stack.violations()).toEqual([]);
  expect(stack.requests().map(({ caller, action }) => `${caller} ${action}`)).toContain(
    'notifier secretsmanager:ListSecrets',
  );
});

describe('the local topic', () => {
  const publish = (input: Partial<ConstructorParameters<typeof PublishCommand>[0]>) =>
    snsClient(clientEnvironment(stack)).send(
      new PublishCommand({
        TopicArn: stack.description.topics.find(({ arn }) => arn.includes('Notices'))?.arn,
        Message: 'tea',
        ...input,
      }),
    );

  it.each([
    ['a topic that there is not', { TopicArn: 'arn:aws:sns:us-east-1:000000000000:none' }, 'NotFoundException'],
    ['JSON without a default', { Message: '{"email":"tea"}', MessageStructure: 'json' }, 'InvalidParameterException'],
    ['a subject of more than one line', { Subject: 'tea\nand cake' }, 'InvalidParameterException'],
    ['a subject that is no ASCII', { Subject: 'thé' }, 'InvalidParameterException'],
    [
      'an empty attribute',
      { MessageAttributes: { target: { DataType: 'String', StringValue: '' } } },
      'InvalidParameterValueException',
    ],
  ])('refuses %s as SNS does', async (_what, input, name) => {
    const refusal: unknown = await publish(input).then(
      () => 'taken',
      (error: unknown) => error,
    );
    expect(refusal).toMatchObject({ name });
  });
});
