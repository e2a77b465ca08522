import { brokenKey } from './job/keys.ts';
import type { Log } from './log.ts';
import type { ObjectStore } from './ports.ts';

/** A message that is not ours or that this version cannot read. */
export interface UnreadableMessage {
  /** The queue's name: where under `broken/` it is kept. */
  readonly queue: string;
  readonly messageId: string;
  readonly body: string;
  readonly reason: string;
}

/** Keeps an unreadable message with its reason under `broken/`, where the alarm on `message.set-aside` points. */
export async function setAside(results: ObjectStore, message: UnreadableMessage, log: Log): Promise<void> {
  const key = brokenKey(message.queue, message.messageId);
  await results.write(key, JSON.stringify({ reason: message.reason, body: message.body }));
  log('message.set-aside', { queue: message.queue, key });
}

/** The queue's name in an SQS record's `eventSourceARN`. */
export const queueNameOf = (arn: string): string => arn.slice(arn.lastIndexOf(':') + 1);
