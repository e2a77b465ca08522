import { jobIdOf } from '../../shared/job/keys.ts';
import { hasEnded, type Command } from '../../shared/job/job.ts';
import { summaryOf, type Summary } from '../../shared/job/summary.ts';
import type { Targets } from '../../shared/ports.ts';
import type { Target } from '../../shared/target.ts';
import { memoryObjectStore } from '../fakes/memory-object-store.ts';
import { checkJob, type SimulatedJob } from './check-job.ts';
import { createFaults, type FaultKind, type Faults } from './faults.ts';
import { startPipeline, type Pipeline, type Queues } from './pipeline.ts';
import type { SimulatedProcess } from './process.ts';
import { watchPromises, type Promises } from './promises.ts';
import type { Scenario } from './scenario.ts';
import { createSite, type SimulatedSite } from './simulated-atlassian.ts';
import type { SimulatedQueue } from './simulated-queue.ts';
import { makeWishes } from './wishes.ts';
import { createWorld, type World } from './world.ts';

/** What a run came to. */
export interface Run {
  readonly violations: readonly string[];
  readonly steps: number;
  readonly virtualMs: number;
  readonly injected: ReadonlyMap<FaultKind, number>;
  /** How each job stands at the end; absent where it is not known of. */
  readonly summaries: readonly (Summary | undefined)[];
}

const BUCKET = 'inbox';
const MINUTE_MS = 60_000;
/** Long enough for the slowest recovery: five receives of a queue whose function may run for 15 minutes. */
const LONGEST_RUN_MS = 24 * 3_600_000;
const MOST_STEPS = 200_000;
/** Commands, spells and purges have come by then. */
const QUIET_AFTER_MS = 5 * MINUTE_MS;

/** Carries a scenario out to its end, and says which promises were broken on the way. The same scenario always runs alike. */
export async function simulate(scenario: Scenario, trace?: (line: string) => void): Promise<Run> {
  const world = createWorld(scenario.schedule, trace);
  const beginMs = world.nowMs();
  const faults = createFaults(scenario.faults);
  const [inbox, results] = [memoryObjectStore(), memoryObjectStore()];
  const promises = watchPromises(results, world);
  const jobs = scenario.jobs.map((_, index) => planJob(scenario, index, { world, faults, promises }));
  const sites = new Map(jobs.map(({ target, site }) => [target.name, site]));
  const secrets = new Map(jobs.map(({ target }) => [target.name, target]));
  const targets = (process: SimulatedProcess) => targetsPort(secrets, process, world);
  const { receiveCountGoesOn } = scenario;
  const pipeline = startPipeline({ world, faults, promises, inbox, results, sites, targets, receiveCountGoesOn });
  const stage: Stage = { world, faults, promises, jobs, pipeline, secrets };

  for (const job of jobs) await upload(job, stage, inbox.write);
  for (const { job, command, atSeconds } of scenario.commands) {
    const { id } = jobs[job % jobs.length]!; // below the length
    world.after(atSeconds * 1_000, () => send(id, command, stage));
  }
  scheduleFaults(stage);
  reconcileEveryMinute(stage);

  await runToEnd(stage, beginMs);
  if (scenario.redrive && promises.violations.length === 0) await redrive(stage);
  if (promises.violations.length === 0) {
    const deadLetters = pipeline.queues.deadLetters.parcels();
    const ended = { results, promises, faults, deadLetters, isCutOff: isCutOff(stage) };
    for (const job of jobs) await checkJob(job, ended);
  }

  return {
    violations: promises.violations,
    steps: world.steps(),
    virtualMs: world.nowMs() - beginMs,
    injected: faults.injected(),
    summaries: jobs.map(({ id }) => promises.states.get(id)).map((state) => state && summaryOf(state)),
  };
}

interface Stage {
  readonly world: World;
  readonly faults: Faults;
  readonly promises: Promises;
  readonly jobs: readonly SimulatedJob[];
  readonly pipeline: Pipeline;
  readonly secrets: Map<string, Target>;
}

/** After these a worker may have sent a dead letter without having written down that it did. */
const CUTS_OFF: readonly FaultKind[] = [
  'dies before an effect',
  'dies after an effect',
  'send refused',
  'send refused in part',
  'send accepted, answer lost',
  'store fails',
];

const isCutOff = ({ jobs, faults }: Stage): boolean =>
  CUTS_OFF.some((kind) => faults.injected().has(kind)) ||
  jobs.some(({ wishes }) => wishes.rows.some(({ trouble }) => trouble === 'poison'));

function planJob(
  { jobs, lagSeconds }: Scenario,
  index: number,
  { world, faults, promises }: Pick<Stage, 'world' | 'faults' | 'promises'>,
): SimulatedJob {
  const { operation, rows } = jobs[index]!; // the scenario's own index
  const wishes = makeWishes(operation, `target-${index}`, rows);
  const key = `${wishes.target.name}/${wishes.operation}/people ${index}.csv`;
  const id = jobIdOf({ bucket: BUCKET, key, versionId: 'v1' });
  const effective = new Map<string, number>();
  const spent = { attempts: 0 };
  const site: SimulatedSite = createSite(
    {
      wishes,
      lagMs: lagSeconds * 1_000,
      onCallBegan: (name) => promises.callBegan(id, name),
      onEffective: (write) => void effective.set(write, (effective.get(write) ?? 0) + 1),
      onSpent: () => {
        spent.attempts += 1;
      },
    },
    world,
    faults,
  );
  return { id, key, wishes, target: wishes.target, site, effective, spent };
}

async function upload(
  { key, wishes }: SimulatedJob,
  stage: Stage,
  write: (key: string, body: string) => Promise<unknown>,
): Promise<void> {
  const lines = [wishes.header, ...wishes.rows.map(({ cells }) => cells)].map((cells) => cells.join(','));
  const manifest = `${lines.join('\r\n')}\r\n`;
  await write(key, manifest);
  announce(key, manifest.length, stage);
}

/** S3 tells the intake queue of an object: at least once, sometimes late. */
function announce(key: string, size: number, { world, faults, pipeline }: Stage): void {
  const object = { key: encodeURIComponent(key).replaceAll('%20', '+'), size, versionId: 'v1' };
  const eventTime = new Date(world.nowMs()).toISOString();
  const body = { Records: [{ eventName: 'ObjectCreated:Put', eventTime, s3: { bucket: { name: BUCKET }, object } }] };
  const times = faults.strikes('event doubled') ? 2 : 1;
  for (let time = 0; time < times; time += 1) {
    const lateMs = faults.strikes('event late') ? world.random.between(1_000, 300_000) : 0;
    pipeline.queues.intake.accept({ body }, lateMs + world.random.between(5, 500));
  }
}

const send = (jobId: string, command: Command, stage: Stage): void => {
  stage.world.note(() => `somebody asks ${jobId} to ${command}`);
  announce(`control/${jobId}/${command}`, 0, stage);
};

const PURGES: Readonly<Partial<Record<FaultKind, keyof Queues>>> = {
  'tasks purged': 'tasks',
  'enqueue purged': 'enqueue',
  'reports purged': 'reports',
  'eventsQueue purged': 'events',
};

function scheduleFaults({ world, faults, pipeline, jobs, secrets, promises }: Stage): void {
  for (const { kind, at, times } of faults.byTheClock) {
    world.after(at * 1_000, () => {
      const purged = PURGES[kind];
      // Before its first event is folded, a job is known to nobody but the messages in the queues.
      if (purged === 'events' && jobs.some(({ id }) => !promises.states.has(id))) return;
      faults.struck(kind);
      world.note(() => kind);
      if (purged) pipeline.queues[purged].purge();
      const { target, site } = jobs[at % jobs.length]!; // below the length
      if (kind === 'Atlassian down' || kind === 'Atlassian limits everything')
        site.spell(kind, world.nowMs() + times * MINUTE_MS);
      if (kind === 'secret rotated') {
        site.rotate(`token-${at}`);
        const rotated = {
          ...target,
          ...(target.type === 'cloud' ? { apiToken: site.token() } : { token: site.token() }),
        };
        world.after((times - 1) * MINUTE_MS, () => secrets.set(target.name, rotated));
      }
    });
  }
}

function reconcileEveryMinute({ world, pipeline }: Stage): void {
  const reconcile = (): void => {
    pipeline.reconcile();
    world.after(MINUTE_MS, reconcile);
  };
  world.after(MINUTE_MS, reconcile);
}

/** Lets things happen until every job has ended, with a person who looks after what stands still. */
async function runToEnd(stage: Stage, beginMs: number): Promise<void> {
  const { world, promises } = stage;
  let lookAtMs = beginMs + QUIET_AFTER_MS;
  while (promises.violations.length === 0) {
    if (world.nowMs() >= beginMs + QUIET_AFTER_MS && isOver(stage)) return;
    if (world.nowMs() >= lookAtMs) {
      lookAfter(stage);
      lookAtMs = world.nowMs() + 2 * MINUTE_MS;
    }
    await world.step();
    if (world.nowMs() - beginMs > LONGEST_RUN_MS || world.steps() > MOST_STEPS)
      return promises.violate('A job always ends', `after ${world.steps()} steps: ${standing(stage)}`);
  }
}

function isOver({ jobs, promises, pipeline }: Stage): boolean {
  if (!pipeline.isIdle()) return false;
  return jobs.every(({ id }) => {
    const state = promises.states.get(id);
    return state && hasEnded(state.state) && !state.reportDue && !state.outbox.report;
  });
}

/** A paused job is resumed or cancelled; a halted one is resumed, or left until it expires; what died on its way is sent again. */
function lookAfter(stage: Stage): void {
  const { world, promises, jobs, pipeline } = stage;
  for (const { id } of jobs) {
    const state = promises.states.get(id)?.state;
    if (state === 'paused') send(id, world.random.happens(0.7) ? 'resume' : 'cancel', stage);
    if (state === 'halted' && world.random.happens(0.3)) send(id, 'resume', stage);
  }
  for (const name of ['intake', 'enqueue', 'events', 'reports'] as const)
    putBack(pipeline.queues[`${name}Dead`], pipeline.queues[name]);
}

const standing = ({ jobs, promises, pipeline }: Stage): string =>
  JSON.stringify({
    jobs: jobs.map(({ id }) => {
      const state = promises.states.get(id);
      return state && { state: state.state, reportDue: state.reportDue, outbox: state.outbox };
    }),
    waiting: Object.values(pipeline.queues).map(({ name, parcels }) => `${name} ${parcels().length}`),
  });

/** Puts the dead letters up again, as the queue's own redrive does, and waits until they have been applied. */
async function redrive(stage: Stage): Promise<void> {
  const { deadLetters, tasks: rows } = stage.pipeline.queues;
  if (deadLetters.parcels().length === 0) return;
  stage.promises.redriven();
  putBack(deadLetters, rows);
  await runToEnd(stage, stage.world.nowMs());
}

/** What the console's redrive does. */
function putBack(dead: SimulatedQueue, live: SimulatedQueue): void {
  const letters = dead.parcels();
  dead.purge();
  for (const letter of letters) live.take({ ...letter, receives: 0 });
}

const KEPT_MS = 60_000;
const FRESH_MS = 1_000;

/** The secrets as one process reads them: kept for a minute, or a second when a fresh one is asked for. */
function targetsPort(secrets: ReadonlyMap<string, Target>, process: SimulatedProcess, world: World): Targets {
  const kept = new Map<string, { readonly target: Promise<Target | undefined>; readonly readMs: number }>();
  return {
    find: (name, { fresh = false } = {}) => {
      const known = kept.get(name);
      if (known && world.nowMs() - known.readMs < (fresh ? FRESH_MS : KEPT_MS)) return known.target;
      const target = process.effect(`reads the secret of ${name}`, () => secrets.get(name));
      kept.set(name, { target, readMs: world.nowMs() });
      return target;
    },
  };
}
