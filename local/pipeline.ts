import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { sqsClient } from '../shared/aws/clients.ts';
import type { AccessControl } from './aws/access-control.ts';
import { startEventSource, type EventSource } from './aws/lambda/event-source.ts';
import { startFunction, type FunctionUsage, type LocalFunction } from './aws/lambda/function-pool.ts';
import { startSchedule, type Schedule } from './aws/lambda/schedule.ts';
import { clientEnvironment, type Services } from './aws/services.ts';
import type { FunctionDescription } from './aws/template/description.ts';
import { TemplateUnreadable } from './aws/template/intrinsics.ts';

/** The moving parts: functions, and what invokes them. */
export interface Pipeline {
  readonly functions: readonly LocalFunction[];
  readonly usage: () => readonly FunctionUsage[];
  readonly pids: (functionName: string) => readonly number[];
  readonly kill: (functionName: string) => number;
  readonly reconcile: () => Promise<void>;
  /** Runs the schedules of a function, e.g. `notifier`, now. */
  readonly fire: (functionName: string) => Promise<void>;
  /** Begins nothing any more, and ends what is under way by killing it. */
  readonly close: () => Promise<void>;
}

export interface PipelineOptions {
  readonly account: string;
  readonly region: string;
  readonly services: Services;
  readonly access: AccessControl;
  /** Each function has a log of its own in it, which is appended to. */
  readonly logFolder: string;
  readonly reconcileEveryMs?: number | undefined;
  readonly watch?: Watch | undefined;
}

/** The function whose schedule looks at open jobs. */
const RECONCILED = 'coordinator';

/** Sees an invocation begin: of which function, with which event, and what it comes to. */
export type Watch = (functionName: string, event: unknown, result: Promise<unknown>) => void;

/** A function, and what its processes and its event sources find in their environment. */
interface Part {
  readonly lambda: LocalFunction;
  readonly environment: Readonly<Record<string, string>>;
  readonly log: Log;
}

export function startPipeline(options: PipelineOptions): Pipeline {
  mkdirSync(options.logFolder, { recursive: true });
  const parts = new Map(
    options.services.description.functions.map((description) => [description.name, startPart(description, options)]),
  );
  const sources = startSources(parts, options);
  const schedules = startSchedules(parts, options);
  const called = (name: string): readonly LocalFunction[] =>
    [...parts.values()]
      .map(({ lambda }) => lambda)
      .filter(({ description }) => name === 'all' || description.label === name);
  const kill = (name: string): number => called(name).reduce((killed, lambda) => killed + lambda.kill(), 0);

  const fire = async (name: string): Promise<void> => {
    const arns = called(name).map(({ description }) => description.arn);
    const own = schedules.filter(({ description }) => arns.includes(description.functionArn));
    await Promise.all(own.map((schedule) => schedule.fire()));
  };

  return {
    functions: called('all'),
    usage: () => called('all').map((lambda) => lambda.usage()),
    pids: (name) => called(name).flatMap((lambda) => lambda.pids()),
    kill,
    fire,
    reconcile: async () => {
      await fire(RECONCILED);
    },
    close: async () => {
      for (const schedule of schedules) schedule.stop();
      const stopped = Promise.all(sources.map((source) => source.stop()));
      kill('all');
      await stopped;
      await Promise.all([...parts.values()].map(({ log }) => log.close()));
    },
  };
}

function startPart(description: FunctionDescription, { services, access, logFolder, region }: PipelineOptions): Part {
  const role = services.description.roles.find(({ arn }) => arn === description.roleArn);
  const key = access.issueKey({ name: description.label, role });
  const environment = {
    ...description.environment,
    ...clientEnvironment({ ...services.endpoints, ...key, region }),
    AWS_LAMBDA_FUNCTION_NAME: description.name,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(description.memoryMegabytes),
  };
  const log = openLog(join(logFolder, `${description.label}.log`));
  return { lambda: startFunction(description, { environment, log: log.write }), environment, log };
}

interface Log {
  readonly write: (text: string) => void;
  readonly close: () => Promise<void>;
}

function openLog(path: string): Log {
  // What a full disk does not take is lost; the log goes on once it does.
  const open = () => createWriteStream(path, { flags: 'a' }).on('error', () => undefined);
  let stream = open();
  return {
    write: (text) => {
      if (stream.writableEnded) return; // what a killed process wrote last may arrive after the end
      if (stream.destroyed) stream = open();
      stream.write(text);
    },
    close: () => new Promise((resolve) => stream.end(resolve)),
  };
}

function startSources(
  parts: ReadonlyMap<string, Part>,
  { services, region, watch }: PipelineOptions,
): readonly EventSource[] {
  const { eventSources, queues } = services.description;
  return eventSources.map((description) => {
    const { lambda, environment, log } = parts.get(description.functionName) ?? missing(description.functionName);
    const queueUrl = queues.find(({ arn }) => arn === description.queueArn)?.url ?? missing(description.queueArn);
    return startEventSource({
      description,
      queueUrl,
      region,
      sqs: sqsClient(environment),
      invoke: watch ? watched(lambda, watch) : lambda.invoke,
      report: (error) => log.write(`event source: ${String(error)}\n`),
    });
  });
}

function watched({ invoke, description }: LocalFunction, watch: Watch): LocalFunction['invoke'] {
  return (event) => {
    const result = invoke(event);
    watch(description.label, event, result);
    return result;
  };
}

function startSchedules(parts: ReadonlyMap<string, Part>, options: PipelineOptions): readonly Schedule[] {
  const { services, account, region, reconcileEveryMs } = options;
  return services.description.schedules.map((description) => {
    const part = [...parts.values()].find(({ lambda }) => lambda.description.arn === description.functionArn);
    const { lambda } = part ?? missing(description.functionArn);
    const isReconcile = lambda.description.label === RECONCILED;
    const everyMs = (isReconcile ? reconcileEveryMs : undefined) ?? description.everyMs;
    return startSchedule({ description: { ...description, everyMs }, region, account, invoke: lambda.invoke });
  });
}

function missing(name: string): never {
  throw new TemplateUnreadable(`The template refers to ${name}, and does not describe it.`);
}
