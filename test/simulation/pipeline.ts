import { createCoordinator } from '../../functions/coordinator/coordinator.ts';
import { createReporter } from '../../functions/reporter/reporter.ts';
import { createSplitter } from '../../functions/splitter/splitter.ts';
import { createWorker } from '../../functions/worker/worker.ts';
import { eventsQueueOver } from '../../shared/aws/events-queue.ts';
import { jobEventSchema } from '../../shared/job/events.ts';
import type { Policy } from '../../shared/job/rules.ts';
import type { Log } from '../../shared/log.ts';
import { findOperation, OPERATIONS } from '../../shared/operations/index.ts';
import type { Chance, Clock, Targets } from '../../shared/ports.ts';
import type { MemoryObjectStore } from '../fakes/memory-object-store.ts';
import { arnOf, connect } from './event-source.ts';
import type { Faults } from './faults.ts';
import type { SimulatedProcess } from './process.ts';
import type { Promises } from './promises.ts';
import { atlassianPort, type SimulatedSite } from './simulated-atlassian.ts';
import { createFunction, type Handler, type SimulatedFunction } from './simulated-function.ts';
import { createQueue, queuePort, type QueueOptions, type SimulatedQueue } from './simulated-queue.ts';
import { storePort } from './simulated-store.ts';
import type { World } from './world.ts';

/** What a run is made of. */
export interface PipelineOptions {
  readonly world: World;
  readonly faults: Faults;
  readonly promises: Promises;
  readonly inbox: MemoryObjectStore;
  readonly results: MemoryObjectStore;
  readonly sites: ReadonlyMap<string, SimulatedSite>;
  /** A target's secret as it is now. */
  readonly targets: (process: SimulatedProcess) => Targets;
  readonly receiveCountGoesOn: boolean;
}

/** The pipeline, wired as the stack wires it, over simulated services. */
export interface Pipeline {
  readonly queues: Queues;
  /** What the schedule does every minute. */
  readonly reconcile: () => void;
  /** Whether nothing is waiting and nobody is working. */
  readonly isIdle: () => boolean;
}

export type Queues = Readonly<Record<Live | LastStop, SimulatedQueue>>;

type Live = 'intake' | 'enqueue' | 'tasks' | 'isolation' | 'events' | 'reports';
type LastStop = 'deadLetters' | 'intakeDead' | 'enqueueDead' | 'eventsDead' | 'reportsDead';

/** As the stack's settings have them. */
const WORKER_SECONDS = 30;
const SPLITTER_SECONDS = 900;
const COORDINATOR_SECONDS = 30;
const BATCHING_WINDOW_SECONDS = 1;
const MAX_RECEIVE_COUNT = 5;
const OVERDUE_SECONDS = 6 * WORKER_SECONDS + BATCHING_WINDOW_SECONDS;

/** The stack's own, but that a halted job does not wait for days. */
const POLICY: Policy = {
  windowRows: 300,
  windowSeconds: 2,
  overdueMs: OVERDUE_SECONDS * 1_000,
  expiryMs: 40 * 60_000,
  resendMs: 30_000,
};

const LIMITS = {
  manifestBytes: 2 ** 20,
  rows: 100_000,
  rowBytes: 2 ** 16,
  columns: 100,
  cellCharacters: 1_000,
} as const;

export function startPipeline(options: PipelineOptions): Pipeline {
  const queues = createQueues(options);
  const functions = createFunctions(options, queues);
  connectAll(functions, queues, options);
  return {
    queues,
    reconcile: () => void functions.reconciler.invoke({ source: 'aws.events' }),
    isIdle: () =>
      Object.values(queues).every((queue) => queue === queues.deadLetters || queue.parcels().length === 0) &&
      Object.values(functions).every((one) => one.underWay() === 0),
  };
}

function createQueues({ world, faults, receiveCountGoesOn: countGoesOn }: PipelineOptions): Queues {
  const queue = (options: QueueOptions): SimulatedQueue => createQueue(options, world, faults);
  const source = (name: string, seconds: number, to: SimulatedQueue, fifo = false): SimulatedQueue =>
    queue({
      name,
      visibilitySeconds: 6 * seconds,
      redrive: { to, maxReceiveCount: MAX_RECEIVE_COUNT, countGoesOn },
      fifo,
    });
  const deadLetters = queue({ name: 'dead-letters' });
  const intakeDead = queue({ name: 'intake-dead' });
  const enqueueDead = queue({ name: 'enqueue-dead' });
  const eventsDead = queue({ name: 'events-dead.fifo', fifo: true });
  const reportsDead = queue({ name: 'reports-dead' });
  const isolation = source('isolation', WORKER_SECONDS, deadLetters);
  return {
    deadLetters,
    intakeDead,
    enqueueDead,
    eventsDead,
    reportsDead,
    intake: source('intake', SPLITTER_SECONDS, intakeDead),
    enqueue: source('enqueue', SPLITTER_SECONDS, enqueueDead),
    isolation,
    tasks: source('tasks', OVERDUE_SECONDS / 6, isolation),
    events: source('events.fifo', COORDINATOR_SECONDS, eventsDead, true),
    reports: source('reports', SPLITTER_SECONDS, reportsDead),
  };
}

type Functions = Readonly<Record<'splitter' | 'worker' | 'coordinator' | 'reporter' | 'reconciler', SimulatedFunction>>;

function createFunctions(options: PipelineOptions, queues: Queues): Functions {
  const { world, faults, promises, sites, targets } = options;
  const clock: Clock = { now: () => new Date(world.nowMs()) };
  const chance: Chance = { uuid: () => `id-${world.random.between(0, 2 ** 48)}`, random: world.random.next };

  const portsOf = (process: SimulatedProcess) => {
    const send = (queue: SimulatedQueue) => queuePort(queue, process, faults);
    const log: Log = (event, fields) => world.note(() => `${process.name} logs ${event} ${JSON.stringify(fields)}`);
    return {
      send,
      log,
      clock,
      chance,
      inbox: storePort(options.inbox, process, faults),
      results: storePort(options.results, process, faults, promises.written),
      eventsQueue: eventsQueueOver(
        queuePort(queues.events, process, faults, ({ body }) => promises.posted(jobEventSchema.parse(body))),
      ),
    };
  };

  const coordinator = (process: SimulatedProcess): Handler => {
    const { send, ...ports } = portsOf(process);
    return createCoordinator({
      ...ports,
      enqueueQueue: send(queues.enqueue),
      reports: send(queues.reports),
      policy: POLICY,
    });
  };
  return {
    splitter: createFunction(
      {
        name: 'splitter',
        timeoutSeconds: SPLITTER_SECONDS,
        create: (process, timeout) => {
          const { send, ...ports } = portsOf(process);
          return createSplitter({
            ...ports,
            tasks: send(queues.tasks),
            targets: targets(process),
            operations: OPERATIONS,
            limits: LIMITS,
            timeout,
          });
        },
      },
      world,
      faults,
    ),
    worker: createFunction(
      {
        name: 'worker',
        timeoutSeconds: WORKER_SECONDS,
        create: (process, timeout) => {
          const { send, ...ports } = portsOf(process);
          return createWorker({
            ...ports,
            tasks: send(queues.tasks),
            deadLetters: send(queues.deadLetters),
            targets: targets(process),
            atlassian: atlassianPort(sites, process),
            operations: findOperation,
            timeout,
            maxAttempts: 5,
            consistencySeconds: 60,
            callsUnderWay: 100,
            isolationQueueArn: arnOf(queues.isolation.name),
          });
        },
      },
      world,
      faults,
    ),
    reporter: createFunction(
      {
        name: 'reporter',
        timeoutSeconds: SPLITTER_SECONDS,
        create: (process) => createReporter(portsOf(process)),
      },
      world,
      faults,
    ),
    coordinator: createFunction(
      { name: 'coordinator', timeoutSeconds: COORDINATOR_SECONDS, create: coordinator },
      world,
      faults,
    ),
    reconciler: createFunction(
      { name: 'reconciler', timeoutSeconds: COORDINATOR_SECONDS, create: coordinator },
      world,
      faults,
    ),
  };
}

function connectAll(functions: Functions, queues: Queues, { world, faults, promises }: PipelineOptions): void {
  const { splitter, worker, coordinator, reporter } = functions;
  const onDone = promises.deleted;
  connect({ queue: queues.intake, to: splitter, batchSize: 1 }, world, faults);
  connect({ queue: queues.enqueue, to: splitter, batchSize: 1 }, world, faults);
  const windowMs = BATCHING_WINDOW_SECONDS * 1_000;
  connect({ queue: queues.tasks, to: worker, batchSize: 200, windowMs, onDone }, world, faults);
  connect({ queue: queues.isolation, to: worker, batchSize: 1, onDone }, world, faults);
  connect({ queue: queues.events, to: coordinator, batchSize: 10 }, world, faults);
  connect({ queue: queues.reports, to: reporter, batchSize: 1 }, world, faults);
}
