import { setTimeout as sleep } from 'node:timers/promises';

import type { Command } from 'commander';

import { systemChance } from '../shared/aws/system-chance.ts';
import { systemClock } from '../shared/aws/system-clock.ts';
import { createAtlassian } from '../shared/atlassian/atlassian.ts';
import { RateLimited } from '../shared/atlassian/errors.ts';
import type { Wanted } from '../shared/manifest/header.ts';
import { findOperation } from '../shared/operations/index.ts';
import { bindOperation, type BoundOperation, type Operation, type PlannedRow } from '../shared/operations/operation.ts';
import type { Target } from '../shared/target.ts';
import { JOB, openAccess, resultsOf, targetsOf, withAccess, type AccessOptions } from './access.ts';
import { type ChangedRow, changedRows, inBatches } from './changed-rows.ts';
import { CommandFailed } from './failure.ts';
import { findJob } from './find-job.ts';

const ROWS_AT_ONCE = 100;
const RESPONSE_LIMIT_BYTES = 8 * 2 ** 20;
const PLAN_MS = 60_000;
const ROUNDS = 10;
const PAUSE_MS = 1_000;

/** `verify <job>`: reads every changed row again and lists those that do not hold; exits with 2 when there are any. */
export const addVerify = (program: Command): Command =>
  withAccess(program.command('verify'))
    .argument('<job>', JOB)
    .description('read every row that a job changed again, and list those that do not hold')
    .action(async (idOrEnd: string, options: AccessOptions) => {
      process.exitCode = await verify(idOrEnd, options);
    });

async function verify(idOrEnd: string, options: AccessOptions): Promise<number> {
  const access = openAccess(options, process.env);
  const results = resultsOf(access);
  const { job, state, prefix } = await findJob(results, idOrEnd);
  const jobId = job.id;
  if (state === 'rejected') {
    throw new CommandFailed(
      `${jobId} was rejected: no row was changed, so there is nothing to verify. ${prefix}summary.json says why.`,
    );
  }
  const operation = findOperation(job.operation);
  const target = await targetsOf(access).find(job.target);
  if (!operation || !target) throw new CommandFailed(`The target or operation of ${jobId} is not there any more.`);
  const report = await results.read(`${prefix}results.csv`);
  if (!report) throw new CommandFailed(`${jobId} has no report yet. Verify it when it has ended.`);

  const atlassian = createAtlassian({
    clock: systemClock,
    chance: systemChance,
    workers: 1,
    responseLimitBytes: RESPONSE_LIMIT_BYTES,
  });
  let read = 0;
  let broken = 0;
  for await (const rows of inBatches(changedRows(report.body, wantedOf(operation, target)), ROWS_AT_ONCE)) {
    const reasons = await planAgain(bindOperation(operation, atlassian.open(target)), rows);
    for (const [index, { line }] of rows.entries()) {
      if (reasons[index] === undefined) continue;
      console.log(`line ${line}: ${reasons[index]}`);
      broken += 1;
    }
    read += rows.length;
  }
  await atlassian.close();
  console.log(`${read - broken} of ${read} changed rows hold.`);
  return broken > 0 ? 2 : 0;
}

/** What an operation wants of a header for a target of this type; throws CommandFailed when it does not exist there. */
function wantedOf({ name, cloud, dataCenter }: Operation, { type }: Target): Wanted {
  const recipe = type === 'cloud' ? cloud : dataCenter;
  if (recipe) return recipe;
  throw new CommandFailed(`The operation ${name} does not exist for a target of type ${type}.`);
}

/** Plans rows again; gives the reason why a row does not hold, or `undefined` when it needs no change. */
async function planAgain(
  operation: BoundOperation,
  rows: readonly ChangedRow[],
): Promise<readonly (string | undefined)[]> {
  let plans = await plan(operation, rows);
  for (let round = 1; round < ROUNDS && plans.some(isUnread); round += 1) {
    await sleep(PAUSE_MS);
    const unread = rows.filter((_row, index) => isUnread(plans[index]));
    const again = [...(await plan(operation, unread))];
    plans = plans.map((planned) => (isUnread(planned) ? (again.shift() ?? planned) : planned));
  }
  return rows.map((_row, index) => reasonOf(plans[index]));
}

async function plan(operation: BoundOperation, rows: readonly ChangedRow[]): Promise<readonly PlannedRow[]> {
  const cells = rows.map((row) => row.cells);
  for (let round = 1; ; round += 1) {
    try {
      return await operation.plan(cells, AbortSignal.timeout(PLAN_MS));
    } catch (error) {
      if (!(error instanceof RateLimited) || round === ROUNDS) throw error;
      await sleep(Math.max(0, error.notBeforeMs - Date.now()));
    }
  }
}

const isUnread = (planned: PlannedRow | undefined): boolean => planned?.kind === 'unread';

function reasonOf(planned: PlannedRow | undefined): string | undefined {
  switch (planned?.kind) {
    case 'noop':
      return undefined;
    case 'refused':
      return `${planned.refusal.code}: ${planned.refusal.message}`;
    case 'change':
      return 'it is not, or not any more, as the row wants it; drop the row in again to apply it';
    case 'unread':
      return `it could not be read: ${planned.error.message}`;
    case undefined:
      return 'it could not be read';
    default:
      return planned satisfies never;
  }
}
