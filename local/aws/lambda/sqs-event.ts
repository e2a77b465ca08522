import type { Message } from '@aws-sdk/client-sqs';
import type { SQSEvent, SQSRecord } from 'aws-lambda';

/** The event that Lambda makes of messages. Source: Lambda developer guide, "Using Lambda with Amazon SQS". */
export const sqsEvent = (
  messages: readonly Message[],
  source: { readonly queueArn: string; readonly region: string },
): SQSEvent => ({ Records: messages.map((message) => record(message, source)) });

function record(
  message: Message,
  { queueArn, region }: { readonly queueArn: string; readonly region: string },
): SQSRecord {
  const attributes = Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [
    name,
    {
      stringValue: value.StringValue,
      binaryValue: value.BinaryValue && Buffer.from(value.BinaryValue).toString('base64'),
      stringListValues: [],
      binaryListValues: [],
      dataType: value.DataType ?? 'String',
    },
  ]);
  return {
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    attributes: message.Attributes as SQSRecord['attributes'], // all of them are asked for
    messageAttributes: Object.fromEntries(attributes) as SQSRecord['messageAttributes'],
    md5OfBody: message.MD5OfBody ?? '',
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: region,
  };
}

/**
 * The messages that a function's answer deletes: all but those that it names. An answer that is not understood, or that names
 * a message which was not in the batch, deletes none. Source: Lambda developer guide, "Reporting batch item failures".
 */
export function succeeded(
  messages: readonly Message[],
  answer: unknown,
  partialResponses: boolean,
): readonly Message[] {
  if (!partialResponses || answer === null || answer === undefined) return messages;
  const failures = typeof answer === 'object' && 'batchItemFailures' in answer ? answer.batchItemFailures : [];
  if (failures === null) return messages;
  if (!Array.isArray(failures)) return [];

  const ids = new Set(messages.map((message) => message.MessageId));
  const failed = new Set(failures.map((failure: unknown) => identifier(failure)));
  return [...failed].every((id) => ids.has(id)) ? messages.filter((message) => !failed.has(message.MessageId)) : [];
}

const identifier = (failure: unknown): string | undefined =>
  typeof failure === 'object' && failure !== null && 'itemIdentifier' in failure
    ? String(failure.itemIdentifier)
    : undefined;
