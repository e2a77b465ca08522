import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

import type { Synthesized } from '../infra/synthesize.ts';
import type { FunctionUsage } from './aws/lambda/function-pool.ts';
import { startInvocations } from './aws/lambda/invocations.ts';
import { createAccessControl, type RequestCount, type Violation } from './aws/access-control.ts';
import { startPipeline, type Watch } from './pipeline.ts';
import { startSimulatorProcess } from './atlassian/simulator-process.ts';
import { startServices, type Ports, type ServiceFaults, type Services } from './aws/services.ts';
import type { Published } from './aws/sns.ts';
import type { StackDescription } from './aws/template/description.ts';

/** The account and region that the local stack says it is in. */
export const ACCOUNT = '000000000000';
export const REGION = 'us-east-1';

export interface StackOptions {
  /** Where everything that outlives the process is kept; one stack at a time. */
  readonly folder: string;
  readonly synthesized: Synthesized;
  /** Secrets of targets beside the simulator's, by target name. */
  readonly targets?: Readonly<Record<string, unknown>> | undefined;
  /** Whether the simulator is started, as targets `cloud` and `data-center`; it is unless this is false. */
  readonly simulator?: boolean | undefined;
  readonly ports?: Ports | undefined;
  /** Milliseconds between two runs of each schedule, instead of the template's rate. */
  readonly reconcileEveryMs?: number | undefined;
  readonly faults?: ServiceFaults | undefined;
  /** Told of everything that is published to a topic. */
  readonly published?: ((publication: Published) => void) | undefined;
  /** Told what whoever runs the stack should know: that its disk is full, and that it goes on. */
  readonly say?: ((sentence: string) => void) | undefined;
  /** Told of each batch that an event source hands a function: for tests that ask when a row was in whose hands. */
  readonly watch?: Watch | undefined;
}

/** Where a stack can be reached, and with which key. */
export interface Connection {
  readonly s3: string;
  readonly sqs: string;
  readonly sns: string;
  readonly secretsManager: string;
  /** Where functions are invoked. */
  readonly lambda: string;
  /** The simulator; absent when it was not started. */
  readonly atlassian?: string | undefined;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly inboxBucket: string;
  readonly resultsBucket: string;
  readonly deadLetterQueueUrl: string;
  readonly intakeFunctionName: string;
  /** What the names of the targets' secrets begin with. */
  readonly secretPrefix: string;
  readonly targets: readonly string[];
}

/** The pipeline of a synthesized template, running on this machine. */
export interface LocalStack extends Connection {
  readonly description: StackDescription;
  /** Calls to the emulators, by caller and kind. */
  readonly requests: () => readonly RequestCount[];
  /** Calls that a function made and its role does not allow: a run that has any has failed. */
  readonly violations: () => readonly Violation[];
  readonly usage: () => readonly FunctionUsage[];
  /** Process ids of a function, e.g. `worker`, or of `all`. */
  readonly pids: (functionName: string) => readonly number[];
  /** Kills the processes of a function, e.g. `worker`, or of `all`; how many there were. */
  readonly killFunction: (functionName: string) => number;
  /** Runs the daily look at credentials now. */
  readonly checkCredentials: () => Promise<void>;
  /** Runs the look at open jobs now. */
  readonly reconcile: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Starts what a synthesized template says, on 127.0.0.1, and goes on with the jobs that a former run left open. */
export async function startStack(options: StackOptions): Promise<LocalStack> {
  const folder = resolve(options.folder);
  mkdirSync(folder, { recursive: true });
  const { ports = {}, synthesized, faults, watch, say, published } = options;
  const access = createAccessControl();
  const place = { account: ACCOUNT, region: REGION };

  const [services, simulator] = await Promise.all([
    startServices({ ...place, folder, access, synthesized, ports, faults, say, published }),
    options.simulator === false ? undefined : startSimulatorProcess(ports.atlassian),
  ]);
  const targets = { ...simulator?.targets, ...options.targets };
  const connection = connectionOf(services, Object.keys(targets));
  for (const [name, secret] of Object.entries(targets)) services.putSecret(connection.secretPrefix + name, secret);

  const { reconcileEveryMs } = options;
  const logFolder = join(folder, 'logs');
  const pipeline = startPipeline({ ...place, services, access, logFolder, reconcileEveryMs, watch });
  const invocations = await startInvocations({
    credentials: access.secretOf,
    record: access.authorize,
    region: REGION,
    port: ports.lambda,
    functions: pipeline.functions,
  });

  return {
    ...connection,
    lambda: invocations.url,
    atlassian: simulator?.url,
    description: services.description,
    requests: access.requests,
    violations: access.violations,
    usage: pipeline.usage,
    pids: pipeline.pids,
    killFunction: pipeline.kill,
    checkCredentials: () => pipeline.fire('notifier'),
    reconcile: pipeline.reconcile,
    close: async () => {
      await invocations.close();
      await pipeline.close();
      await services.close();
      simulator?.close();
    },
  };
}

function connectionOf(services: Services, targets: readonly string[]): Omit<Connection, 'lambda' | 'atlassian'> {
  const { endpoints, key, description } = services;
  const output = (name: string): string => description.outputs[name] ?? '';
  return {
    ...endpoints,
    region: REGION,
    accessKeyId: key.accessKeyId,
    secretAccessKey: key.secretAccessKey,
    inboxBucket: output('InboxBucketName'),
    resultsBucket: output('ResultsBucketName'),
    deadLetterQueueUrl: output('DeadLetterQueueUrl'),
    intakeFunctionName: output('IntakeFunctionName'),
    secretPrefix: output('TargetSecretPrefix'),
    targets,
  };
}
