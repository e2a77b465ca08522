import type { SQSRecord } from 'aws-lambda';

import { brokenKey } from './job/keys.ts';
import type { Log } from './log.ts';
import type { ObjectStore } from './ports.ts';

/** Keeps a message that nothing can be done about, with the reason, under `broken/`, where the alarm on `message.set-aside` points. */
export async function setAside(
  results: ObjectStore,
  { eventSourceARN, messageId, body }: Pick<SQSRecord, 'eventSourceARN' | 'messageId' | 'body'>,
  reason: string,
  log: Log,
): Promise<void> {
  const queue = eventSourceARN.slice(eventSourceARN.lastIndexOf(':') + 1);
  const key = brokenKey(queue, messageId);
  await results.write(key, JSON.stringify({ reason, body }));
  log('message.set-aside', { queue, key });
}
