import { createCoordinator } from '../../functions/coordinator/coordinator.ts';
import { createIntake } from '../../functions/intake/intake.ts';
import { createNotifier } from '../../functions/notifier/notifier.ts';
import { createPlanner } from '../../functions/planner/planner.ts';
import { createReporter } from '../../functions/reporter/reporter.ts';
import { createSplitter } from '../../functions/splitter/splitter.ts';
import { createWorker } from '../../functions/worker/worker.ts';
import { eventsQueueOver } from '../../shared/aws/events-queue.ts';
import { jobEventSchema } from '../../shared/job/events.ts';
import type { Bounds } from '../../shared/job/rules.ts';
import type { Log } from '../../shared/log.ts';
import { findOperation, OPERATIONS } from '../../shared/operations/index.ts';
import type { Chance, Clock, Targets } from '../../shared/ports.ts';
import { completeSettings, STOP_ALIAS, visibilitySeconds, type Settings } from '../../shared/settings.ts';
import type { MemoryObjectStore } from '../fakes/memory-object-store.ts';
import { arnOf, connect } from './event-source.ts';
import type { Faults } from './faults.ts';
import type { SimulatedProcess } from './process.ts';
import type { Promises } from './promises.ts';
import { atlassianPort, type SimulatedSite } from './simulated-atlassian.ts';
import { createFunction, type Handler, type SimulatedFunction, type Timeout } from './simulated-function.ts';
import { createQueue, queuePort, type QueueOptions, type SimulatedQueue } from './simulated-queue.ts';
import { storePort } from './simulated-store.ts';
import type { World } from './world.ts';
import { PAGE } from '../fakes/page-parts.ts';

/** What a run is made of. */
export interface PipelineOptions {
  readonly world: World;
  readonly faults: Faults;
  readonly promises: Promises;
  readonly inbox: MemoryObjectStore;
  readonly results: MemoryObjectStore;
  readonly sites: ReadonlyMap<string, SimulatedSite>;
  readonly policy: Settings['policy'];
  readonly chunkRows: number;
  /** A target's secret as it is now. */
  readonly targets: (process: SimulatedProcess) => Targets;
  readonly receiveCountGoesOn: boolean;
}

/** The pipeline, wired as the stack wires it, over simulated services. */
export interface Pipeline {
  readonly queues: Queues;
  /** What the schedule does every minute. */
  readonly reconcile: () => void;
  /** What whoever is allowed to stop jobs does. */
  readonly invokeIntake: (event: unknown) => void;
  /** Whether nothing is waiting and nobody is working. */
  readonly isIdle: () => boolean;
}

export type Queues = Readonly<Record<Live | LastStop, SimulatedQueue>>;

type Live = 'intake' | 'validate' | 'plan' | 'enqueue' | 'tasks' | 'isolation' | 'events' | 'reports' | 'notices';
type LastStop =
  | 'deadLetters'
  | 'intakeDead'
  | 'validateDead'
  | 'planDead'
  | 'enqueueDead'
  | 'eventsDead'
  | 'reportsDead'
  | 'noticesDead';

/** As the stack has them. */
const SETTINGS = completeSettings();
const { intake: INTAKE, splitter: SPLITTER, planner: PLANNER, worker: WORKER } = SETTINGS;
const { coordinator: COORDINATOR, reporter: REPORTER, notifier: NOTIFIER } = SETTINGS;
const ISOLATION_RECEIVES = 3 * SETTINGS.maxReceiveCount;
const PLAN_RECEIVES = 400;

const MINUTE_MS = 60_000;

/** The stack's own, but that a halted job does not wait for days. */
const BOUNDS: Bounds = {
  windowRows: COORDINATOR.windowRows,
  windowSeconds: COORDINATOR.windowSeconds,
  overdueMs: visibilitySeconds(WORKER) * 1_000,
  expiryMs: 40 * MINUTE_MS,
  resendMs: 30_000,
};

/** An hour in the stack: a simulation would spend most of its steps in waiting. */
const APPROVAL_MS = 15 * MINUTE_MS;

export const MAX_ATTEMPTS = WORKER.maxAttempts;

const LIMITS = {
  manifestBytes: 2 ** 20,
  rows: 100_000,
  rowBytes: 2 ** 16,
  columns: 100,
  cellCharacters: 1_000,
} as const;

/** That something was published is told by the mark that the notifier leaves. */
const NOBODY = { publish: async () => undefined };
const NO_TARGETS = { list: async () => [] };

export function startPipeline(options: PipelineOptions): Pipeline {
  const queues = createQueues(options);
  const functions = createFunctions(options, queues);
  connectAll(functions, queues, options);
  return {
    queues,
    reconcile: () => void functions.reconciler.invoke({ source: 'aws.events' }),
    invokeIntake: (event) => void functions.intake.invoke(event, STOP_ALIAS),
    isIdle: () =>
      Object.values(queues).every((queue) => queue === queues.deadLetters || queue.parcels().length === 0) &&
      Object.values(functions).every((one) => one.underWay() === 0),
  };
}

interface Source {
  readonly name: string;
  readonly to: SimulatedQueue;
  readonly receiver: Parameters<typeof visibilitySeconds>[0];
  readonly receives?: number;
  readonly fifo?: boolean;
}

function createQueues({ world, faults, receiveCountGoesOn: countGoesOn }: PipelineOptions): Queues {
  const queue = (options: QueueOptions): SimulatedQueue => createQueue(options, world, faults);
  const source = ({ name, to, receiver, receives = SETTINGS.maxReceiveCount, fifo }: Source): SimulatedQueue =>
    queue({
      name,
      visibilitySeconds: visibilitySeconds(receiver),
      redrive: { to, maxReceiveCount: receives, countGoesOn },
      ...(fifo && { fifo }),
    });
  const lastStops = {
    deadLetters: queue({ name: 'dead-letters' }),
    intakeDead: queue({ name: 'intake-dead' }),
    validateDead: queue({ name: 'validate-dead' }),
    planDead: queue({ name: 'plan-dead' }),
    enqueueDead: queue({ name: 'enqueue-dead' }),
    eventsDead: queue({ name: 'events-dead.fifo', fifo: true }),
    reportsDead: queue({ name: 'reports-dead' }),
    noticesDead: queue({ name: 'notices-dead' }),
  };
  const alone = { timeoutSeconds: WORKER.timeoutSeconds };
  const isolation = source({
    name: 'isolation',
    receiver: alone,
    to: lastStops.deadLetters,
    receives: ISOLATION_RECEIVES,
  });
  return {
    ...lastStops,
    isolation,
    intake: source({ name: 'intake', receiver: INTAKE, to: lastStops.intakeDead }),
    validate: source({ name: 'validate', receiver: SPLITTER, to: lastStops.validateDead }),
    plan: source({ name: 'plan', receiver: PLANNER, to: lastStops.planDead, receives: PLAN_RECEIVES }),
    enqueue: source({ name: 'enqueue', receiver: SPLITTER, to: lastStops.enqueueDead }),
    tasks: source({ name: 'tasks', receiver: WORKER, to: isolation }),
    events: source({ name: 'events.fifo', receiver: COORDINATOR, to: lastStops.eventsDead, fifo: true }),
    reports: source({ name: 'reports', receiver: REPORTER, to: lastStops.reportsDead }),
    notices: source({ name: 'notices', receiver: NOTIFIER, to: lastStops.noticesDead }),
  };
}

type FunctionName =
  'intake' | 'splitter' | 'planner' | 'worker' | 'coordinator' | 'reporter' | 'notifier' | 'reconciler';
type Functions = Readonly<Record<FunctionName, SimulatedFunction>>;

function createFunctions(options: PipelineOptions, queues: Queues): Functions {
  const { world, faults } = options;
  const portsOf = createPorts(options, queues);
  const create = (
    name: string,
    timeoutSeconds: number,
    handlerOf: (ports: ReturnType<typeof portsOf>) => Handler,
  ): SimulatedFunction =>
    createFunction(
      { name, timeoutSeconds, create: (process, timeout) => handlerOf(portsOf(process, timeout)) },
      world,
      faults,
    );

  const coordinator = ({ send, ...ports }: ReturnType<typeof portsOf>): Handler =>
    createCoordinator({
      ...ports,
      validateQueue: send(queues.validate),
      planQueue: send(queues.plan),
      enqueueQueue: send(queues.enqueue),
      reports: send(queues.reports),
      notices: send(queues.notices),
      bounds: BOUNDS,
      approvalMs: APPROVAL_MS,
    });
  return {
    intake: create('intake', INTAKE.timeoutSeconds, ({ send, ...ports }) =>
      createIntake({ ...ports, validate: send(queues.validate) }),
    ),
    splitter: create('splitter', SPLITTER.timeoutSeconds, ({ send, ...ports }) =>
      createSplitter({
        ...ports,
        tasks: send(queues.tasks),
        operations: OPERATIONS,
        limits: LIMITS,
        chunkRows: options.chunkRows,
      }),
    ),
    planner: create('planner', PLANNER.timeoutSeconds, ({ send, ...ports }) =>
      createPlanner({ ...ports, planQueue: send(queues.plan), operations: findOperation, policy: options.policy }),
    ),
    worker: create('worker', WORKER.timeoutSeconds, ({ send, ...ports }) =>
      createWorker({
        ...ports,
        tasks: send(queues.tasks),
        operations: findOperation,
        maxAttempts: MAX_ATTEMPTS,
        consistencySeconds: WORKER.consistencySeconds,
        callsUnderWay: WORKER.callsUnderWay,
        isolationQueueArn: arnOf(queues.isolation.name),
      }),
    ),
    reporter: create('reporter', REPORTER.timeoutSeconds, ({ send, ...ports }) =>
      createReporter({ ...ports, deadLetters: send(queues.deadLetters) }),
    ),
    notifier: create('notifier', NOTIFIER.timeoutSeconds, ({ send: _send, ...ports }) =>
      createNotifier({ ...ports, topic: NOBODY, targetNames: NO_TARGETS, place: PAGE.place }),
    ),
    coordinator: create('coordinator', COORDINATOR.timeoutSeconds, coordinator),
    reconciler: create('reconciler', COORDINATOR.timeoutSeconds, coordinator),
  };
}

/** What a process has of the world, whatever its function. */
function createPorts(options: PipelineOptions, queues: Queues) {
  const { world, faults, promises, sites, targets } = options;
  const clock: Clock = { now: () => new Date(world.nowMs()) };
  const chance: Chance = { uuid: () => `id-${world.random.between(0, 2 ** 48)}`, random: world.random.next };

  return (process: SimulatedProcess, timeout: Timeout) => {
    const log: Log = (event, fields) => world.note(() => `${process.name} logs ${event} ${JSON.stringify(fields)}`);
    return {
      send: (queue: SimulatedQueue) => queuePort(queue, process, faults),
      log,
      page: PAGE,
      clock,
      chance,
      timeout,
      targets: targets(process),
      atlassian: atlassianPort(sites, process),
      inbox: storePort(options.inbox, process, faults),
      results: storePort(options.results, process, faults, promises.written),
      eventsQueue: eventsQueueOver(
        queuePort(queues.events, process, faults, ({ body }) => promises.posted(jobEventSchema.parse(body))),
      ),
    };
  };
}

function connectAll(functions: Functions, queues: Queues, { world, faults, promises }: PipelineOptions): void {
  const { intake, splitter, planner, worker, coordinator, reporter, notifier } = functions;
  const { taskDeleted: onDone, planRequestDeleted } = promises;
  connect({ queue: queues.intake, to: intake, batchSize: 10 }, world, faults);
  connect({ queue: queues.validate, to: splitter, batchSize: 1 }, world, faults);
  connect({ queue: queues.plan, to: planner, batchSize: 1, onDone: planRequestDeleted }, world, faults);
  connect({ queue: queues.enqueue, to: splitter, batchSize: 1 }, world, faults);
  const { batchSize, batchingWindowSeconds } = WORKER;
  connect(
    { queue: queues.tasks, to: worker, batchSize, windowMs: batchingWindowSeconds * 1_000, onDone },
    world,
    faults,
  );
  connect({ queue: queues.isolation, to: worker, batchSize: 1, onDone }, world, faults);
  connect({ queue: queues.events, to: coordinator, batchSize: 10 }, world, faults);
  connect({ queue: queues.reports, to: reporter, batchSize: 1 }, world, faults);
  connect({ queue: queues.notices, to: notifier, batchSize: 1 }, world, faults);
}
