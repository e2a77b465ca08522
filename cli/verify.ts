import type { Command } from 'commander';

import { systemChance } from '../shared/aws/system-chance.ts';
import { systemClock } from '../shared/aws/system-clock.ts';
import { createAtlassian } from '../shared/atlassian/atlassian.ts';
import { findOperation } from '../shared/operations/index.ts';
import { JOB, openAccess, resultsOf, targetsOf, withAccess, type AccessOptions } from './access.ts';
import { changedRows, inBatches } from './changed-rows.ts';
import { CommandFailed } from './failure.ts';
import { findJob } from './find-job.ts';
import { lookAgain, wantedOf } from './look-again.ts';

const ROWS_AT_ONCE = 100;
const RESPONSE_LIMIT_BYTES = 8 * 2 ** 20;

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
  let looked = 0;
  let broken = 0;
  for await (const rows of inBatches(changedRows(report.body, wantedOf(operation, target)), ROWS_AT_ONCE)) {
    const reasons = await lookAgain(operation, atlassian.open(target), rows);
    for (const [index, { line }] of rows.entries()) {
      if (reasons[index] === undefined) continue;
      console.log(`line ${line}: ${reasons[index]}`);
      broken += 1;
    }
    looked += rows.length;
  }
  await atlassian.close();
  console.log(`${looked - broken} of ${looked} changed rows hold.`);
  return broken > 0 ? 2 : 0;
}
