import type { Command } from 'commander';

import { hasEnded } from '../shared/job/job.ts';
import { UNDO } from '../shared/operations/undo.ts';
import { JOB } from './arguments.ts';
import { CommandFailed } from './failures.ts';
import { uploadText } from './files.ts';
import { findJob } from './jobs.ts';
import { addPipelineCommand, openInbox, openPipeline, openResults, type PipelineOptions } from './pipeline.ts';

interface UndoOptions extends PipelineOptions {
  readonly dryRun?: true;
}

/** `undo <job>`: drops the job's whole undo.csv into the inbox; it is planned, and waits for approval, as any other file. */
export const addUndo = (program: Command): Command =>
  addPipelineCommand(program, 'undo', 'take back what a job changed, as far as nobody has changed it since', {
    0: 'its undo.csv was uploaded; `status` shows what becomes of it',
    1: 'it was not; the message says why',
  })
    .argument('<job>', JOB)
    .option('--dry-run', 'plan only: nothing is changed')
    .action(undo);

async function undo(idOrPart: string, { dryRun, ...options }: UndoOptions): Promise<void> {
  const pipeline = await openPipeline(options);
  const results = openResults(pipeline);
  const { job, state, prefix } = await findJob(results, idOrPart);
  const stored = await results.read(`${prefix}undo.csv`);
  if (!stored)
    throw new CommandFailed(
      `${job.id} is ${state} and has no undo.csv yet. ${hasEnded(state) ? 'Try again in a moment.' : 'Pause or cancel it first, or wait for its end.'}`,
    );
  const { client, bucket } = openInbox(pipeline);
  const text = await stored.text();
  if (text.trimEnd().split('\n').length === 1)
    throw new CommandFailed(`${job.id} is ${state} and changed nothing, so there is nothing to take back.`);
  const key = `${job.target}/${UNDO}/${job.id}.csv`;
  const jobId = await uploadText({ client, bucket, key, text, ...(dryRun && { options: { 'dry-run': 'true' } }) });
  console.log(`Uploaded as ${jobId}. \`status ${jobId}\` shows its plan, and whether it waits for approval.`);
}
