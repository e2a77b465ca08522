import { summaryOf, type Summary } from '../../shared/job/summary.ts';
import type { Targets } from '../../shared/ports.ts';
import { completeSettings, type Settings } from '../../shared/settings.ts';
import type { Target } from '../../shared/target.ts';
import { memoryObjectStore, type MemoryObjectStore } from '../fakes/memory-object-store.ts';
import { checkJob } from './check-job.ts';
import { createFaults, type FaultKind, type Faults } from './faults.ts';
import { createInbox } from './inbox.ts';
import { dropFile, type SimulatedFile, type SimulatedJob } from './jobs.ts';
import { scheduleOther } from './others.ts';
import { createPerson, putBack, type Person } from './person.ts';
import { startPipeline, type Pipeline, type Queues } from './pipeline.ts';
import type { GivenApproval } from './plan-first.ts';
import type { SimulatedProcess } from './process.ts';
import { isOver, watchPromises, type Promises } from './promises.ts';
import type { Scenario } from './scenario.ts';
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

const MINUTE_MS = 60_000;
/** Long enough for the slowest recovery: five receives of a queue whose function may run for 15 minutes. */
const LONGEST_RUN_MS = 24 * 3_600_000;
const MOST_STEPS = 300_000;
/** Commands, copies, spells and purges have come by then. */
const QUIET_AFTER_MS = 5 * MINUTE_MS;

/** Carries a scenario out to its end, and says which promises were broken on the way. The same scenario always runs alike. */
export async function simulate(scenario: Scenario, trace?: (line: string) => void): Promise<Run> {
  const world = createWorld(scenario.schedule, trace);
  const beginMs = world.nowMs();
  const stage = setUp(scenario, world);
  const { promises, pipeline, results, faults, person } = stage;

  for (const { job, atSeconds, ...command } of scenario.commands)
    world.after(atSeconds * 1_000, () => {
      const jobs = jobsOf(stage);
      person.command(jobs[job % jobs.length]!.id, command); // below the length
    });
  for (const other of scenario.others) scheduleOther(other, stage.files[other.job % stage.files.length]!, stage); // below the length
  scheduleFaults(stage);
  reconcileEveryMinute(stage);

  await runToEnd(stage, beginMs);
  if (scenario.redrive && promises.violations.length === 0) await redrive(stage);
  if (promises.violations.length === 0) {
    const deadLetters = pipeline.queues.deadLetters.parcels();
    const ended = { results, promises, faults, deadLetters, lagMs: scenario.lagSeconds * 1_000 };
    for (const job of jobsOf(stage)) await checkJob(job, ended);
  }

  return {
    violations: promises.violations,
    steps: world.steps(),
    virtualMs: world.nowMs() - beginMs,
    injected: faults.injected(),
    summaries: jobsOf(stage)
      .map(({ id }) => promises.states.get(id))
      .map((state) => state && summaryOf(state)),
  };
}

interface Stage {
  readonly world: World;
  readonly faults: Faults;
  readonly promises: Promises;
  readonly results: MemoryObjectStore;
  readonly files: readonly SimulatedFile[];
  readonly pipeline: Pipeline;
  readonly person: Person;
  readonly secrets: Map<string, Target>;
}

const jobsOf = ({ files }: Pick<Stage, 'files'>): readonly SimulatedJob[] => files.flatMap(({ jobs }) => jobs);

function setUp(scenario: Scenario, world: World): Stage {
  const faults = createFaults(scenario.faults);
  const results = memoryObjectStore();
  const inbox = createInbox(world, faults);
  const promises = watchPromises(results, world);
  const approvals: GivenApproval[] = [];
  const sites = new Map<string, SimulatedFile['site']>();
  const secrets = new Map<string, Target>();
  const targets = (process: SimulatedProcess) => targetsPort(secrets, process, world);
  const { receiveCountGoesOn, chunkRows, attendsAfterMinutes } = scenario;
  const pipeline = startPipeline({
    world,
    faults,
    promises,
    inbox: inbox.store,
    results,
    sites,
    targets,
    receiveCountGoesOn,
    chunkRows,
    policy: policyOf(scenario),
  });
  inbox.announceTo(pipeline.queues.intake);
  const ports = { world, faults, promises, results, inbox, approvals };
  const files = scenario.jobs.map((_, index) => dropFile(scenario, index, ports));
  for (const { target, site } of files) {
    sites.set(target.name, site);
    secrets.set(target.name, target);
  }
  const person = createPerson({
    world,
    faults,
    inbox,
    pipeline,
    states: promises.states,
    approvals,
    jobIds: () => jobsOf({ files }).map(({ id }) => id),
    attendsAfterMs: attendsAfterMinutes * MINUTE_MS,
  });
  return { world, faults, promises, results, files, pipeline, person, secrets };
}

/** The rules of the stage: each file has a target of its own. */
function policyOf({ jobs, mostPeople }: Scenario): Settings['policy'] {
  const rules = jobs.map(({ above, twoPersons }, index) => ({
    target: `target-${index}`,
    ...(above !== undefined && { above }),
    ...(twoPersons !== undefined && { twoPersons }),
  }));
  const tooMany = { people: mostPeople, unknownTotal: mostPeople };
  return completeSettings({ policy: { rules, tooMany, manyRefused: { least: mostPeople } } }).policy;
}

const PURGES: Readonly<Partial<Record<FaultKind, keyof Queues>>> = {
  'plan purged': 'plan',
  'tasks purged': 'tasks',
  'enqueue purged': 'enqueue',
  'reports purged': 'reports',
  'eventsQueue purged': 'events',
};

function scheduleFaults(stage: Stage): void {
  const { world, faults, pipeline, files, secrets, promises } = stage;
  for (const { kind, at, times } of faults.byTheClock) {
    world.after(at * 1_000, () => {
      const purged = PURGES[kind];
      // Before its first event is folded, a job is known to nobody but the messages in the queues.
      if (purged === 'events' && jobsOf(stage).some(({ id }) => !promises.states.has(id))) return;
      faults.struck(kind);
      world.note(() => kind);
      if (purged) pipeline.queues[purged].purge();
      const { target, site } = files[at % files.length]!; // below the length
      if (kind === 'Atlassian down' || kind === 'Atlassian limits everything')
        site.spell(kind, world.nowMs() + times * MINUTE_MS);
      if (kind === 'secret rotated') {
        site.rotate(`token-${at}`);
        // As it is then: it may have been rotated again.
        const tell = (): void => {
          const token = target.type === 'cloud' ? { apiToken: site.token() } : { token: site.token() };
          secrets.set(target.name, { ...target, ...token });
        };
        world.after((times - 1) * MINUTE_MS, tell);
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

/** Lets things happen until every job has ended, with people who look after what stands still. */
async function runToEnd(stage: Stage, beginMs: number): Promise<void> {
  const { world, promises, person } = stage;
  let lookAtMs = beginMs + QUIET_AFTER_MS;
  while (promises.violations.length === 0) {
    if (world.nowMs() >= beginMs + QUIET_AFTER_MS && isDone(stage)) return;
    if (world.nowMs() >= lookAtMs) {
      person.lookAfter();
      lookAtMs = world.nowMs() + 2 * MINUTE_MS;
    }
    await world.step();
    if (world.nowMs() - beginMs > LONGEST_RUN_MS || world.steps() > MOST_STEPS)
      return promises.violate('A job always ends', `after ${world.steps()} steps: ${standing(stage)}`);
  }
}

const isDone = (stage: Stage): boolean =>
  stage.pipeline.isIdle() &&
  jobsOf(stage)
    .map(({ id }) => stage.promises.states.get(id))
    .every((state) => state !== undefined && isOver(state));

const standing = (stage: Stage): string =>
  JSON.stringify({
    jobs: jobsOf(stage).map(({ id }) => {
      const state = stage.promises.states.get(id);
      return state && { state: state.state, reportDue: state.reportDue, outbox: state.outbox };
    }),
    waiting: Object.values(stage.pipeline.queues).map(({ name, parcels }) => `${name} ${parcels().length}`),
  });

/** Puts the dead letters up again, as the queue's own redrive does, and waits until they have been applied. */
async function redrive(stage: Stage): Promise<void> {
  const { deadLetters, tasks } = stage.pipeline.queues;
  if (deadLetters.parcels().length === 0) return;
  stage.world.note(() => 'somebody redrives the dead letters');
  stage.promises.redriven();
  putBack(deadLetters, tasks);
  await runToEnd(stage, stage.world.nowMs());
}

const KEPT_MS = 60_000;
const FRESH_MS = 1_000;

/** The secrets as one process reads them: kept for a minute, or a second when a fresh one is asked for. */
function targetsPort(secrets: ReadonlyMap<string, Target>, process: SimulatedProcess, world: World): Targets {
  const kept = new Map<string, { readonly target: Promise<Target | undefined>; readonly readMs: number }>();
  return {
    secretNameOf: (name) => `rollcall/${name}`,
    find: (name, { fresh = false } = {}) => {
      const known = kept.get(name);
      if (known && world.nowMs() - known.readMs < (fresh ? FRESH_MS : KEPT_MS)) return known.target;
      const target = process.effect(`reads the secret of ${name}`, () => secrets.get(name));
      kept.set(name, { target, readMs: world.nowMs() });
      return target;
    },
  };
}
