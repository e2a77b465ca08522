import type { Context, SQSRecord } from 'aws-lambda';
import type * as z from 'zod';

import { noticeKey, quarantineKey } from './job/keys.ts';
import type { Log } from './log.ts';
import type { Clock, ObjectStore } from './ports.ts';

/** A record's body, or `undefined` when it is not JSON of this shape. */
export function readMessage<Body>(schema: z.ZodType<Body>, body: string): Body | undefined {
  try {
    return schema.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined; // not JSON
  }
}

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

/** Tells whoever put an object under `control/` why nothing is done. That is a slip, and no alarm. */
export async function refuseCommand(
  results: ObjectStore,
  { key, jobId = '', reason }: { readonly key: string; readonly jobId?: string | undefined; readonly reason: string },
  log: Log,
): Promise<void> {
  await results.write(noticeKey(key), `${reason}\n`);
  log('command.refused', { job: jobId });
}

/** A signal that ends after so long; a simulation's ends in virtual time. */
export type Timeout = (ms: number) => AbortSignal;

/** When a batch has to be done with its work. */
export interface Deadline {
  /** Epoch milliseconds after which nothing new may begin. */
  readonly atMs: number;
  /** Aborts what is under way then. */
  readonly signal: AbortSignal;
}

/** Leaves an invocation the time that it needs at its end: so much of a long time-out, and at most a third of a short one. */
export function deadlineOf(
  context: Pick<Context, 'getRemainingTimeInMillis'>,
  { clock, timeout = (ms) => AbortSignal.timeout(ms) }: { readonly clock: Clock; readonly timeout?: Timeout },
  reserveMs: number,
): Deadline {
  const nowMs = clock.now().getTime();
  const remainingMs = context.getRemainingTimeInMillis();
  const usableMs = Math.max(0, remainingMs - Math.min(reserveMs, remainingMs / 3));
  return { atMs: nowMs + usableMs, signal: timeout(Math.floor(usableMs)) };
}
