import type { SQSEvent, SQSRecord } from 'aws-lambda';

interface More {
  readonly id?: string;
  readonly queue?: string;
  readonly receiveCount?: number;
  readonly sentMs?: number;
}

/** A whole SQS record from its body, as Lambda hands it over. */
export function sqsRecord(body: unknown, more: More = {}): SQSRecord {
  return {
    messageId: more.id ?? 'message-1',
    receiptHandle: 'receipt',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    attributes: {
      ApproximateReceiveCount: String(more.receiveCount ?? 1),
      SentTimestamp: String(more.sentMs ?? 0),
      SenderId: 'sender',
      ApproximateFirstReceiveTimestamp: '0',
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: `arn:aws:sqs:eu-central-1:000000000000:${more.queue ?? 'queue'}`,
    awsRegion: 'eu-central-1',
  };
}

/** A batch of these bodies, numbered message-1, message-2 and so on. */
export const sqsEvent = (bodies: readonly unknown[], more: Omit<More, 'id'> = {}): SQSEvent => ({
  Records: bodies.map((body, index) => sqsRecord(body, { ...more, id: `message-${index + 1}` })),
});
