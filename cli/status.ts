import type { Command } from 'commander';

import type { Summary } from '../shared/job/summary.ts';
import { openAccess, resultsOf, withAccess, type AccessOptions } from './access.ts';
import { describeSummary } from './describe-summary.ts';
import { CommandFailed } from './failure.ts';
import { findJob } from './find-job.ts';

/** `status <job>`: what is known of a job at this moment. */
export const addStatus = (program: Command): Command =>
  withAccess(program.command('status'))
    .argument('<job>', "the job's id")
    .description('say how far a job is')
    .option('--json', 'as status.json has it')
    .action(async (jobId: string, options: AccessOptions & { readonly json?: boolean }) => {
      const results = resultsOf(openAccess(options, process.env));
      const { prefix } = await findJob(results, jobId);
      const stored = await results.read(`${prefix}status.json`);
      if (!stored) throw new CommandFailed(`${jobId} has no status yet. Ask again in a moment.`);
      const text = await stored.text();
      console.log(options.json ? text : describeSummary(JSON.parse(text) as Summary)); // the coordinator wrote it
    });
