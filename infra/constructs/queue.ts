import { Duration } from 'aws-cdk-lib';
import { DeduplicationScope, FifoThroughputLimit, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

interface QueueOptions {
  /** Where messages go that were received `maxReceiveCount` times; absent for a last stop. */
  readonly redrive?: { readonly to: Queue; readonly maxReceiveCount: number };
  /** Absent where no function receives. */
  readonly visibilitySeconds?: number;
  readonly fifo?: boolean;
}

/** The longest that SQS keeps a message: dead letters of a standard queue expire counting from their first enqueue. (SQS developer guide.) */
const KEPT_DAYS = 14;
const LARGEST_MESSAGE_BYTES = 1_048_576;

/** A queue as all of ours are: encrypted, TLS only, kept for as long as SQS keeps anything. */
export function pipelineQueue(scope: Construct, id: string, options: QueueOptions = {}): Queue {
  const { redrive, visibilitySeconds, fifo } = options;
  return new Queue(scope, id, {
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: Duration.days(KEPT_DAYS),
    maxMessageSizeBytes: LARGEST_MESSAGE_BYTES,
    ...(visibilitySeconds !== undefined && { visibilityTimeout: Duration.seconds(visibilitySeconds) }),
    ...(redrive && { deadLetterQueue: { queue: redrive.to, maxReceiveCount: redrive.maxReceiveCount } }),
    ...(fifo && {
      fifo,
      // Each mailbox has its own throughput: one busy job slows no other.
      deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
      fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
    }),
  });
}
