import type { Command as Program } from 'commander';

import { COMMANDS, hasEnded, type Command } from '../shared/job/job.ts';
import { JOB } from './arguments.ts';
import { CommandFailed } from './failures.ts';
import { checkJob } from './jobs.ts';
import { addPipelineCommand, openInbox, openPipeline, type PipelineOptions } from './pipeline.ts';

const ABOUT: Readonly<Record<Command, string>> = {
  pause: 'stop a job for now: no further row starts',
  resume: 'continue a job that is paused or halted',
  cancel: 'end a job: rows that have not started stay unprocessed',
  approve: 'let a job start that waits for approval (no job waits yet)',
};

/** `pause`, `resume`, `cancel` and `approve <job>`: what a person can ask of a job. */
export function addControls(program: Program): void {
  const exits = { 0: 'the command was sent', 1: 'it was not: there is no such job, or it has ended' };
  for (const command of COMMANDS) {
    addPipelineCommand(program, command, ABOUT[command], exits)
      .argument('<job>', JOB)
      .action((idOrEnd: string, options: PipelineOptions) => sendCommand(command, idOrEnd, options));
  }
}

async function sendCommand(command: Command, idOrEnd: string, options: PipelineOptions): Promise<void> {
  const pipeline = openPipeline(options);
  const found = await checkJob(pipeline, idOrEnd);
  const jobId = found?.job.id ?? idOrEnd;
  if (found && hasEnded(found.state)) {
    throw new CommandFailed(
      `${jobId} has ended (${found.state}), so there is nothing to ${command}. To run the rest of its rows, upload its unprocessed.csv or failed.csv.`,
    );
  }
  await openInbox(pipeline).store.write(`control/${jobId}/${command}`, '');
  console.log(`Sent ${command} to ${jobId}. \`status ${jobId}\` shows when it has taken effect.`);
}
