import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';

import { createCoordinator } from '../../functions/coordinator/coordinator.ts';
import { createIntake } from '../../functions/intake/intake.ts';
import { createNotifier } from '../../functions/notifier/notifier.ts';
import { createPlanner } from '../../functions/planner/planner.ts';
import { createReporter } from '../../functions/reporter/reporter.ts';
import { createSplitter } from '../../functions/splitter/splitter.ts';
import { createWorker } from '../../functions/worker/worker.ts';
import { createAtlassian } from '../../shared/atlassian/atlassian.ts';
import { eventsQueueOver } from '../../shared/aws/events-queue.ts';
import { parseTarget } from '../../shared/aws/targets.ts';
import type { Command } from '../../shared/job/job.ts';
import { jobIdOf, resultsPrefix } from '../../shared/job/keys.ts';
import type { WaitReasonCode } from '../../shared/job/outcome.ts';
import { readState, type State } from '../../shared/job/state.ts';
import type { Summary } from '../../shared/job/summary.ts';
import { findOperation, OPERATIONS } from '../../shared/operations/index.ts';
import type { Message, Publication, Queue } from '../../shared/ports.ts';
import { completeSettings, type Settings } from '../../shared/settings.ts';
import { type MemoryObjectStore, memoryObjectStore } from './memory-object-store.ts';
import { textOf } from './memory-queue.ts';
import { PAGE } from './page-parts.ts';

export interface MemoryPipelineOptions {
  /** The secrets of the targets, by name. */
  readonly targets: Readonly<Record<string, unknown>>;
  readonly policy?: Partial<Settings['policy']>;
}

/** What comes with a file. */
export interface UploadOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly principal?: string;
}

/** Every function of the pipeline in this process, over queues and buckets in memory and Atlassian by HTTP; time passes when nothing is due. */
export interface MemoryPipeline {
  /** Gives the job's id, at once. */
  readonly upload: (key: string, file: string | Uint8Array, options?: UploadOptions) => string;
  /** Puts a control object. */
  readonly command: (jobId: string, command: Command, text?: string, principal?: string) => void;
  /** Approves a job's plan as it stands, with every reason accepted. */
  readonly approve: (jobId: string, principal?: string) => Promise<void>;
  /** Until nothing is left to do but wait for people, or until it is enough; gives the job's state. */
  readonly settle: (jobId: string, isEnough?: (state: State) => boolean) => Promise<State>;
  /** Lets time pass, and the scheduled look at open jobs come. */
  readonly advance: (milliseconds: number) => Promise<void>;
  readonly summaryOf: (jobId: string) => Promise<Summary>;
  readonly results: MemoryObjectStore;
  /** A file of a job's report. */
  readonly fileOf: (jobId: string, name: string) => Promise<string>;
  readonly deadLetters: readonly Message[];
  /** What people were told. */
  readonly published: readonly Publication[];
  /** The daily look at credentials. */
  readonly checkCredentials: () => Promise<void>;
  /** Moves every dead letter back to the tasks queue. */
  readonly redrive: () => Promise<void>;
  readonly close: () => Promise<void>;
}

type Handler = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

interface Waiting {
  readonly id: string;
  readonly message: Message;
  readonly dueMs: number;
  readonly received: number;
}

const MOST_RECEIVES = 20;
const AGAIN_MS = 1_000;
const QUIET_AFTER_MS = 3_600_000;

export function startMemoryPipeline({ targets, policy }: MemoryPipelineOptions): MemoryPipeline {
  const settings = completeSettings({ policy });
  let passedMs = 0;
  let ids = 0;
  const clock = { now: () => new Date(Date.now() + passedMs) };
  const chance = { uuid: () => `00000000-0000-4000-8000-${String((ids += 1)).padStart(12, '0')}`, random: () => 0.5 };
  const [inbox, results] = [memoryObjectStore(), memoryObjectStore()];
  const deadLetters: Message[] = [];
  const published: Publication[] = [];
  const queues = new Map<string, Waiting[]>();

  const queueTo = (name: string): Queue => ({
    send: async (messages) => {
      const waiting = queues.get(name) ?? [];
      queues.set(name, waiting);
      for (const message of messages) {
        const body: unknown = JSON.parse(textOf(message.body));
        const dueMs = clock.now().getTime() + (message.delaySeconds ?? 0) * 1_000;
        waiting.push({ id: `m${(ids += 1)}`, message: { ...message, body }, dueMs, received: 0 });
      }
    },
  });
  const atlassian = createAtlassian({ clock, chance, workers: 1, responseLimitBytes: 8 * 2 ** 20 });
  const common = {
    inbox,
    results,
    clock,
    chance,
    atlassian,
    log: () => undefined,
    page: PAGE,
    eventsQueue: eventsQueueOver(queueTo('events')),
    targets: {
      secretNameOf: (name: string) => `rollcall/${name}`,
      find: async (name: string) =>
        targets[name] === undefined ? undefined : parseTarget(name, JSON.stringify(targets[name])),
    },
  };
  const { worker, coordinator, limits } = settings;
  const bounds = {
    windowRows: coordinator.windowRows,
    windowSeconds: coordinator.windowSeconds,
    overdueMs: 600_000,
    expiryMs: coordinator.expiryDays * 86_400_000,
    resendMs: 30_000,
  };
  const run = createCoordinator({
    ...common,
    validateQueue: queueTo('validate'),
    planQueue: queueTo('plan'),
    enqueueQueue: queueTo('enqueue'),
    reports: queueTo('reports'),
    notices: queueTo('notices'),
    bounds,
    approvalMs: settings.policy.approvalMinutes * 60_000,
  });
  const splitter = createSplitter({ ...common, tasks: queueTo('tasks'), operations: OPERATIONS, limits });
  const intake = createIntake({ ...common, validate: queueTo('validate') });
  const notifier = createNotifier({
    ...common,
    topic: {
      publish: async (publication) => {
        published.push(publication);
      },
    },
    targetNames: { list: async () => Object.keys(targets) },
    place: PAGE.place,
  });
  const handlers: Readonly<Record<string, Handler>> = {
    intake: async (event, context) => (await intake(event, context)) as SQSBatchResponse, // a batch is answered as one
    validate: splitter,
    enqueue: splitter,
    plan: createPlanner({
      ...common,
      planQueue: queueTo('plan'),
      operations: findOperation,
      policy: settings.policy,
    }),
    events: run,
    tasks: createWorker({
      ...common,
      tasks: queueTo('tasks'),
      operations: findOperation,
      maxAttempts: worker.maxAttempts,
      consistencySeconds: worker.consistencySeconds,
      callsUnderWay: worker.callsUnderWay,
      isolationQueueArn: 'arn:none',
    }),
    reports: createReporter({
      ...common,
      deadLetters: {
        send: async (messages) => {
          deadLetters.push(...messages);
        },
      },
    }),
    notices: notifier,
  };

  const context = { getRemainingTimeInMillis: () => 300_000, invokedFunctionArn: 'arn:aws:lambda:r:1:function:f' };

  /** Delivers what is due of one queue, ten at a time; gives false when nothing was. */
  async function deliver(name: string, handler: Handler): Promise<boolean> {
    const nowMs = clock.now().getTime();
    const waiting = queues.get(name) ?? [];
    const due = waiting.filter(({ dueMs }) => dueMs <= nowMs).slice(0, 10);
    if (due.length === 0) return false;
    queues.set(
      name,
      waiting.filter((one) => !due.includes(one)),
    );
    const Records = due.map(({ id, message, received }) => ({
      messageId: id,
      body: JSON.stringify(message.body),
      eventSourceARN: `arn:aws:sqs:r:1:${name}`,
      attributes: { ApproximateReceiveCount: String(received + 1) },
    }));
    // Only what the functions read of a batch and its context.
    const answer = await handler({ Records } as unknown as SQSEvent, context as unknown as Context);
    for (const { itemIdentifier } of answer.batchItemFailures) {
      const one = due.find(({ id }) => id === itemIdentifier);
      if (!one || one.received >= MOST_RECEIVES) throw new Error(`A message of ${name} fails again and again`);
      queues.get(name)?.push({ ...one, received: one.received + 1, dueMs: nowMs + AGAIN_MS });
    }
    return true;
  }

  /** Gives true when it is enough. */
  async function deliverAll(isEnough: () => Promise<boolean>): Promise<boolean> {
    let delivered = true;
    while (delivered) {
      delivered = false;
      for (const [name, handler] of Object.entries(handlers))
        while (await deliver(name, handler)) {
          delivered = true;
          if (await isEnough()) return true;
        }
    }
    return false;
  }

  const nextDueMs = (): number | undefined => {
    const due = [...queues.values()].flat().map(({ dueMs }) => dueMs);
    return due.length === 0 ? undefined : Math.min(...due);
  };

  const stateOf = async (jobId: string): Promise<State> => {
    const state = await readState(results, jobId);
    if (!state) throw new Error(`There is no job ${jobId}`);
    return state;
  };

  const put = (key: string, body: string | Uint8Array, { metadata = {}, principal }: UploadOptions): string => {
    const versionId = `v${(ids += 1)}`;
    inbox.upload(key, body, metadata);
    const object = { key: encodeURIComponent(key), size: Buffer.byteLength(body), versionId };
    const eventTime = clock.now().toISOString();
    const s3 = { bucket: { name: 'inbox' }, object };
    const record = { eventName: 'ObjectCreated:Put', eventTime, s3, userIdentity: { principalId: principal } };
    void queueTo('intake').send([{ body: { Records: [record] } }]);
    return jobIdOf({ bucket: 'inbox', key, versionId });
  };

  return {
    upload: (key, file, options = {}) => put(key, file, options),
    command: (jobId, command, text = '', principal = 'ann') =>
      void put(`control/${jobId}/${command}`, text, { principal }),
    approve: async (jobId, principal = 'ann') => {
      const { plan, waitReasons } = await stateOf(jobId);
      const accepts: readonly WaitReasonCode[] = waitReasons.map(({ code }) => code);
      put(`control/${jobId}/approve`, [plan?.gate?.hash, ...accepts].join(' '), { principal });
    },
    settle: async (jobId, isEnough) => {
      const quietMs = clock.now().getTime() + QUIET_AFTER_MS;
      const enough = async (): Promise<boolean> => {
        const state = isEnough && (await readState(results, jobId)); // the first event makes one
        return state !== undefined && isEnough?.(state) === true;
      };
      if (await deliverAll(enough)) return stateOf(jobId);
      for (let dueMs = nextDueMs(); dueMs !== undefined && dueMs < quietMs; dueMs = nextDueMs()) {
        passedMs += Math.max(0, dueMs - clock.now().getTime());
        if (await deliverAll(enough)) return stateOf(jobId);
      }
      return stateOf(jobId);
    },
    advance: async (milliseconds) => {
      passedMs += milliseconds;
      await run({ source: 'aws.events' });
    },
    summaryOf: async (jobId) =>
      JSON.parse(results.textOf(`${resultsPrefix((await stateOf(jobId)).job)}summary.json`)) as Summary, // the reporter's own
    fileOf: async (jobId, name) => results.textOf(`${resultsPrefix((await stateOf(jobId)).job)}${name}`),
    results,
    deadLetters,
    published,
    checkCredentials: async () => {
      await notifier({ source: 'aws.events' });
    },
    redrive: () => queueTo('tasks').send(deadLetters.splice(0)),
    close: atlassian.close,
  };
}
