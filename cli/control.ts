import type { Command as Program } from 'commander';

import { COMMANDS, hasEnded, type Command } from '../shared/job/job.ts';
import { inboxOf, JOB, openAccess, withAccess, type AccessOptions } from './access.ts';
import { CommandFailed } from './failure.ts';
import { checkJob } from './find-job.ts';

const ABOUT: Readonly<Record<Command, string>> = {
  pause: 'let no further row of a job begin',
  resume: 'go on with a job that is paused or halted',
  cancel: 'end a job; rows that have not begun stay unprocessed',
  approve: 'let a job begin that waits for approval (none does so yet)',
};

/** `pause`, `resume`, `cancel` and `approve <job>`: what a person can ask of a job. */
export function addControls(program: Program): void {
  for (const command of COMMANDS) {
    withAccess(program.command(command))
      .argument('<job>', JOB)
      .description(ABOUT[command])
      .action((idOrEnd: string, options: AccessOptions) => ask(command, idOrEnd, options));
  }
}

async function ask(command: Command, idOrEnd: string, options: AccessOptions): Promise<void> {
  const access = openAccess(options, process.env);
  const found = await checkJob(access, idOrEnd);
  const jobId = found?.job.id ?? idOrEnd;
  if (found && hasEnded(found.state)) {
    throw new CommandFailed(
      `${jobId} has ended, it is ${found.state}: there is nothing to ${command}. To go on with it, drop its unprocessed.csv or failed.csv in again.`,
    );
  }
  await inboxOf(access).store.write(`control/${jobId}/${command}`, '');
  console.log(`Asked ${jobId} to ${command}.`);
}
