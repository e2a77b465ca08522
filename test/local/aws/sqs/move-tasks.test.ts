import { setTimeout as sleep } from 'node:timers/promises';
import {
  CancelMessageMoveTaskCommand,
  GetQueueAttributesCommand,
  ListDeadLetterSourceQueuesCommand,
  ListMessageMoveTasksCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { allowRedrive, arnOf, queuesHere, redriveTo, type QueuesHere } from './queues-here.ts';

let here: QueuesHere;

beforeAll(async () => {
  here = await queuesHere({
    'dead-letters': { VisibilityTimeout: '0' },
    isolation: { VisibilityTimeout: '0', ...redriveTo('dead-letters', 1) },
    rows: redriveTo('isolation'),
    elsewhere: redriveTo('dead-letters'),
  });
});
afterAll(() => here.close());

it('says which queues a dead-letter queue stands behind', async () => {
  const sources = await here.sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: here.urlOf('dead-letters') }));

  expect(sources.queueUrls).toEqual([here.urlOf('isolation'), here.urlOf('elsewhere')]);
});

it('lets only those queues name a dead-letter queue that its RedriveAllowPolicy admits', async () => {
  here.create({
    dead: allowRedrive({ redrivePermission: 'byQueue', sourceQueueArns: [arnOf('admitted')] }),
    closed: allowRedrive({ redrivePermission: 'denyAll' }),
    admitted: redriveTo('dead'),
    stranger: {},
  });
  const lead = (from: string, to: string) =>
    here.sqs.send(new SetQueueAttributesCommand({ QueueUrl: here.urlOf(from), Attributes: redriveTo(to) }));

  await expect(lead('stranger', 'dead')).rejects.toThrow(/RedriveAllowPolicy of .*:dead does not admit .*:stranger/);
  await expect(lead('stranger', 'closed')).rejects.toThrow(/does not admit/);
  await expect(lead('admitted', 'dead')).resolves.toBeDefined();
  expect(() => here.create({ early: redriveTo('late'), late: allowRedrive({ redrivePermission: 'denyAll' }) })).toThrow(
    /does not admit/,
  );
});

it('moves nothing out of a queue that admits none of its sources any more', async () => {
  here.create({ lately: {}, source: redriveTo('lately') });
  const Attributes = allowRedrive({ redrivePermission: 'denyAll' });
  await here.sqs.send(new SetQueueAttributesCommand({ QueueUrl: here.urlOf('lately'), Attributes }));

  await expect(here.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: arnOf('lately') }))).rejects.toThrow(
    /must be configured as a Dead Letter Queue/,
  );
});

it.each([
  { redrivePermission: 'byQueue' },
  { redrivePermission: 'denyAll', sourceQueueArns: ['arn:aws:sqs:eu-central-1:000000000000:rows'] },
  { redrivePermission: 'none' },
])('takes no RedriveAllowPolicy such as %j', (policy) => {
  expect(() => here.create({ odd: allowRedrive(policy) })).toThrow(/RedriveAllowPolicy/);
});

it('moves every message of a dead-letter queue, with its attributes, to the queue that was named', async () => {
  const MessageAttributes = { code: { DataType: 'String', StringValue: 'FORBIDDEN' } };
  for (let index = 0; index < 25; index += 1) {
    await here.sqs.send(
      new SendMessageCommand({ QueueUrl: here.urlOf('dead-letters'), MessageBody: String(index), MessageAttributes }),
    );
  }

  await here.sqs.send(
    new StartMessageMoveTaskCommand({ SourceArn: arnOf('dead-letters'), DestinationArn: arnOf('rows') }),
  );
  const task = await ended('dead-letters');

  expect(task).toMatchObject({
    Status: 'COMPLETED',
    ApproximateNumberOfMessagesMoved: 25,
    ApproximateNumberOfMessagesToMove: 25,
  });
  expect(await waiting('dead-letters')).toBe(0);
  expect(await waiting('rows')).toBe(25);
  const { Messages: [message] = [] } = await here.sqs.send(
    new ReceiveMessageCommand({ QueueUrl: here.urlOf('rows'), MessageAttributeNames: ['All'] }),
  );
  expect(message?.MessageAttributes?.['code']?.StringValue).toBe('FORBIDDEN');
});

it('moves messages back to the queue that gave them up when none is named, as if they were new', async () => {
  await here.sqs.send(
    new SendMessageCommand({ QueueUrl: here.urlOf('isolation'), MessageBody: 'x', MessageGroupId: 'job' }),
  );
  const [first] = await here.receive('isolation');
  await here.receive('isolation');

  await here.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: arnOf('dead-letters') }));
  await ended('dead-letters');

  const [message] = await here.receive('isolation');
  expect(message?.Attributes).toMatchObject({ ApproximateReceiveCount: '1', MessageGroupId: 'job' });
  expect(message?.MessageId).not.toBe(first?.MessageId);
  expect(await waiting('dead-letters')).toBe(0);
});

it('fails when a message that was sent there directly is to go back', async () => {
  await here.sqs.send(new SendMessageCommand({ QueueUrl: here.urlOf('dead-letters'), MessageBody: 'x' }));

  await here.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: arnOf('dead-letters') }));

  expect(await ended('dead-letters')).toMatchObject({
    Status: 'FAILED',
    FailureReason: 'CouldNotDetermineMessageSource',
  });
  expect(await waiting('dead-letters')).toBe(1);
});

it('is the only one of its queue while it runs, and ends when it is cancelled', async () => {
  const send = new SendMessageCommand({ QueueUrl: here.urlOf('dead-letters'), MessageBody: 'x' });
  for (let sent = 0; sent < 3; sent += 1) await here.sqs.send(send);
  const before = await waiting('dead-letters');
  const request = { SourceArn: arnOf('dead-letters'), DestinationArn: arnOf('rows'), MaxNumberOfMessagesPerSecond: 1 };

  const { TaskHandle } = await here.sqs.send(new StartMessageMoveTaskCommand(request));
  const second = here.sqs.send(new StartMessageMoveTaskCommand(request));
  await expect(second).rejects.toMatchObject({ name: 'UnsupportedOperation' });
  await here.sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle }));

  expect(await ended('dead-letters')).toMatchObject({ Status: 'CANCELLED', ApproximateNumberOfMessagesMoved: 1 });
  expect(await waiting('dead-letters')).toBe(before - 1);
  await expect(here.sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
});

it('refuses to move from a queue that no other queue redrives to', async () => {
  const refused = here.sqs.send(
    new StartMessageMoveTaskCommand({ SourceArn: arnOf('rows'), DestinationArn: arnOf('rows') }),
  );

  await expect(refused).rejects.toMatchObject({ name: 'InvalidParameterValue' });
});

async function ended(source: string) {
  for (;;) {
    const { Results: [latest] = [] } = await here.sqs.send(
      new ListMessageMoveTasksCommand({ SourceArn: arnOf(source) }),
    );
    if (latest?.Status !== 'RUNNING') return latest;
    await sleep(10);
  }
}

async function waiting(name: string): Promise<number> {
  const command = new GetQueueAttributesCommand({
    QueueUrl: here.urlOf(name),
    AttributeNames: ['ApproximateNumberOfMessages'],
  });
  return Number((await here.sqs.send(command)).Attributes?.['ApproximateNumberOfMessages']);
}
