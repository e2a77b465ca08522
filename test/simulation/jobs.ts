import { jobIdOf } from '../../shared/job/keys.ts';
import { hasEnded } from '../../shared/job/job.ts';
import type { Target } from '../../shared/target.ts';
import type { Faults } from './faults.ts';
import { BUCKET, type Inbox } from './inbox.ts';
import { UPLOADER } from './person.ts';
import { type GivenApproval, watchPlanFirst } from './plan-first.ts';
import type { Promises } from './promises.ts';
import type { PlannedJob, Scenario } from './scenario.ts';
import { type Call, type Caller, createSite, keyOf, type SimulatedSite } from './simulated-atlassian.ts';
import { recordSite, type SiteRecorder } from './site-log.ts';
import type { MemoryObjectStore } from '../fakes/memory-object-store.ts';
import { makeWishes, type Wishes } from './wishes.ts';
import type { World } from './world.ts';

/** A file of a run, with the Atlassian that it is for. */
export interface SimulatedFile {
  readonly planned: PlannedJob;
  readonly wishes: Wishes;
  readonly target: Target;
  readonly site: SimulatedSite;
  readonly log: SiteRecorder;
  /** The job that the file became, and the one of its copy. */
  readonly jobs: readonly SimulatedJob[];
}

/** One job of a run. */
export interface SimulatedJob {
  readonly id: string;
  readonly file: SimulatedFile;
}

export interface FilePorts {
  readonly world: World;
  readonly faults: Faults;
  readonly promises: Promises;
  readonly results: MemoryObjectStore;
  readonly inbox: Inbox;
  readonly approvals: readonly GivenApproval[];
}

/** Puts the scenario's `index`-th file into the inbox, and once more where it is to come twice. */
export function dropFile(scenario: Scenario, index: number, ports: FilePorts): SimulatedFile {
  const planned = scenario.jobs[index]!; // the scenario's own index
  const wishes = makeWishes(planned.operation, `target-${index}`, planned.rows);
  const jobs: SimulatedJob[] = [];
  const watches = new Map<string, ReturnType<typeof watchPlanFirst>>();
  const log = recordSite(wishes, { truth: () => site.truth, nowMs: ports.world.nowMs });
  const ownOf = ({ jobIds }: Caller): readonly string[] => jobIds.filter((id) => watches.has(id));
  const onCallBegan = (call: Call, caller: Caller): void => {
    const own = ownOf(caller);
    ports.promises.callBegan(call, { ...caller, jobIds: own });
    if (own.length === 1) watches.get(own[0] ?? '')?.(call, caller);
    for (const id of own) checkAlone(id, jobs, log, ports.promises);
  };
  const site = createSite(
    {
      wishes,
      lagMs: scenario.lagSeconds * 1_000,
      onCallBegan,
      onEffective: (write, caller) => log.applied(write, ownOf(caller)),
      onAnswered: (call, answer, caller) => log.answered(call, keyOf(call), answer, ownOf(caller)),
      onSpent: (caller) => log.spent(ownOf(caller)),
    },
    ports.world,
    ports.faults,
  );
  const file: SimulatedFile = { planned, wishes, target: wishes.target, site, log, jobs };
  const { notBeforeMinutes } = planned;
  const notBeforeMs = notBeforeMinutes === undefined ? undefined : ports.world.nowMs() + notBeforeMinutes * 60_000;
  const add = (name: string): void => {
    const id = put(`${wishes.target.name}/${wishes.operation}/${name}.csv`, file, notBeforeMs, ports);
    const work = { jobId: id, wishes, target: wishes.target, uploadedBy: UPLOADER, notBeforeMs };
    jobs.push({ id, file });
    watches.set(id, watchPlanFirst(work, { ...ports, nowMs: ports.world.nowMs }));
  };
  add(`people ${index}`);
  if (mayComeTwice(file))
    ports.world.after((planned.copyAfterSeconds ?? 0) * 1_000, () => add(`people ${index} again`));
  return file;
}

/** A chain of addresses means something else the second time, as its rows that name people by address say themselves. */
const mayComeTwice = ({ planned, wishes }: SimulatedFile): boolean =>
  planned.copyAfterSeconds !== undefined && wishes.rows.every(({ takesFrom }) => takesFrom === undefined);

function put(key: string, { planned, wishes }: SimulatedFile, notBeforeMs: number | undefined, { inbox }: FilePorts) {
  const lines = [wishes.header, ...wishes.rows.map(({ cells }) => cells)].map((cells) => cells.join(','));
  const { dryRun, approvalRequired, steps } = planned;
  const metadata = {
    ...(dryRun && { 'rollcall-dry-run': 'true' }),
    ...(approvalRequired && { 'rollcall-approval': 'required' }),
    ...(steps !== undefined && { 'rollcall-steps': String(steps) }),
    ...(notBeforeMs !== undefined && { 'rollcall-not-before': new Date(notBeforeMs).toISOString() }),
  };
  const versionId = inbox.put({ key, body: `${lines.join('\r\n')}\r\n`, principal: UPLOADER, metadata });
  return jobIdOf({ bucket: BUCKET, key, versionId });
}

/** A copy of a job that is still open is planned after it: the two never call by turns. */
function checkAlone(id: string, jobs: readonly SimulatedJob[], log: SiteRecorder, promises: Promises): void {
  const isOpen = (jobId: string): boolean => !hasEnded(promises.states.get(jobId)?.state ?? 'validating');
  const others = jobs.filter((other) => other.id !== id && !other.file.planned.dryRun);
  const overlapping = others.find((other) => isOpen(other.id) && log.of(other.id).heardAtMs.length > 0);
  if (overlapping && isOpen(id) && !promises.isRedriven())
    promises.violate('Once', `${id} calls while ${overlapping.id}, which has the same file, is not done`);
}
