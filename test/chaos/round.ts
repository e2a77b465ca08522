import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { openDeadLetters } from '../../cli/dead-letter-queue.ts';
import { chaosStage, PROPAGATION_MS, RECONCILE_EVERY_MS } from './chaos-stage.ts';
import type { Errand } from './errand.ts';
import { readState } from '../../shared/job/state.ts';
import { clientsOf, countIn, isReported, summaryIn, textOf, until, upload } from './job-here.ts';
import { planKills, type Kill, type KillOptions } from './kills.ts';
import { makeErrand, manifestOf } from './make-errand.ts';
import { oneOf, seededRandom, type Random } from './random.ts';
import { recipesBy } from './recipes.ts';
import { recoveryTimes } from './recovery-times.ts';
import type { SimulatorHere } from './simulator-here.ts';
import { NO_FAULTS, type FaultRates } from './service-faults.ts';
import { startKillableStack, type KillableStack } from './stack-here.ts';
import { verify, type TaskResult } from './verify.ts';

export interface RoundOptions {
  /** Which operation on which target; they come in turn. */
  readonly round: number;
  readonly seed: number;
  readonly rows: number;
  readonly kills: KillOptions;
  /** A round that takes longer has not ended. */
  readonly limitMs: number;
}

/** What a round did and what came of it. */
export interface Round extends TaskResult {
  readonly name: string;
  readonly seed: number;
  readonly rows: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly killed: Readonly<Record<string, number>>;
  readonly faults: { readonly atlassian: number; readonly s3: number; readonly sqs: number };
  /** Milliseconds for which rows of killed workers waited for another. */
  readonly recoveries: readonly number[];
}

/** What Atlassian does wrong: about one request in fifty. */
const ATLASSIAN_FAULTS = {
  // Beside those of the limits: each slows a worker down to half of its pace.
  rateLimited: 0.0002,
  retryAfterSeconds: 1,
  serverError: 0.004,
  serverErrorAfter: 0.003,
  serverErrorRetryAfterSeconds: 1,
  resetBefore: 0.002,
  resetAfter: 0.003,
  hangBefore: 0.0003,
  hangAfter: 0.0003,
  hangMs: 5_000,
  truncated: 0.002,
  notJson: 0.002,
};
/** High enough for a round, and low enough to be met: workers that start begin at their own pace. */
const LIMITS = {
  jira: { GET: 500, POST: 300, PUT: 300, DELETE: 300 },
  organisation: { requests: 3_000, windowSeconds: 10 },
  userManagement: { requests: 3_000, windowSeconds: 10 },
  dataCenter: { size: 1_000, fillRate: 500, intervalSeconds: 1 },
};
const S3_FAULTS: FaultRates = { refused: 0.02, lost: 0.01, slow: 0.02, slowMs: 400 };
const SQS_FAULTS: FaultRates = { refused: 0.02, lost: 0.005, slow: 0.02, slowMs: 400 };

/** Carries one errand out while everything around it fails, and compares what is said with what is so. */
export async function runRound(simulator: SimulatorHere, options: RoundOptions): Promise<Round> {
  const { round, seed, rows } = options;
  const startedMs = performance.now();
  const random = seededRandom(seed);
  const recipes = recipesBy(oneOf(random, ['id', 'email', 'both']));
  const recipe = recipes[round % recipes.length] ?? oneOf(random, recipes);
  const errand = makeErrand(recipe, rows, random);
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-chaos-'));
  const recovery = recoveryTimes();
  let keep = false;
  await simulator.begin(errand.state);
  await simulator.behave(behaviourIn(errand, seed));
  const stack = await startKillableStack({
    folder,
    stage: chaosStage(),
    targets: simulator.targets,
    seed,
    reconcileEveryMs: RECONCILE_EVERY_MS,
    onBatch: recovery.onBatch,
  });
  try {
    const held = await applyTasks(stack, errand, { ...options, random });
    const { summary } = held;
    const taskResult = verify({
      errand,
      ...held,
      state: await simulator.state(),
      effective: await simulator.effective(),
    });
    const { faults, violations } = await stack.report();
    keep = taskResult.violations.length > 0;
    if (keep) console.error(`the stack's folder is ${folder}`);
    const { faults: atlassian } = await simulator.summary();
    return {
      ...taskResult,
      violations: [...taskResult.violations, ...violations.map((call) => `not allowed: ${call}`)],
      name: `${errand.target} ${errand.operation}`,
      seed,
      rows,
      counts: summary.counts,
      seconds: (performance.now() - startedMs) / 1_000,
      killed: held.killed,
      faults: { ...faults, atlassian: Object.values(atlassian).reduce((sum, count) => sum + count, 0) },
      recoveries: recovery.times(),
    };
  } catch (error) {
    keep = true;
    throw new Error(`${(error as Error).message}; the stack's folder is ${folder}`, { cause: error });
  } finally {
    await stack.close();
    if (!keep) rmSync(folder, { recursive: true, force: true });
  }
}

const behaviourIn = ({ refused }: Errand, seed: number) => ({
  dice: seed,
  faults: ATLASSIAN_FAULTS,
  limits: LIMITS,
  propagationMs: { jira: PROPAGATION_MS, organisation: PROPAGATION_MS, userManagement: PROPAGATION_MS },
  refusedWrites: refused.map((account) => ({ account, status: 403, body: { errorMessages: ['Not this one.'] } })),
});

async function applyTasks(
  stack: KillableStack,
  errand: Errand,
  { kills, random, limitMs }: RoundOptions & { readonly random: Random },
) {
  const { target, operation } = errand;
  const { jobId, prefix } = await upload(clientsOf(stack.connection()), stack.connection(), {
    target,
    operation,
    text: manifestOf(errand),
  });
  stack.setFaults({ s3: S3_FAULTS, sqs: SQS_FAULTS });
  const killed = await killAll(planKills(random, kills), stack, random);
  const clients = clientsOf(stack.connection());
  const { results } = clients;
  const late = killReporter(stack, random, killed);
  try {
    await until('the job ended', async () => isReported(await readState(results, jobId)), { forMs: limitMs });
  } finally {
    clearInterval(late);
  }
  stack.setFaults({ s3: NO_FAULTS, sqs: NO_FAULTS });
  // Whatever is still under way must change nothing any more.
  const drained = async (): Promise<boolean> => {
    const counts = await Promise.all(stack.queueUrls().map((url) => countIn(clients, url)));
    return counts.every((count) => count === 0) && isReported(await readState(results, jobId));
  };
  await until('the queues are empty', drained, { forMs: limitMs, everyMs: 250 });
  const summary = await summaryIn(results, prefix);
  const { read } = openDeadLetters(clients.sqs, stack.connection().deadLetterQueueUrl, AbortSignal.timeout(limitMs));
  const letters = new Set<number>();
  await read(({ task }) => void (task && letters.add(task.row)));
  return {
    summary,
    letters,
    results: await textOf(results, `${prefix}results.csv`),
    killed,
  };
}

async function killAll(kills: readonly Kill[], stack: KillableStack, random: Random): Promise<Record<string, number>> {
  const killed: Record<string, number> = {};
  const startedMs = performance.now();
  for (const { atMs, what } of kills) {
    await sleep(Math.max(0, atMs - (performance.now() - startedMs)));
    if (what === 'stack') await stack.restart();
    else {
      const pids =
        Object.keys(killed).length > 0 || what === 'reporter' ? stack.pids(what) : await findPids(stack, what);
      if (pids.length === 0) continue;
      killProcess(oneOf(random, pids));
    }
    killed[what] = (killed[what] ?? 0) + 1;
  }
  return killed;
}

/** On a busy machine a function may not have begun yet when the first is to die, and then nothing would; the reporter begins last of all. */
const BEGINS_WITHIN_MS = 10_000;

async function findPids(stack: KillableStack, what: Parameters<KillableStack['pids']>[0]): Promise<readonly number[]> {
  const untilMs = performance.now() + BEGINS_WITHIN_MS;
  let pids = stack.pids(what);
  for (; pids.length === 0 && performance.now() < untilMs; pids = stack.pids(what)) await sleep(50);
  return pids;
}

/** In every third round, the reporter dies while it writes: it begins when all else is over. */
function killReporter(stack: KillableStack, random: Random, killed: Record<string, number>): NodeJS.Timeout {
  const dies = random() < 1 / 3;
  const looking = setInterval(() => {
    const [pid] = stack.pids('reporter');
    if (pid === undefined || !dies) return;
    clearInterval(looking);
    killProcess(pid);
    killed['reporter'] = (killed['reporter'] ?? 0) + 1;
  }, 50);
  return looking;
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has just ended by itself
  }
}
