import { Aws, Duration, Fn, Stack } from 'aws-cdk-lib';
import {
  DeduplicationScope,
  FifoThroughputLimit,
  Queue,
  QueueEncryption,
  RedrivePermission,
  type CfnQueue,
} from 'aws-cdk-lib/aws-sqs';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';

interface QueueOptions {
  /** Where messages go that were received `maxReceiveCount` times; absent for a last stop. */
  readonly redrive?: { readonly to: Queue; readonly maxReceiveCount: number };
  /** Absent where no function receives. */
  readonly visibilitySeconds?: number;
  readonly fifo?: boolean;
  /** Instead of SQS's own. */
  readonly encryptionKey?: IKey | undefined;
  /** The ids of the queues that give their dead letters up to this one, the only ones that may; absent where none may. */
  readonly takesFrom?: readonly string[];
}

/** The longest that SQS keeps a message: dead letters of a standard queue expire counting from their first enqueue. (SQS developer guide.) */
const KEPT_DAYS = 14;
const LARGEST_MESSAGE_BYTES = 1_048_576;

/** A queue as all of ours are: encrypted, TLS only, kept for as long as SQS keeps anything, and open to no other queue's dead letters. */
export function pipelineQueue(scope: Construct, id: string, options: QueueOptions = {}): Queue {
  const { redrive, visibilitySeconds, fifo = false, encryptionKey, takesFrom } = options;
  const queue = new Queue(scope, id, {
    queueName: queueNameOf(scope, { id, fifo }),
    ...(encryptionKey
      ? { encryption: QueueEncryption.KMS, encryptionMasterKey: encryptionKey }
      : { encryption: QueueEncryption.SQS_MANAGED }),
    enforceSSL: true,
    retentionPeriod: Duration.days(KEPT_DAYS),
    maxMessageSizeBytes: LARGEST_MESSAGE_BYTES,
    redriveAllowPolicy: { redrivePermission: RedrivePermission.DENY_ALL },
    ...(visibilitySeconds !== undefined && { visibilityTimeout: Duration.seconds(visibilitySeconds) }),
    ...(redrive && { deadLetterQueue: { queue: redrive.to, maxReceiveCount: redrive.maxReceiveCount } }),
    ...(fifo && {
      fifo,
      // Each mailbox has its own throughput: one busy job slows no other.
      deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
      fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
    }),
  });
  if (takesFrom) admit(queue, { takesFrom, fifo });
  return queue;
}

interface Identity {
  readonly id: string;
  readonly fifo: boolean;
}

/**
 * A queue refers to its dead-letter queue, and that one to it, which CloudFormation can only resolve where names are known
 * beforehand. The part of the stack's id keeps a deployment repeatable: SQS makes no queue of a name whose queue was deleted
 * less than a minute ago. (Amazon SQS API reference, CreateQueue, QueueDeletedRecently.)
 */
function queueNameOf(scope: Construct, { id, fifo }: Identity): string {
  const uuid = Fn.select(2, Fn.split('/', Aws.STACK_ID));
  const suffix = fifo ? '.fifo' : '';
  return `${Stack.of(scope).stackName}-${id}-${Fn.select(0, Fn.split('-', uuid))}${suffix}`;
}

function admit(
  queue: Queue,
  { takesFrom, fifo }: { readonly takesFrom: readonly string[]; readonly fifo: boolean },
): void {
  const resource = queue.node.defaultChild as CfnQueue; // what an L2 queue is made of
  const arnOf = (id: string): string =>
    Stack.of(queue).formatArn({ service: 'sqs', resource: queueNameOf(queue, { id, fifo }) });
  resource.redriveAllowPolicy = {
    redrivePermission: RedrivePermission.BY_QUEUE,
    sourceQueueArns: takesFrom.map(arnOf),
  };
}
