import type { Readable } from 'node:stream';

import { RollcallError } from './errors.ts';
import type { JobEvent } from './job/events.ts';
import type { Target } from './target.ts';

/** What time it is; tests decide. */
export interface Clock {
  readonly now: () => Date;
}

/** Ids that nobody else has, and the dice for jitter; tests decide. */
export interface Chance {
  readonly uuid: () => string;
  /** A number in [0, 1). */
  readonly random: () => number;
}

export interface StoredObject {
  readonly body: Readable;
  readonly etag: string;
  /** What was given with the object besides; names in lower case, without S3's prefix. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Bytes of the body that is served: the rest of the object when it was read from an offset. */
  readonly bytes: number;
  readonly text: () => Promise<string>;
}

/** A write may be made to depend on what is there: on this etag, or on nothing being there. */
export type WriteCondition = { readonly ifMatch: string } | { readonly ifNoneMatch: '*' };

export interface ReadOptions {
  readonly versionId?: string | undefined;
  /** First byte to read; an offset at or beyond the end gives an empty body. */
  readonly from?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One S3 bucket. A key that is not there reads as `undefined`. */
export interface ObjectStore {
  readonly read: (key: string, options?: ReadOptions) => Promise<StoredObject | undefined>;
  /** Reads only when the object is no longer the one with this etag. */
  readonly readIfChanged: (key: string, etag: string) => Promise<StoredObject | 'unchanged' | undefined>;
  /** Throws ConditionNotMet when the condition does not hold (412) or lost a race (409). */
  readonly write: (
    key: string,
    body: string | Uint8Array,
    condition?: WriteCondition,
  ) => Promise<{ readonly etag: string }>;
  /** Writes a body of any length in parts, with bounded memory. */
  readonly writeStream: (key: string, body: AsyncIterable<string | Uint8Array>) => Promise<void>;
  /** Keys under a prefix, in UTF-8 order. */
  readonly list: (prefix: string) => AsyncIterable<string>;
  readonly delete: (key: string) => Promise<void>;
}

export interface Message {
  /** Sent as JSON. */
  readonly body: unknown;
  /** FIFO: the mailbox. Standard: whose turn it is (fair queues). */
  readonly groupId?: string | undefined;
  readonly deduplicationId?: string | undefined;
  /** 0 to 900, whole seconds. */
  readonly delaySeconds?: number | undefined;
  /** Sent as string attributes. */
  readonly attributes?: Readonly<Record<string, string>> | undefined;
}

/** One SQS queue to send to. Resolves once every message is accepted; throws QueueRefused when one was not, after trying it again. */
export interface Queue {
  readonly send: (messages: readonly Message[]) => Promise<void>;
}

/** What is published: a subject and a text for mail, JSON for machines, and what subscribers filter by. */
export interface Publication {
  readonly subject: string;
  readonly text: string;
  readonly body: unknown;
  readonly attributes: Readonly<Record<string, string>>;
}

/** One SNS topic to publish to. */
export interface Topic {
  readonly publish: (publication: Publication) => Promise<void>;
}

/** A job's mailbox: events are kept until a coordinator has folded them. */
export interface EventsQueue {
  readonly post: (events: readonly JobEvent[]) => Promise<void>;
}

/** The targets, as their secrets describe them. Throws TargetUnreadable when a secret is there but is not what it should be. */
export interface Targets {
  /** `undefined` when no secret has that name; `fresh` reads it again, at most once a second, after a 401. */
  readonly find: (name: string, options?: { readonly fresh?: boolean }) => Promise<Target | undefined>;
  readonly secretNameOf: (name: string) => string;
}

/** The names of all targets that there are, by their secrets. */
export interface TargetNames {
  readonly list: () => Promise<readonly string[]>;
}

/** A conditional write found another object than it expected (S3 answered 412), or lost a race (409). */
export class ConditionNotMet extends RollcallError {
  readonly code = 'CONDITION_NOT_MET';
  readonly temporary = true;

  constructor(key: string, options?: ErrorOptions) {
    super(`${key} is no longer what it was when it was read; read it again`, options);
  }
}

/** SQS did not accept every message of a batch. */
export class QueueRefused extends RollcallError {
  readonly code = 'QUEUE_REFUSED';
  readonly temporary = true;
}

/** A target's secret is there but cannot be used as it is: which field is wrong, never its value. */
export class TargetUnreadable extends RollcallError {
  readonly code = 'TARGET_UNREADABLE';
  readonly temporary = false;
}

/** Something that a job rests on is not there, or is not what was written. */
export class JobNotReadable extends RollcallError {
  readonly code = 'JOB_NOT_READABLE';
  readonly temporary = true;
}

/** Whether there is an object under this key. */
export async function isStored(store: ObjectStore, key: string): Promise<boolean> {
  const stored = await store.read(key);
  stored?.body.destroy();
  return stored !== undefined;
}

/** Writes an object unless there is one under this key; false when there is, or when another write of it is under way. */
export const writeOnce = (store: ObjectStore, key: string, body: string | Uint8Array): Promise<boolean> =>
  writeIf(store, key, body, { ifNoneMatch: '*' });

/** Writes an object on a condition; false when it does not hold, or when another write was faster. */
export async function writeIf(
  store: ObjectStore,
  key: string,
  body: string | Uint8Array,
  condition: WriteCondition,
): Promise<boolean> {
  try {
    await store.write(key, body, condition);
    return true;
  } catch (error) {
    if (error instanceof ConditionNotMet) return false;
    throw error;
  }
}
