import * as z from 'zod';

import { ServiceRefusal } from '../service-refusal.ts';

const integer = (least: number, most: number) => z.coerce.number().int().min(least).max(most);
const flag = z.stringbool({ truthy: ['true'], falsy: ['false'] }).default(false);

/** Source, of the defaults too: Amazon SQS API reference, CreateQueue and SetQueueAttributes. */
const settingsSchema = z.object({
  VisibilityTimeout: integer(0, 43_200),
  DelaySeconds: integer(0, 900),
  MessageRetentionPeriod: integer(60, 1_209_600),
  ReceiveMessageWaitTimeSeconds: integer(0, 20),
  MaximumMessageSize: integer(1_024, 1_048_576),
  FifoQueue: flag,
  ContentBasedDeduplication: flag,
  DeduplicationScope: z.enum(['queue', 'messageGroup']).default('queue'),
  RedrivePolicy: z
    .preprocess(parseJson, z.object({ deadLetterTargetArn: z.string(), maxReceiveCount: integer(1, 1_000) }))
    .optional(),
  RedriveAllowPolicy: z
    .preprocess(
      parseJson,
      z.discriminatedUnion('redrivePermission', [
        z.strictObject({ redrivePermission: z.enum(['allowAll', 'denyAll']) }),
        z.strictObject({
          redrivePermission: z.literal('byQueue'),
          sourceQueueArns: z.array(z.string()).min(1).max(10),
        }),
      ]),
    )
    .default({ redrivePermission: 'allowAll' }),
});
const DEFAULTS = {
  VisibilityTimeout: '30',
  DelaySeconds: '0',
  MessageRetentionPeriod: '345600',
  ReceiveMessageWaitTimeSeconds: '0',
  MaximumMessageSize: '1048576',
};

/** A queue as its attributes make it. */
export interface Queue {
  readonly name: string;
  readonly arn: string;
  readonly url: string;
  /** As CreateQueue takes them, and defaults for what was not given. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly settings: Readonly<z.infer<typeof settingsSchema>>;
}

/** Reads a queue's attributes; throws ServiceRefusal that names the first one which SQS would not take. */
export function readQueue(place: Pick<Queue, 'name' | 'arn' | 'url'>, given: Queue['attributes']): Queue {
  const attributes = { ...DEFAULTS, ...given };
  const { data: settings, error } = settingsSchema.safeParse(attributes);
  if (!settings)
    throw refused('InvalidAttributeValue', `Invalid value for the parameter ${String(error.issues[0]?.path[0])}.`);
  if (settings.FifoQueue !== place.name.endsWith('.fifo'))
    throw refused('InvalidParameterValue', 'The name of a FIFO queue, and of no other, ends with ".fifo".');
  return { ...place, attributes, settings };
}

/** Whether a queue takes the dead letters of another one. */
export function admits({ settings: { RedriveAllowPolicy: policy } }: Queue, source: Pick<Queue, 'arn'>): boolean {
  switch (policy.redrivePermission) {
    case 'allowAll':
      return true;
    case 'denyAll':
      return false;
    case 'byQueue':
      return policy.sourceQueueArns.includes(source.arn);
  }
}

/** Refuses a queue whose dead-letter queue is there and does not admit it; throws ServiceRefusal. */
export function checkRedrive(queue: Queue, queues: ReadonlyMap<string, Queue>): void {
  const arn = queue.settings.RedrivePolicy?.deadLetterTargetArn;
  const target = arn === undefined ? undefined : queues.get(nameIn(arn));
  if (!target || admits(target, queue)) return;
  const why = `The RedriveAllowPolicy of ${target.arn} does not admit ${queue.arn}.`;
  throw refused('InvalidParameterValue', `Value for parameter RedrivePolicy is invalid. Reason: ${why}`);
}

/** The name of a queue, with which its ARN and its URL end. */
export const nameIn = (arnOrUrl: string): string => /[^:/]*$/.exec(arnOrUrl)?.[0] ?? '';

/** A refusal because of what was asked, with the code of SQS's JSON protocol. */
export const refused = (code: string, message: string): ServiceRefusal => new ServiceRefusal(400, code, message);

function parseJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return text; // which is refused under its attribute's name
  }
}
