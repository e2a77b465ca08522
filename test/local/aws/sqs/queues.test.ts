import { setTimeout as sleep } from 'node:timers/promises';
import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  type SendMessageBatchRequestEntry,
  type SendMessageCommandInput,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ServiceRefusal, type ServiceFault } from '../../../../local/aws/service-refusal.ts';
import { ACCOUNT, arnOf, KEY, queuesHere, redriveTo, REGION, type QueuesHere } from './queues-here.ts';

const faults: ServiceFault[] = [];
let here: QueuesHere;
let queues = 0;

beforeAll(async () => {
  here = await queuesHere(
    { forbidden: {}, dead: {}, 'dead.fifo': { FifoQueue: 'true' } },
    {
      record: ({ resource }) => {
        if (resource.endsWith(':forbidden')) throw new ServiceRefusal(403, 'AccessDeniedException', 'not allowed');
      },
      fault: () => faults.shift(),
    },
  );
});
afterAll(() => here.close());

describe('a message', () => {
  it('comes with what it was sent with, and with what is known of it', async () => {
    const name = newQueue();
    const MessageAttributes = {
      code: { DataType: 'String', StringValue: 'FORBIDDEN' },
      picture: { DataType: 'Binary.png', BinaryValue: Buffer.from([0, 255]) },
    };

    const sent = await send(name, { MessageBody: 'body', MessageAttributes, MessageGroupId: 'job' });
    const [message] = await here.receive(name);

    expect(message).toMatchObject({
      MessageId: sent.MessageId,
      Body: 'body',
      MD5OfBody: '841a2d689ad86bd1611447453c22c6fc',
      Attributes: { ApproximateReceiveCount: '1', MessageGroupId: 'job', SenderId: ACCOUNT },
      MessageAttributes: {
        code: { DataType: 'String', StringValue: 'FORBIDDEN' },
        picture: { DataType: 'Binary.png', BinaryValue: new Uint8Array([0, 255]) },
      },
    });
    const { SentTimestamp: sentAt, ApproximateFirstReceiveTimestamp: receivedAt } = message?.Attributes ?? {};
    expect(Number(receivedAt)).toBeGreaterThanOrEqual(Number(sentAt));
  });

  it('shows those attributes that are asked for', async () => {
    const name = newQueue({ VisibilityTimeout: '0' });
    const text = { DataType: 'String', StringValue: 'x' };
    await send(name, { MessageAttributes: { 'a.b': text, 'a.c': text, d: text } });

    const names = async (MessageAttributeNames: string[]) => {
      const [message] = await here.receive(name, { MessageAttributeNames, MessageSystemAttributeNames: [] });
      return { system: message?.Attributes, own: message?.MessageAttributes && Object.keys(message.MessageAttributes) };
    };

    expect(await names([])).toEqual({});
    expect(await names(['d'])).toEqual({ own: ['d'] });
    expect(await names(['a.*'])).toEqual({ own: ['a.b', 'a.c'] });
    expect(await names(['All'])).toEqual({ own: ['a.b', 'a.c', 'd'] });
  });

  it('waits for as long as it is delayed, by itself or by its queue', async () => {
    const name = newQueue({ DelaySeconds: '60' });
    await send(name, { MessageBody: 'by the queue' });
    await send(name, { MessageBody: 'by itself', DelaySeconds: 900 });
    await send(name, { MessageBody: 'not', DelaySeconds: 0 });

    expect(await bodies(name)).toEqual(['not']);
    expect(await counts(name)).toEqual({ visible: 0, inFlight: 1, delayed: 2 });
    here.pass(61);
    expect(await bodies(name, { VisibilityTimeout: 2_000 })).toEqual(['by the queue', 'not']);
    here.pass(840);
    expect(await bodies(name)).toEqual(['by itself']);
  });

  it('is gone when its queue has kept it for as long as it keeps anything', async () => {
    const name = newQueue({ MessageRetentionPeriod: '60' });
    await send(name, { MessageBody: 'old' });
    here.pass(50);
    await send(name, { MessageBody: 'young' });
    here.pass(11);

    here.create({ [name]: { MessageRetentionPeriod: '60' } });

    expect(await bodies(name)).toEqual(['young']);
  });
});

describe('a message in flight', () => {
  it('can be hidden for longer, and shown at once', async () => {
    const name = newQueue({ VisibilityTimeout: '30' });
    await send(name, {});
    const [message] = await here.receive(name);

    await here.sqs.send(new ChangeMessageVisibilityCommand({ ...handle(name, message), VisibilityTimeout: 100 }));
    here.pass(99);
    expect(await bodies(name)).toEqual([]);
    const Entries = [{ Id: 'a', ReceiptHandle: message?.ReceiptHandle, VisibilityTimeout: 0 }];
    await here.sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: here.urlOf(name), Entries }));
    expect(await bodies(name)).toEqual(['x']);
  });

  it('cannot be hidden any more when it is visible, or was received again', async () => {
    const name = newQueue({ VisibilityTimeout: '30' });
    await send(name, {});
    const [first] = await here.receive(name);
    const hide = () =>
      here.sqs.send(new ChangeMessageVisibilityCommand({ ...handle(name, first), VisibilityTimeout: 100 }));

    here.pass(31);
    await expect(hide()).rejects.toMatchObject({ name: 'MessageNotInflight' });
    await here.receive(name);
    await expect(hide()).rejects.toMatchObject({ name: 'MessageNotInflight' });
  });

  it('is deleted once, and deleting it again does no harm', async () => {
    const name = newQueue();
    await send(name, {});
    const [message] = await here.receive(name);

    await here.sqs.send(new DeleteMessageCommand(handle(name, message)));
    await here.sqs.send(new DeleteMessageCommand(handle(name, message)));

    expect(await counts(name)).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
  });
});

describe('a dead-letter queue', () => {
  it('gets what was received too often, with its receives, its age and where it came from', async () => {
    const name = newQueue({ VisibilityTimeout: '10', ...redriveTo('dead', 2) });
    await send(name, { MessageBody: 'poison', MessageGroupId: 'job' });
    await send(name, { MessageBody: 'more' });
    const [first] = await here.receive(name, { MaxNumberOfMessages: 1 });
    for (const _again of [1, 2]) {
      here.pass(11);
      await here.receive(name, { MaxNumberOfMessages: 1 });
    }
    here.pass(11);

    expect(await bodies(name)).toEqual(['more']);
    const [dead] = await here.receive('dead');
    expect([dead?.MessageId, dead?.Body]).toEqual([first?.MessageId, 'poison']);
    expect(dead?.Attributes).toMatchObject({
      ApproximateReceiveCount: '3',
      SentTimestamp: first?.Attributes?.SentTimestamp,
      MessageGroupId: 'job',
      DeadLetterQueueSourceArn: arnOf(name),
    });
  });

  it('wakes whoever waits for its messages', async () => {
    const name = newQueue({ VisibilityTimeout: '0', ...redriveTo('dead', 1) });
    const waiting = here.receive('dead', { WaitTimeSeconds: 20 });
    await send(name, { MessageBody: 'poison' });

    await here.receive(name);
    await here.receive(name);

    expect((await waiting).map(({ Body }) => Body)).toEqual(['poison']);
  });
});

describe('a long poll', () => {
  it('ends with the first message that is sent', async () => {
    const name = newQueue();
    const waiting = here.receive(name, { WaitTimeSeconds: 20 });
    await sleep(50);

    await send(name, {});

    expect(await waiting).toHaveLength(1);
  });

  it('ends when a hidden message becomes visible', async () => {
    const name = newQueue({ VisibilityTimeout: '1' });
    await send(name, {});
    await here.receive(name);

    expect(await here.receive(name, { WaitTimeSeconds: 20 })).toHaveLength(1);
  });

  it('ends when another consumer shows the message that it holds', async () => {
    const name = newQueue();
    await send(name, {});
    const waiting = here.receive(name, { WaitTimeSeconds: 20 }); // gets it
    const other = here.receive(name, { WaitTimeSeconds: 20 });
    const [message] = await waiting;

    await here.sqs.send(new ChangeMessageVisibilityCommand({ ...handle(name, message), VisibilityTimeout: 0 }));

    expect(await other).toHaveLength(1);
  });

  it('gives a message to somebody who is still there', async () => {
    const name = newQueue();
    const gone = new AbortController();
    const command = new ReceiveMessageCommand({ QueueUrl: here.urlOf(name), WaitTimeSeconds: 20 });
    const left = here.sqs.send(command, { abortSignal: gone.signal });
    await sleep(50);
    gone.abort();
    await expect(left).rejects.toMatchObject({ name: 'AbortError' });
    await sleep(50);

    await send(name, {});

    expect(await here.receive(name)).toHaveLength(1);
  });

  it('is empty when its time is over', async () => {
    const started = performance.now();

    expect(await here.receive(newQueue({ ReceiveMessageWaitTimeSeconds: '1' }))).toEqual([]);

    expect(performance.now() - started).toBeGreaterThan(950);
  });
});

describe('a FIFO queue', () => {
  it('gives up to ten messages of a group in their order, and no more of it before they are done', async () => {
    const name = newFifo();
    for (let index = 0; index < 12; index += 1) await send(name, { MessageBody: String(index), MessageGroupId: 'job' });

    const first = await here.receive(name);
    expect(first.map(({ Body }) => Body)).toEqual(Array.from({ length: 10 }, (_, index) => String(index)));
    expect(await bodies(name)).toEqual([]);
    await deleteAll(name, first.slice(1));
    expect(await bodies(name)).toEqual([]);
    await deleteAll(name, first.slice(0, 1));
    expect(await bodies(name)).toEqual(['10', '11']);
  });

  it('gives the messages of other groups meanwhile', async () => {
    const name = newFifo();
    for (const [MessageBody, MessageGroupId] of [
      ['a1', 'a'],
      ['b1', 'b'],
      ['a2', 'a'],
    ] as const)
      await send(name, { MessageBody, MessageGroupId });

    expect(await bodies(name, { MaxNumberOfMessages: 1 })).toEqual(['a1']);
    expect(await bodies(name)).toEqual(['b1']);
  });

  it('begins a group again with its first message when the visibility time-out is over', async () => {
    const name = newFifo({ VisibilityTimeout: '30' });
    for (const MessageBody of ['1', '2', '3']) await send(name, { MessageBody, MessageGroupId: 'job' });
    await here.receive(name, { MaxNumberOfMessages: 2 });

    here.pass(31);

    expect(await bodies(name)).toEqual(['1', '2', '3']);
  });

  it('wakes whoever waits for a group when its messages are deleted', async () => {
    const name = newFifo();
    for (const MessageBody of ['1', '2']) await send(name, { MessageBody, MessageGroupId: 'job' });
    const first = await here.receive(name, { MaxNumberOfMessages: 1 });
    const waiting = here.receive(name, { WaitTimeSeconds: 20 });

    await deleteAll(name, first);

    expect((await waiting).map(({ Body }) => Body)).toEqual(['2']);
  });

  it('takes a message with a known deduplication id for the one that it had, for five minutes', async () => {
    const name = newFifo();
    const message = { MessageGroupId: 'job', MessageDeduplicationId: 'once' };

    const sent = await send(name, message);
    await deleteAll(name, await here.receive(name));
    here.pass(299);
    const again = await send(name, message);
    expect([again.MessageId, again.SequenceNumber]).toEqual([sent.MessageId, sent.SequenceNumber]);
    expect(await bodies(name)).toEqual([]);
    here.pass(2);
    await send(name, message);
    expect(await bodies(name)).toEqual(['x']);
  });

  it.each([
    ['queue', ['a']],
    ['messageGroup', ['a', 'b']],
  ])('deduplicates within the %s', async (DeduplicationScope, groups) => {
    const name = newFifo({ DeduplicationScope });

    for (const MessageGroupId of ['a', 'b']) await send(name, { MessageGroupId, MessageDeduplicationId: 'once' });

    expect((await here.receive(name)).map(({ Attributes }) => Attributes?.MessageGroupId)).toEqual(groups);
  });

  it('deduplicates by content where it is told to', async () => {
    const name = newQueue({ FifoQueue: 'true', ContentBasedDeduplication: 'true' });

    for (const MessageBody of ['a', 'b', 'a'])
      await here.sqs.send(new SendMessageCommand({ QueueUrl: here.urlOf(name), MessageBody, MessageGroupId: 'job' }));

    expect(await bodies(name)).toEqual(['a', 'b']);
  });

  it('numbers its messages upwards', async () => {
    const name = newFifo();
    const numbers: (string | undefined)[] = [];
    for (const _message of [1, 2, 3]) numbers.push((await send(name, { MessageGroupId: 'job' })).SequenceNumber);

    expect(numbers).toEqual(numbers.toSorted());
    expect((await here.receive(name)).map(({ Attributes }) => Attributes?.SequenceNumber)).toEqual(numbers);
  });

  it('gives up to a FIFO queue in order, and their time there begins anew', async () => {
    const name = newFifo({ VisibilityTimeout: '0', ...redriveTo('dead.fifo', 1) });
    for (const MessageBody of ['1', '2']) await send(name, { MessageBody, MessageGroupId: 'job' });
    await here.receive(name);
    here.pass(60);

    expect(await bodies(name)).toEqual([]);

    const [first, second] = await here.receive('dead.fifo');
    expect([first?.Body, second?.Body]).toEqual(['1', '2']);
    expect(Number(first?.Attributes?.SentTimestamp)).toBeGreaterThan(Date.now() + 59_000);
  });

  it('refuses to delete what is visible again', async () => {
    const name = newFifo({ VisibilityTimeout: '30' });
    await send(name, { MessageGroupId: 'job' });
    const [message] = await here.receive(name);
    here.pass(31);

    const deleted = here.sqs.send(new DeleteMessageCommand(handle(name, message)));

    await expect(deleted).rejects.toMatchObject({
      name: 'InvalidParameterValue',
      message: expect.stringContaining('has expired'),
    });
  });
});

describe('a standard queue with groups', () => {
  it('lets ten messages of a small group by, behind a large one that is in flight', async () => {
    const name = newQueue();
    for (let batch = 0; batch < 6; batch += 1) await sendTen(name, 'large');
    for (let batch = 0; batch < 3; batch += 1) await here.receive(name);
    await sendTen(name, 'small');

    const next = await here.receive(name);

    expect(next.map(({ Attributes }) => Attributes?.MessageGroupId)).toEqual(Array(10).fill('small'));
  });

  it('gives equal groups equal turns', async () => {
    const name = newQueue();
    for (const group of ['a', 'b']) await sendTen(name, group);

    const next = await here.receive(name);

    expect(next.filter(({ Attributes }) => Attributes?.MessageGroupId === 'a')).toHaveLength(5);
  });

  it('does not count messages without a group against each other', async () => {
    const name = newQueue();
    for (let batch = 0; batch < 4; batch += 1) await sendTen(name);
    for (let batch = 0; batch < 3; batch += 1) await here.receive(name);
    await sendTen(name, 'new');

    const next = await here.receive(name);

    expect(next.filter(({ Attributes }) => Attributes?.MessageGroupId === undefined)).toHaveLength(5);
  });
});

describe('what is refused', () => {
  it.each<[string, Partial<SendMessageCommandInput>, string]>([
    ['an empty body', { MessageBody: '' }, 'InvalidParameterValue'],
    ['a character that XML cannot hold', { MessageBody: 'a\u0000' }, 'InvalidMessageContents'],
    ['half a character', { MessageBody: '\ud800' }, 'InvalidMessageContents'],
    ['a noncharacter', { MessageBody: '\uffff' }, 'InvalidMessageContents'],
    ['more than 1 MiB', { MessageBody: 'x'.repeat(1_048_577) }, 'InvalidParameterValue'],
    ['a delay of more than 15 minutes', { DelaySeconds: 901 }, 'InvalidParameterValue'],
    ['an attribute of AWS', { MessageAttributes: attribute('AWS.x') }, 'InvalidParameterValue'],
    ['an attribute without a value', { MessageAttributes: attribute('a', '') }, 'InvalidParameterValue'],
    ['eleven attributes', { MessageAttributes: attribute(...'abcdefghijk') }, 'InvalidParameterValue'],
    ['a deduplication id', { MessageDeduplicationId: 'once' }, 'InvalidParameterValue'],
  ])('%s', async (_what, message, name) => {
    await expect(send(newQueue(), message)).rejects.toMatchObject({ name });
  });

  it.each<[string, Partial<SendMessageCommandInput>, string]>([
    ['no group', { MessageGroupId: undefined, MessageDeduplicationId: 'x' }, 'MissingParameter'],
    ['no deduplication id', { MessageGroupId: 'job' }, 'InvalidParameterValue'],
    ['a delay', { MessageGroupId: 'job', MessageDeduplicationId: 'x', DelaySeconds: 1 }, 'InvalidParameterValue'],
  ])('%s, by a FIFO queue', async (_what, message, name) => {
    const QueueUrl = here.urlOf(newFifo());

    const sent = here.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x', ...message }));

    await expect(sent).rejects.toMatchObject({ name });
  });

  it.each<[string, SendMessageBatchRequestEntry[], string]>([
    ['an empty batch', [], 'EmptyBatchRequest'],
    ['eleven entries', entries(11), 'TooManyEntriesInBatchRequest'],
    ['an id that is there twice', [...entries(1), ...entries(1)], 'BatchEntryIdsNotDistinct'],
    ['more than 1 MiB together', entries(2, 'x'.repeat(524_289)), 'BatchRequestTooLong'],
  ])('%s', async (_what, Entries, name) => {
    const queue = newQueue();

    const sent = here.sqs.send(new SendMessageBatchCommand({ QueueUrl: here.urlOf(queue), Entries }));

    await expect(sent).rejects.toMatchObject({ name });
    expect(await bodies(queue)).toEqual([]);
  });

  it('one message of a batch, and not the others', async () => {
    const name = newQueue();
    const Entries = [...entries(2), { Id: 'bad', MessageBody: '\u0001' }];

    const answer = await here.sqs.send(new SendMessageBatchCommand({ QueueUrl: here.urlOf(name), Entries }));

    expect(answer.Successful?.map(({ Id }) => Id)).toEqual(['0', '1']);
    expect(answer.Failed).toEqual([
      expect.objectContaining({ Id: 'bad', SenderFault: true, Code: 'InvalidMessageContents' }),
    ]);
    expect(await bodies(name)).toHaveLength(2);
  });

  it.each([
    ['another queue', () => new ReceiveMessageCommand({ QueueUrl: here.urlOf('none') }), 'QueueDoesNotExist'],
    ['a handle of nothing', () => new DeleteMessageCommand(handle('dead', undefined)), 'ReceiptHandleIsInvalid'],
    [
      'eleven messages at once',
      () => new ReceiveMessageCommand({ QueueUrl: here.urlOf('dead'), MaxNumberOfMessages: 11 }),
      'InvalidParameterValue',
    ],
    [
      'an attribute out of range',
      () => new SetQueueAttributesCommand({ QueueUrl: here.urlOf('dead'), Attributes: { DelaySeconds: '901' } }),
      'InvalidAttributeValue',
    ],
  ])('%s', async (_what, command, name) => {
    await expect(here.sqs.send(command() as ReceiveMessageCommand)).rejects.toMatchObject({ name });
  });
});

describe('a queue', () => {
  it('is found by its name, and listed', async () => {
    const name = newQueue();

    expect((await here.sqs.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl).toBe(here.urlOf(name));
    const { QueueUrls: listed } = await here.sqs.send(new ListQueuesCommand({ QueueNamePrefix: name }));
    expect(listed).toEqual([here.urlOf(name)]);
  });

  it('takes other attributes, and shows them', async () => {
    const name = newQueue({ VisibilityTimeout: '7' });
    const QueueUrl = here.urlOf(name);

    await here.sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { DelaySeconds: '5' } }));

    const { Attributes } = await here.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
    expect(Attributes).toMatchObject({
      VisibilityTimeout: '7',
      DelaySeconds: '5',
      MaximumMessageSize: '1048576',
      QueueArn: arnOf(name),
    });
  });

  it('is empty after a purge', async () => {
    const name = newQueue();
    for (const DelaySeconds of [0, 60]) await send(name, { DelaySeconds });
    await here.receive(name);

    await here.sqs.send(new PurgeQueueCommand({ QueueUrl: here.urlOf(name) }));

    expect(await counts(name)).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
  });
});

describe('a request', () => {
  it('is recorded as the action and resource that a role must allow', async () => {
    const other = await queuesHere({ rows: {} });
    const QueueUrl = other.urlOf('rows');

    await other.sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: entries(1) }));
    await other.sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries: [{ Id: 'a', ReceiptHandle: 'x' }] }));

    expect(other.calls.map(({ action, resource, accessKeyId }) => [action, resource, accessKeyId])).toEqual([
      ['sqs:SendMessage', `arn:aws:sqs:${REGION}:${ACCOUNT}:rows`, KEY.accessKeyId],
      ['sqs:DeleteMessage', `arn:aws:sqs:${REGION}:${ACCOUNT}:rows`, KEY.accessKeyId],
    ]);
    await other.close();
  });

  it('is refused for a wrong signature, and when the recorder refuses it', async () => {
    const receive = (queue: string) => new ReceiveMessageCommand({ QueueUrl: here.urlOf(queue) });

    await expect(here.clientWith('wrong').send(receive('dead'))).rejects.toMatchObject({
      name: 'InvalidSignatureException',
    });
    await expect(here.sqs.send(receive('forbidden'))).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });

  it('fails as it is told: before it is applied, or after, so that only its answer is lost', async () => {
    const name = newQueue();

    faults.push({ status: 503 });
    await send(name, { MessageBody: 'refused once' });
    faults.push({ status: 500, after: true });
    await send(name, { MessageBody: 'taken twice' });

    expect(await bodies(name)).toEqual(['refused once', 'taken twice', 'taken twice']);
  });
});

function newQueue(attributes: Readonly<Record<string, string>> = {}): string {
  queues += 1;
  const name = attributes['FifoQueue'] ? `queue-${queues}.fifo` : `queue-${queues}`;
  here.create({ [name]: attributes });
  return name;
}

const newFifo = (attributes: Readonly<Record<string, string>> = {}): string =>
  newQueue({ ...attributes, FifoQueue: 'true' });

const send = (name: string, message: Partial<SendMessageCommandInput>) =>
  here.sqs.send(
    new SendMessageCommand({
      QueueUrl: here.urlOf(name),
      MessageBody: 'x',
      ...(name.endsWith('.fifo') && { MessageDeduplicationId: crypto.randomUUID() }),
      ...message,
    }),
  );

const sendTen = (name: string, MessageGroupId?: string) =>
  here.sqs.send(
    new SendMessageBatchCommand({
      QueueUrl: here.urlOf(name),
      Entries: entries(10).map((entry) => ({ ...entry, MessageGroupId })),
    }),
  );

function entries(count: number, MessageBody = 'x'): SendMessageBatchRequestEntry[] {
  return Array.from({ length: count }, (_, index) => ({ Id: String(index), MessageBody }));
}

function attribute(...names: readonly string[]) {
  const StringValue = names.at(-1) === '' ? '' : 'x';
  return Object.fromEntries(names.filter(Boolean).map((name) => [name, { DataType: 'String', StringValue }]));
}

const bodies = async (name: string, request = {}) => (await here.receive(name, request)).map(({ Body }) => Body);

const handle = (name: string, message: { readonly ReceiptHandle?: string | undefined } | undefined) => ({
  QueueUrl: here.urlOf(name),
  ReceiptHandle: message?.ReceiptHandle ?? 'nothing',
});

async function deleteAll(name: string, messages: readonly { readonly ReceiptHandle?: string | undefined }[]) {
  const Entries = messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
  const { Failed } = await here.sqs.send(new DeleteMessageBatchCommand({ QueueUrl: here.urlOf(name), Entries }));
  expect(Failed).toEqual([]);
}

async function counts(name: string) {
  const command = new GetQueueAttributesCommand({ QueueUrl: here.urlOf(name), AttributeNames: ['All'] });
  const { Attributes: found = {} } = await here.sqs.send(command);
  return {
    visible: Number(found['ApproximateNumberOfMessages']),
    inFlight: Number(found['ApproximateNumberOfMessagesNotVisible']),
    delayed: Number(found['ApproximateNumberOfMessagesDelayed']),
  };
}
