import { gateKey } from '../../shared/job/keys.ts';
import { createOutcomeChunks } from '../../shared/job/outcome-chunks.ts';
import { type Gate, readRowPlans, sha256Of } from '../../shared/job/plan.ts';
import { type Policy, policyFor, tighten } from '../../shared/job/policy.ts';
import { gateChunkSeries } from '../../shared/job/transitions.ts';
import { packRowStatuses, unpackRowStatuses } from '../../shared/job/row-status.ts';
import { readValidation, type Validation } from '../../shared/job/validation.ts';
import { type Chance, JobNotReadable, type ObjectStore, writeOnce } from '../../shared/ports.ts';
import type { Session } from '../../shared/operations/session.ts';
import type { Settings } from '../../shared/settings.ts';
import { type Figures, findWaitReasons } from './decide.ts';
import { type Judgement, judgeRows } from './judge-rows.ts';
import { countTakesWithinDay, findRepeated } from './ledger.ts';
import { openFor, type SessionOfPlanPorts } from './plan-session.ts';
import type { PlanningJob } from './planner.ts';
import { type ReadPlan, relateRows } from './relations.ts';

export interface GatePorts extends SessionOfPlanPorts {
  readonly chance: Chance;
  readonly policy: Settings['policy'];
}

/** Looks at a whole plan: finds what its rows mean for one another, sums what it would do, and decides whether it may be applied or waits. Once. */
export async function gate(job: PlanningJob, ports: GatePorts, signal: AbortSignal): Promise<void> {
  const { id: jobId } = job.state.job;
  const { attempt } = job.plan;
  const key = gateKey(jobId, attempt);
  const decided = (await ports.results.read(key)) ?? (await decide(job, ports, signal));
  if (!('text' in decided)) await writeOnce(ports.results, key, JSON.stringify(decided satisfies Gate));
  const stored = await ports.results.read(key); // another planner's, where it was faster
  if (!stored) throw new JobNotReadable(`${key} is not there`);
  await ports.post(jobId, { type: 'gated', attempt, sha256: sha256Of(Buffer.concat(await stored.body.toArray())) });
}

async function decide(job: PlanningJob, ports: GatePorts, signal: AbortSignal): Promise<Gate> {
  const { job: about } = job.state;
  const validation = await readValidation(ports.results, about.id);
  if (!validation) throw new JobNotReadable(`The validation of ${about.id} is not there`);
  const operation = validation.undoes?.operation;
  const policy = tighten(policyFor(ports.policy, { ...about, ...(operation && { operation }) }), about.options);
  const session = await openFor(job, validation, ports);
  const readPlan = planReader(job, ports.results);
  const series = gateChunkSeries(job.plan.attempt, ports.chance.uuid().slice(0, 8));
  const outcomes = createOutcomeChunks({ jobId: about.id, series }, ports.results, ports.clock.now);
  const rowStatuses = unpackRowStatuses(validation.rowStatuses, validation.rows);
  const relations = await relateRows(readPlan);
  const { effect, seats, domain } = session;
  const { countAdmins } = await session.protection(signal);
  const judging = { readPlan, relations, rowStatuses, policy, effect, seats, domain, countAdmins, outcomes };
  const judgement = await judgeRows(judging);
  const figures = await readFigures({ job, validation, judgement, session }, ports, signal);
  return {
    version: 1,
    hash: judgement.hash,
    rowStatuses: packRowStatuses(judgement.rowStatuses),
    outcomeChunks: await outcomes.finish(),
    dependencies: judgement.dependencies,
    counts: judgement.counts,
    codes: judgement.codes,
    takes: judgement.takes,
    seats: judgement.seats,
    domains: judgement.domains,
    ...(relations.inTurn.size > 0 && { inTurn: [...relations.inTurn] }),
    reasons: [...findWaitReasons(figures, policy)],
    steps: policy.steps,
    twoPersons: policy.twoPersons,
    operation,
    mode: policy.dryRun ? 'dry-run' : 'apply',
    policy: shown(policy),
  };
}

const planReader = ({ state, plan }: PlanningJob, results: ObjectStore): ReadPlan =>
  async function* () {
    const chunks = plan.chunks.map((sha256) => sha256 ?? '');
    for (const index of chunks.keys())
      yield await readRowPlans(results, { jobId: state.job.id, attempt: plan.attempt, chunks }, index);
  };

interface Judged {
  readonly job: PlanningJob;
  readonly validation: Validation;
  readonly judgement: Judgement;
  readonly session: Session;
}

/** A handful of people tell nobody how large a group is: below this many the share is not asked for. */
const TAKES_WORTH_ASKING = 11;

/** What must be asked besides: of the target, and of its other jobs. */
async function readFigures(
  { job: { state }, validation, judgement, session }: Judged,
  { results, clock }: GatePorts,
  signal: AbortSignal,
): Promise<Figures> {
  const { counts, takes, refusals, takesByGroup } = judgement;
  const { job } = state;
  const takesElsewhere = takes > 0 ? await countTakesWithinDay(job, takes, clock.now().getTime(), results) : 0;
  const asksTotal = takes > 0 && takes + takesElsewhere >= TAKES_WORTH_ASKING;
  const asked = [...takesByGroup].filter(([, number]) => number >= TAKES_WORTH_ASKING);
  const groups = await Promise.all(
    asked.map(async ([name, number]) => ({
      name,
      takes: number,
      members: await session.countMembers(name, signal),
    })),
  );
  const leavers = takes > 0 ? (refusals.USER_NOT_FOUND ?? 0) : 0;
  return {
    counts,
    takes,
    gives: counts.change - takes,
    refused: Object.values(refusals).reduce((sum, number) => sum + number, 0) - leavers,
    activePeople: asksTotal ? await session.countActivePeople(signal) : undefined,
    groups,
    takesElsewhere,
    repeats: counts.change > 0 ? (await findRepeated(job, validation.sha256, results))?.job : undefined,
    foreign: validation.foreign,
  };
}

/** The policy as the summary shows it. */
const shown = ({ above, twoPersons, steps, dryRun, tooMany, manyRefused }: Policy): Gate['policy'] => ({
  above,
  twoPersons,
  dryRun,
  tooMany,
  manyRefused,
  ...(steps !== undefined && { steps }),
});
