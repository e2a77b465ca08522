import type { Command } from 'commander';

import type { Summary } from '../shared/job/summary.ts';
import { JOB } from './arguments.ts';
import { CommandFailed } from './failures.ts';
import { findJob } from './jobs.ts';
import { addPipelineCommand, openPipeline, openResults, type PipelineOptions } from './pipeline.ts';
import { describeSummary, renderTable } from './show.ts';

const STATUS = 'status.json';

interface StatusOptions extends PipelineOptions {
  readonly json?: boolean;
}

/** `status [job]`: what is known of a job at this moment, or which jobs there are. */
export const addStatus = (program: Command): Command =>
  addPipelineCommand(program, 'status', "show a job's progress, or list all jobs", {
    0: 'shown, whatever state the job is in',
    1: 'there is no such job',
  })
    .argument('[job]', JOB)
    .option('--json', 'print JSON, as in status.json')
    .action((idOrEnd: string | undefined, options: StatusOptions) =>
      idOrEnd === undefined ? listJobs(options) : showStatus(idOrEnd, options),
    );

async function showStatus(idOrEnd: string, options: StatusOptions): Promise<void> {
  const results = openResults(openPipeline(options));
  const { job, prefix } = await findJob(results, idOrEnd);
  const stored = await results.read(`${prefix}${STATUS}`);
  if (!stored) throw new CommandFailed(`${job.id} has no status yet. Try again in a moment.`);
  const text = await stored.text();
  console.log(options.json ? text : describeSummary(parseStatus(text)));
}

/** Every job, oldest first, with the folder of its files. */
async function listJobs(options: StatusOptions): Promise<void> {
  const pipeline = openPipeline(options);
  const results = openResults(pipeline);
  const jobs: { readonly status: Summary; readonly folder: string }[] = [];
  for await (const key of results.list('')) {
    const text = key.endsWith(`/${STATUS}`) ? await (await results.read(key))?.text() : undefined;
    if (text === undefined) continue;
    const folder = `s3://${pipeline.resultsBucket}/${key.slice(0, -STATUS.length)}`;
    jobs.push({ status: parseStatus(text), folder });
  }
  jobs.sort((one, other) => one.status.startedAt.localeCompare(other.status.startedAt));
  if (options.json) return console.log(JSON.stringify(jobs));
  if (jobs.length === 0) return console.log('There are no jobs.');
  const rows = jobs.map(({ status, folder }) => [status.job, status.state, status.counts.rows, folder]);
  return console.log(renderTable(['job', 'state', 'rows', 'files'], rows));
}

const parseStatus = (text: string): Summary => JSON.parse(text) as Summary; // the coordinator wrote it
