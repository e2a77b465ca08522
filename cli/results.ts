import type { Command } from 'commander';

import { jobHash } from '../shared/job/keys.ts';
import { JOB } from './arguments.ts';
import { CommandFailed } from './failures.ts';
import { fetchReport } from './files.ts';
import { findJob } from './jobs.ts';
import { addPipelineCommand, openPipeline, openResults, type PipelineOptions } from './pipeline.ts';

interface ResultsOptions extends PipelineOptions {
  readonly out?: string;
}

/** `results <job>`: copies a job's report, as a notice says it. */
export const addResults = (program: Command): Command =>
  addPipelineCommand(program, 'results', "download a job's report", {
    0: 'the files of the newest report are in the folder that was printed',
    1: 'there is no such job, or no report yet; the message says what to do',
  })
    .argument('<job>', JOB)
    .option('--out <dir>', "folder for the files (default: the last twelve characters of the job's id)")
    .action(downloadResults);

async function downloadResults(idOrPart: string, { out, ...options }: ResultsOptions): Promise<void> {
  const results = openResults(await openPipeline(options));
  const { job, state, prefix } = await findJob(results, idOrPart);
  const folder = out ?? jobHash(job.id);
  const names = await fetchReport(results, prefix, folder);
  if (names.length === 0)
    throw new CommandFailed(
      `${job.id} is ${state} and has no report yet. It gets one when it waits, halts or ends; \`npx rollcall status ${jobHash(job.id)}\` shows how far it is.`,
    );
  console.log([`The report of ${job.id} is in ${folder}:`, ...names.map((name) => `  ${name}`)].join('\n'));
}
