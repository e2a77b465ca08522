import * as z from 'zod';

import { createEvent, type EventPorts, type EventBody } from '../../shared/job/events.ts';
import { RollcallError } from '../../shared/errors.ts';
import { enqueueRequestSchema, type EnqueueRequest } from '../../shared/job/messages.ts';
import type { Log } from '../../shared/log.ts';
import type { EventsQueue } from '../../shared/ports.ts';

/** A message of ours that cannot be understood: it is quarantined, as another try would not change it. */
export class MessageUnreadable extends RollcallError {
  readonly code = 'MESSAGE_UNREADABLE';
  readonly temporary = false;
}

/** An object that was put into the inbox bucket. */
export interface Upload {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | undefined;
  readonly bytes: number;
  /** ISO 8601, UTC; absent when the notification does not say. */
  readonly at: string | undefined;
}

/** What a message asks of the splitter. */
export type Request = { readonly kind: 'uploads'; readonly uploads: readonly Upload[] } | EnqueueRequest;

// Names and encodings of the fields: "Event message structure", Amazon S3 user guide.
const notificationSchema = z.object({
  Records: z.array(
    z.object({
      eventName: z.string(),
      eventTime: z.iso.datetime().optional(),
      s3: z.object({
        bucket: z.object({ name: z.string().min(1) }),
        object: z.object({
          key: z.string().min(1),
          size: z.int().nonnegative().default(0),
          versionId: z.string().min(1).optional(),
        }),
      }),
    }),
  ),
});

const testEventSchema = z.object({ Event: z.literal('s3:TestEvent') });

const requestSchema = z.union([
  enqueueRequestSchema,
  notificationSchema,
  testEventSchema.transform(() => ({ Records: [] })),
]);

/** Reads a message of the intake or the enqueue queue. Throws MessageUnreadable for anything that is neither. */
export function readRequest(body: string): Request {
  const parsed = requestSchema.safeParse(parseJson(body));
  if (!parsed.success)
    throw new MessageUnreadable(
      'This is neither a notification of S3 nor an enqueue request of a version that the splitter knows.',
    );
  if ('kind' in parsed.data) return parsed.data;
  const created = parsed.data.Records.filter(({ eventName }) => eventName.startsWith('ObjectCreated:'));
  return { kind: 'uploads', uploads: created.map(uploadOf) };
}

function uploadOf({
  eventTime,
  s3: { bucket, object },
}: z.infer<typeof notificationSchema>['Records'][number]): Upload {
  const { versionId, size: bytes } = object;
  return { bucket: bucket.name, key: decodeKey(object.key), versionId, bytes, at: eventTime };
}

/** S3 encodes keys in notifications as forms do: `+` is a space. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch (cause) {
    throw new MessageUnreadable('The key in this notification is not encoded as S3 encodes keys.', { cause });
  }
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new MessageUnreadable('This is not JSON.', { cause });
  }
}

export interface PostPorts extends EventPorts {
  readonly eventsQueue: EventsQueue;
  readonly log: Log;
}

/** Tells a job's events what happened. */
export type Post = (jobId: string, body: EventBody) => Promise<void>;

export const postTo =
  ({ eventsQueue, log, ...ports }: PostPorts): Post =>
  async (jobId, body) => {
    await eventsQueue.post([createEvent(jobId, body, ports)]);
    log(`job.${body.type}`, { job: jobId });
  };
