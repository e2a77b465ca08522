/** What a synthesized template says, as plain descriptions: the one source of every setting of the local stack. */
export interface StackDescription {
  readonly queues: readonly QueueDescription[];
  readonly buckets: readonly BucketDescription[];
  readonly topics: readonly TopicDescription[];
  readonly functions: readonly FunctionDescription[];
  readonly eventSources: readonly EventSourceDescription[];
  readonly schedules: readonly ScheduleDescription[];
  readonly roles: readonly RoleDescription[];
  readonly outputs: Readonly<Record<string, string>>;
}

export interface QueueDescription {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  readonly url: string;
  /** As CreateQueue takes them. */
  readonly attributes: Readonly<Record<string, string>>;
}

export interface BucketDescription {
  readonly name: string;
  readonly arn: string;
  readonly versioned: boolean;
  readonly notifications: readonly NotificationDescription[];
}

/** Which objects of a bucket are told to which queue. */
export interface NotificationDescription {
  readonly queueArn: string;
  /** `s3:ObjectCreated:*` and its kin. */
  readonly event: string;
  readonly prefix: string;
  readonly suffix: string;
}

/** A topic, with who hears of what is published there. */
export interface TopicDescription {
  readonly arn: string;
  readonly subscriptions: readonly SubscriptionDescription[];
}

export interface SubscriptionDescription {
  /** `sqs`, `email`, `https`. */
  readonly protocol: string;
  /** The ARN of a queue, or an address. */
  readonly endpoint: string;
  /** By the name of an attribute, the texts that it may be. */
  readonly filter: Readonly<Record<string, readonly string[]>>;
}

export interface FunctionDescription {
  readonly name: string;
  /** The name that people know it by, e.g. `worker`. */
  readonly label: string;
  readonly arn: string;
  readonly roleArn: string;
  /** `<file without extension>.<export>`. */
  readonly handler: string;
  /** The folder of the bundle. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  readonly reservedConcurrency?: number | undefined;
  /** The aliases by which it can be invoked besides. */
  readonly aliases: readonly string[];
}

export interface EventSourceDescription {
  readonly functionName: string;
  readonly queueArn: string;
  readonly batchSize: number;
  readonly windowSeconds: number;
  readonly maxConcurrency?: number | undefined;
  /** Whether the function names the messages that failed (ReportBatchItemFailures). */
  readonly partialResponses: boolean;
}

/** A rule that invokes a function at a fixed rate. */
export interface ScheduleDescription {
  readonly name: string;
  readonly functionArn: string;
  readonly everyMs: number;
}

export interface RoleDescription {
  readonly name: string;
  readonly arn: string;
  readonly statements: readonly Statement[];
}

/** One statement of a role's policies; its conditions are taken as met. */
export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}
