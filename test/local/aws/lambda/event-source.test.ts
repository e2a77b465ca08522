import { expect, it } from 'vitest';

import { createEvent, selectDone } from '../../../../local/aws/lambda/event-source.ts';

const messages = [{ MessageId: 'a' }, { MessageId: 'b' }];

it.each([
  ['nothing named', { batchItemFailures: [] }, ['a', 'b']],
  ['no list', {}, ['a', 'b']],
  ['no answer', null, ['a', 'b']],
  ['an empty list for null', { batchItemFailures: null }, ['a', 'b']],
  ['one that failed', { batchItemFailures: [{ itemIdentifier: 'a' }] }, ['b']],
  ['a message that was not in the batch', { batchItemFailures: [{ itemIdentifier: 'c' }] }, []],
  ['an empty identifier', { batchItemFailures: [{ itemIdentifier: '' }] }, []],
  ['a failure without an identifier', { batchItemFailures: [{}] }, []],
  ['failures that are no list', { batchItemFailures: 'a' }, []],
])('deletes the right messages when the answer has %s', (_what, answer, expected) => {
  expect(selectDone(messages, answer, true).map((message) => message.MessageId)).toEqual(expected);
});

it('deletes the whole batch when the mapping does not read which failed', () => {
  expect(selectDone(messages, { batchItemFailures: [{ itemIdentifier: 'a' }] }, false)).toEqual(messages);
});

it('makes the event as Lambda does', () => {
  const message = {
    MessageId: 'id',
    ReceiptHandle: 'handle',
    Body: '{}',
    MD5OfBody: 'sum',
    Attributes: { ApproximateReceiveCount: '1' },
    MessageAttributes: { code: { DataType: 'String', StringValue: 'LOST' } },
  };

  const event = createEvent([message], { queueArn: 'arn:aws:sqs:us-east-1:000000000000:rows', region: 'us-east-1' });

  expect(event.Records).toEqual([
    {
      messageId: 'id',
      receiptHandle: 'handle',
      body: '{}',
      md5OfBody: 'sum',
      attributes: { ApproximateReceiveCount: '1' },
      messageAttributes: {
        code: { stringValue: 'LOST', dataType: 'String', stringListValues: [], binaryListValues: [] },
      },
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:rows',
      awsRegion: 'us-east-1',
    },
  ]);
});
