import type { Command as Program } from 'commander';

import { COMMANDS, type Command } from '../shared/job/job.ts';
import { inboxOf, openAccess, resultsOf, withAccess, type AccessOptions } from './access.ts';
import { findJob } from './find-job.ts';

const ABOUT: Readonly<Record<Command, string>> = {
  pause: 'let no further row of a job begin',
  resume: 'go on with a job that is paused or halted',
  cancel: 'end a job; rows that have not begun stay unprocessed',
  approve: 'let a job begin that waits for approval',
};

/** `pause`, `resume`, `cancel` and `approve <job>`: what a person can ask of a job. */
export function addControls(program: Program): void {
  for (const command of COMMANDS) {
    withAccess(program.command(command))
      .argument('<job>', "the job's id")
      .description(ABOUT[command])
      .action((jobId: string, options: AccessOptions) => ask(command, jobId, options));
  }
}

async function ask(command: Command, jobId: string, options: AccessOptions): Promise<void> {
  const access = openAccess(options, process.env);
  // Where the results can be read, a slip in the id is found here rather than nowhere.
  if (access.resultsBucket !== '') await findJob(resultsOf(access), jobId);
  await inboxOf(access).store.write(`control/${jobId}/${command}`, '');
  console.log(`Asked ${jobId} to ${command}.`);
}
