import * as z from 'zod';

import { RollcallError } from '../../shared/errors.ts';

/** A message that cannot be understood: it is quarantined, as another try would not change it. */
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
  /** When S3 took it in; ISO 8601, UTC; absent when the notification does not say. */
  readonly at: string | undefined;
  /** Who put it there, as AWS names them. */
  readonly principal: string | undefined;
}

// Names and encodings of the fields: "Event message structure", Amazon S3 user guide.
const recordSchema = z.object({
  eventName: z.string(),
  eventTime: z.iso.datetime().optional(),
  userIdentity: z.object({ principalId: z.string().min(1).optional() }).optional(),
  s3: z.object({
    bucket: z.object({ name: z.string().min(1) }),
    object: z.object({
      key: z.string().min(1),
      size: z.int().nonnegative().default(0),
      versionId: z.string().min(1).optional(),
    }),
  }),
});

const notificationSchema = z.union([
  z.object({ Records: z.array(recordSchema) }),
  z.object({ Event: z.literal('s3:TestEvent') }).transform(() => ({ Records: [] })),
]);

/** Reads a message of the intake queue: the objects that it tells of. Throws MessageUnreadable for what is no notification of S3. */
export function readNotification(body: string): readonly Upload[] {
  const parsed = notificationSchema.safeParse(parseJson(body));
  if (!parsed.success) throw new MessageUnreadable('This is no notification of S3, and no other message was expected.');
  const created = parsed.data.Records.filter(({ eventName }) => eventName.startsWith('ObjectCreated:'));
  return created.map(uploadOf);
}

function uploadOf({ eventTime, userIdentity, s3: { bucket, object } }: z.infer<typeof recordSchema>): Upload {
  return {
    bucket: bucket.name,
    key: decodeKey(object.key),
    versionId: object.versionId,
    bytes: object.size,
    at: eventTime,
    principal: userIdentity?.principalId,
  };
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
