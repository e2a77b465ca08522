import * as z from 'zod';

import type { AwsCall } from '../access-control.ts';

const bodySchema = z.object({
  QueueUrl: z.string().optional(),
  QueueName: z.string().optional(),
  SourceArn: z.string().optional(),
});

/** IAM knows a batch by the name of its single call. Source: service authorization reference, Amazon SQS. */
const actionOf = (operation: string): string => `sqs:${operation.replace(/Batch$/, '')}`;

/** The call that a request to SQS amounts to. */
export function sqsCall(request: {
  /** The `X-Amz-Target` header, without its service. */
  readonly operation: string;
  readonly body: Uint8Array;
  readonly accessKeyId: string;
  readonly region: string;
  readonly account: string;
}): AwsCall {
  const { operation, body, accessKeyId, region, account } = request;
  return {
    service: 'sqs',
    action: actionOf(operation),
    resource: `arn:aws:sqs:${region}:${account}:${queueName(body)}`,
    accessKeyId,
    bytes: body.length,
  };
}

function queueName(body: Uint8Array): string {
  // The queue's URL comes first in what the SDKs write, and a batch may be a megabyte: reading all of it twice would cost more.
  const [, url] =
    /^\{"QueueUrl":"([^"\\]+)"/.exec(
      Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, 1_000)).toString(),
    ) ?? [];
  if (url !== undefined) return url.slice(url.lastIndexOf('/') + 1);
  const parsed = bodySchema.safeParse(parsedJson(body));
  const { QueueUrl: queueUrl = '', QueueName: name, SourceArn: arn } = parsed.data ?? {};
  return name ?? arn?.slice(arn.lastIndexOf(':') + 1) ?? queueUrl.slice(queueUrl.lastIndexOf('/') + 1);
}

function parsedJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString());
  } catch {
    return undefined; // the queues themselves refuse it
  }
}
