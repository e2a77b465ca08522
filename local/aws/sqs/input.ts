import * as z from 'zod';

import { refused } from './queue.ts';

/** Source: Amazon SQS developer guide, "Amazon SQS message metadata". */
const messageAttributes = z
  .record(
    z.string().regex(/^(?!(aws|amazon)?\.)(?!.*\.(\.|$))[\w.-]{1,256}$/i),
    z
      .object({
        DataType: z.string().regex(/^(String|Number|Binary)(\.|$)/),
        StringValue: z.string().min(1).optional(),
        BinaryValue: z.base64().min(1).optional(),
      })
      .refine(({ StringValue: text, BinaryValue: binary }) => text ?? binary, 'It has no value'),
  )
  .refine((attributes) => Object.keys(attributes).length <= 10, 'A message has at most 10 attributes');

const id = z.string().min(1).max(128);
const names = z.array(z.string());

/** Everything that a request or an entry of a batch may hold. Source: Amazon SQS API reference. */
const inputSchema = z
  .object({
    QueueUrl: z.string(),
    QueueName: z.string(),
    QueueNamePrefix: z.string(),
    Attributes: z.record(z.string(), z.string()),
    AttributeNames: names,
    Entries: z.array(z.looseObject({ Id: z.string().regex(/^[\w-]{1,80}$/) })),
    MessageBody: z.string().min(1),
    MessageAttributes: messageAttributes,
    MessageGroupId: id,
    MessageDeduplicationId: id,
    DelaySeconds: z.int().min(0).max(900),
    MaxNumberOfMessages: z.int().min(1).max(10),
    WaitTimeSeconds: z.int().min(0).max(20),
    VisibilityTimeout: z.int().min(0).max(43_200),
    MessageSystemAttributeNames: names,
    MessageAttributeNames: names,
    ReceiptHandle: z.string(),
    SourceArn: z.string(),
    DestinationArn: z.string(),
    MaxNumberOfMessagesPerSecond: z.int().min(1).max(500),
    TaskHandle: z.string(),
  })
  .partial();
export type Input = Readonly<z.infer<typeof inputSchema>>;

/** Reads what was sent; throws ServiceRefusal that names the first field which SQS would not take. */
export function readInput(sent: unknown): Input {
  const { data, error } = inputSchema.safeParse(sent, { reportInput: true });
  if (data) return data;
  const [issue] = error.issues;
  const where = `Value ${JSON.stringify(issue?.input)} for parameter ${issue?.path.join('.')}`;
  throw refused('InvalidParameterValue', `${where} is invalid. Reason: ${issue?.message}`);
}

/** A field that has to be there; throws ServiceRefusal. */
export function required<Name extends keyof Input>(input: Input, name: Name): NonNullable<Input[Name]> {
  const value = input[name];
  if (value !== undefined) return value;
  throw refused('MissingParameter', `The request must contain the parameter ${name}.`);
}
