import type { Command } from 'commander';

import { jobHash } from '../shared/job/keys.ts';
import { operationNames } from '../shared/operations/index.ts';
import { checkOperation } from './arguments.ts';
import { catchSignals } from './failures.ts';
import { measureFile, uploadManifest } from './files.ts';
import { exitCodeOf, followJob } from './jobs.ts';
import { addPipelineCommand, openInbox, openPipeline, openResults, type PipelineOptions } from './pipeline.ts';
import { describeSummary, showProgress } from './show.ts';

interface SubmitOptions extends PipelineOptions {
  readonly target: string;
  readonly operation: string;
  readonly dryRun?: boolean;
  readonly reason?: string;
  readonly watch?: boolean;
  readonly json?: boolean;
}

/** `submit <file.csv>`: drops a file into the inbox of a running pipeline. */
export const addSubmit = (program: Command): Command =>
  addPipelineCommand(program, 'submit', 'upload a file to a running pipeline, and follow its job if wished', {
    0: 'uploaded; with --watch: every row is as the file asks',
    1: 'not uploaded; with --watch: the file was rejected, or the job could not be run',
    2: 'with --watch: some rows are not as the file asks',
    3: 'with --watch: the job waits for approval',
  })
    .argument('<file.csv>', 'the CSV file')
    .requiredOption('--target <target>', 'the Atlassian site that it is for')
    .requiredOption('--operation <operation>', `what to do with each row: ${operationNames.join(', ')}`)
    .option('--dry-run', 'plan only: nothing is changed')
    .option('--reason <text>', 'why, for the report and whoever approves')
    .option('--watch', 'until the job ends or waits')
    .option('--json', "print JSON: the job's id, or with --watch its summary")
    .action(async (path: string, options: SubmitOptions) => {
      process.exitCode = await submit(path, options);
    });

async function submit(path: string, given: SubmitOptions): Promise<number> {
  const { target, operation, dryRun, reason, watch, json, ...options } = given;
  measureFile(path);
  checkOperation(operation);
  const pipeline = await openPipeline(options);
  const { client, bucket } = openInbox(pipeline);
  const metadata = { ...(dryRun && { 'dry-run': 'true' }), ...(reason !== undefined && { reason }) };
  const { jobId, prefixes } = await uploadManifest({ client, bucket, target, operation, path, options: metadata });
  if (!watch) {
    const watching = `npx rollcall status ${jobHash(jobId)}${options.stack === undefined ? '' : ` --stack ${options.stack}`}`;
    console.log(json ? JSON.stringify({ job: jobId }) : `Uploaded as ${jobId}. See what becomes of it: ${watching}`);
    return 0;
  }
  const progress = showProgress();
  const results = openResults(pipeline);
  const followed = await followJob({
    results,
    prefixes,
    signal: catchSignals(),
    onStatus: progress.add(jobId),
  }).finally(progress.stop);
  console.log(json ? JSON.stringify(followed.summary) : describeSummary(followed.summary));
  return exitCodeOf(followed.summary);
}
