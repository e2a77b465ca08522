import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { PolicyDocument, Role, ServicePrincipal, type PolicyStatement } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  EventSourceMapping,
  Function as LambdaFunction,
  RecursiveLoop,
  Runtime,
  type CfnFunction,
  type Code,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

import type { Settings } from '../../shared/settings.ts';
import { allow } from './statements.ts';

interface FunctionOptions {
  readonly code: Code;
  readonly about: string;
  readonly settings: {
    readonly timeoutSeconds: number;
    readonly memoryMegabytes: number;
    readonly reservedConcurrency: number | 'none';
  };
  readonly logDays: RetentionDays;
  /** The network that the function is in; absent for none of the account's own. */
  readonly vpc?: Settings['vpc'];
  readonly environment: Readonly<Record<string, string>>;
  /** All that the function may do, save writing its own log. */
  readonly statements: readonly PolicyStatement[];
  /** True where a function's messages cause its own next invocation: a long job turns that wheel thousands of times. */
  readonly recursive: boolean;
}

/** A quarter of V8's own bound on short-lived objects: a splitter that validations a million rows then peaks at 150 MiB, not at 249. */
const NODE_OPTIONS = '--max-semi-space-size=8';

/** A function with the one log group that it writes. */
export interface PipelineFunction {
  readonly lambda: LambdaFunction;
  readonly logGroup: LogGroup;
}

/** A function as all of ours are: Node 24 on arm64, a role of its own that lists every action, a log with an end. */
export function pipelineFunction(scope: Construct, id: string, options: FunctionOptions): PipelineFunction {
  const { settings, statements, recursive } = options;
  const logGroup = new LogGroup(scope, `${id}Log`, {
    retention: options.logDays,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const role = new Role(scope, `${id}Role`, {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    description: options.about,
    inlinePolicies: { own: new PolicyDocument({ statements: [...statements, writesLog(logGroup)] }) },
  });
  const lambda = new LambdaFunction(scope, id, {
    description: options.about,
    code: options.code,
    handler: 'index.handler',
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    role,
    logGroup,
    timeout: Duration.seconds(settings.timeoutSeconds),
    memorySize: settings.memoryMegabytes,
    environment: { NODE_OPTIONS, ...options.environment },
    recursiveLoop: recursive ? RecursiveLoop.ALLOW : RecursiveLoop.TERMINATE,
    ...(settings.reservedConcurrency !== 'none' && { reservedConcurrentExecutions: settings.reservedConcurrency }),
  });
  // By ids alone, which is all that CloudFormation asks for: CDK's own way wants a description of the network.
  const resource = lambda.node.defaultChild as CfnFunction; // what an L2 function is made of
  if (options.vpc) resource.vpcConfig = options.vpc;
  return { lambda, logGroup };
}

interface SourceOptions {
  readonly queue: Queue;
  readonly batchSize: number;
  readonly batchingWindowSeconds?: number;
  /** Holds the source back where reserved concurrency alone would throttle, and throttled batches burn receives. */
  readonly maxConcurrency: number;
}

/** Lets a queue invoke a function, which answers with the messages that it could not finish. */
export function receivesFrom(consumer: PipelineFunction, id: string, options: SourceOptions): void {
  const { queue, batchSize, batchingWindowSeconds, maxConcurrency } = options;
  new EventSourceMapping(consumer.lambda, id, {
    target: consumer.lambda,
    eventSourceArn: queue.queueArn,
    batchSize,
    maxConcurrency,
    reportBatchItemFailures: true,
    ...(batchingWindowSeconds !== undefined && { maxBatchingWindow: Duration.seconds(batchingWindowSeconds) }),
  });
}

const writesLog = (logGroup: LogGroup): PolicyStatement =>
  allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroup.logGroupArn]);
