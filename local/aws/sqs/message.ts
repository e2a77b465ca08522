import { createHash } from 'node:crypto';

import { required, type Input } from './input.ts';
import { refused, type Queue } from './queue.ts';
import type { Handle, NewMessage, StoredMessage } from './stored-messages.ts';

/** What a queue takes in of a message; throws ServiceRefusal for what SQS does not accept. */
export function acceptMessage(input: Input, { settings }: Queue): NewMessage {
  const { MessageGroupId: group = '', MessageAttributes: attributes = {}, DelaySeconds: delay } = input;
  const body = required(input, 'MessageBody');
  for (const { StringValue: text = '' } of [{ StringValue: body }, ...Object.values(attributes)]) checkCharacters(text);
  if (messageBytes(input) > settings.MaximumMessageSize)
    throw refused('InvalidParameterValue', `Message must be shorter than ${settings.MaximumMessageSize} bytes.`);
  if (settings.FifoQueue) required(input, 'MessageGroupId');
  if (settings.FifoQueue && delay) throw notForThisQueue('DelaySeconds', delay);
  return {
    body,
    attributes: JSON.stringify(attributes),
    group,
    delayMs: (delay ?? settings.DelaySeconds) * 1_000,
    deduplicationId: deduplicationId(input, settings),
    deduplicationScope: settings.DeduplicationScope === 'messageGroup' ? group : '',
  };
}

/** What counts against the limits of a message and of a batch. Source: Amazon SQS developer guide, message quotas. */
export const messageBytes = ({ MessageBody: body = '', MessageAttributes: attributes = {} }: Input): number =>
  Object.entries(attributes).reduce(
    (sum, [name, { DataType: type, StringValue: text = '', BinaryValue: binary = '' }]) =>
      sum + Buffer.byteLength(name + type + text) + Buffer.byteLength(binary, 'base64'),
    Buffer.byteLength(body),
  );

/** What XML 1.0 cannot hold. Source: Amazon SQS API reference, SendMessage. */
const UNFIT = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

function checkCharacters(text: string): void {
  const code = UNFIT.exec(text)?.[0].codePointAt(0)?.toString(16).toUpperCase();
  if (code === undefined) return;
  const allowed = '#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF';
  const found = `Invalid binary character '#x${code}' was found in the message`;
  throw refused('InvalidMessageContents', `${found}, the set of allowed characters is ${allowed}`);
}

function deduplicationId(input: Input, settings: Queue['settings']): string | null {
  const { MessageBody: body = '', MessageDeduplicationId: given } = input;
  if (!settings.FifoQueue && given !== undefined) throw notForThisQueue('MessageDeduplicationId', given);
  if (!settings.FifoQueue || given !== undefined) return given ?? null;
  if (settings.ContentBasedDeduplication) return createHash('sha256').update(body).digest('hex');
  const expected = 'ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly';
  throw refused('InvalidParameterValue', `The queue should either have ${expected}`);
}

function notForThisQueue(parameter: string, value: string | number) {
  const reason = 'The request include parameter that is not valid for this queue type';
  return refused('InvalidParameterValue', `Value ${value} for parameter ${parameter} is invalid. Reason: ${reason}`);
}

/** What SendMessage answers. */
export const sentAnswer = ({ id, messageId, body, deduplicationId }: Sent) => ({
  MessageId: messageId,
  MD5OfMessageBody: md5(body),
  SequenceNumber: sequenceNumber(id, deduplicationId),
});
type Sent = Pick<StoredMessage, 'id' | 'messageId' | 'body' | 'deduplicationId'>;

/** A message as ReceiveMessage gives it, with those attributes that are asked for. */
export function receivedMessage(message: StoredMessage, queue: Queue, input: Input) {
  const { AttributeNames: names = [], MessageSystemAttributeNames: systemNames = [] } = input;
  const { id, messageId, receives, body, deduplicationId } = message;
  const system = {
    SenderId: queue.arn.split(':')[4],
    SentTimestamp: String(message.sentMs),
    ApproximateReceiveCount: String(receives),
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedMs),
    MessageGroupId: message.group || undefined,
    MessageDeduplicationId: deduplicationId ?? undefined,
    SequenceNumber: sequenceNumber(id, deduplicationId),
    DeadLetterQueueSourceArn: message.cameFrom ?? undefined,
  };
  const own = JSON.parse(message.attributes) as NonNullable<Input['MessageAttributes']>; // acceptMessage wrote it
  return {
    MessageId: messageId,
    ReceiptHandle: Buffer.from(`${id} ${messageId} ${receives}`).toString('base64'),
    MD5OfBody: md5(body),
    Body: body,
    Attributes: pick(system, [...names, ...systemNames]),
    MessageAttributes: pick(own, input.MessageAttributeNames ?? []),
  };
}

/** The message that a receipt handle names, and which of its receives; throws ServiceRefusal. */
export function readHandle(input: Input): Handle {
  const text = Buffer.from(required(input, 'ReceiptHandle'), 'base64').toString();
  const [, id, messageId = '', receives] = /^(\d{1,15}) ([0-9a-f-]{36}) (\d{1,9})$/.exec(text) ?? [];
  if (id === undefined) throw refused('ReceiptHandleIsInvalid', 'The input receipt handle is invalid.');
  return { id: Number(id), messageId, receives: Number(receives) };
}

/** Those of these names; `All` is each, and `a.*` each that begins with `a`. */
function pick<Value>(all: Readonly<Record<string, Value>>, names: readonly string[]) {
  const isWanted = (name: string): boolean =>
    names.some((one) => one === 'All' || one === name || (one.endsWith('.*') && name.startsWith(one.slice(0, -2))));
  const picked = Object.entries(all).filter(([name, value]) => value !== undefined && isWanted(name));
  return picked.length > 0 ? Object.fromEntries(picked) : undefined;
}

/** FIFO alone; as long as SQS's own. */
const sequenceNumber = (id: number, deduplicationId: string | null): string | undefined =>
  deduplicationId === null ? undefined : String(id).padStart(20, '0');

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
