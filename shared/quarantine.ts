import type { SQSRecord } from 'aws-lambda';

import { quarantineKey } from './job/keys.ts';
import type { Log } from './log.ts';
import type { ObjectStore } from './ports.ts';

/** Keeps a message that nothing can be done about, with the reason, under `quarantine/`, where the alarm on `message.quarantined` points. */
export async function quarantine(
  results: ObjectStore,
  { eventSourceARN, messageId, body }: Pick<SQSRecord, 'eventSourceARN' | 'messageId' | 'body'>,
  reason: string,
  log: Log,
): Promise<void> {
  const queue = eventSourceARN.slice(eventSourceARN.lastIndexOf(':') + 1);
  const key = quarantineKey(queue, messageId);
  await results.write(key, JSON.stringify({ reason, body }));
  log('message.quarantined', { queue, key });
}
