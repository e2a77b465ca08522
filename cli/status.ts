import type { Command } from 'commander';

import { isWaiting } from '../shared/job/job.ts';
import type { Summary } from '../shared/job/summary.ts';
import type { ObjectStore } from '../shared/ports.ts';
import { describeApproval, findNamed } from './approval.ts';
import { JOB } from './arguments.ts';
import { CommandFailed } from './failures.ts';
import { findJob } from './jobs.ts';
import { addPipelineCommand, openPipeline, openResults, type PipelineOptions } from './pipeline.ts';
import { readChanges } from './plan-preview.ts';
import { describeSummary, renderTable } from './show.ts';

const STATUS = 'status.json';

interface StatusOptions extends PipelineOptions {
  readonly json?: boolean;
}

/** `status [job]`: what is known of a job at this moment, or which jobs there are. */
export const addStatus = (program: Command): Command =>
  addPipelineCommand(program, 'status', "show a job's plan and progress, or list all jobs", {
    0: 'shown, whatever state the job is in',
    1: 'there is no such job',
  })
    .argument('[job]', JOB)
    .option('--json', 'print JSON, as in status.json')
    .action((idOrPart: string | undefined, options: StatusOptions) =>
      idOrPart === undefined ? listJobs(options) : showStatus(idOrPart, options),
    );

/** `show <job>`: the same, with the first of the plan's changes. */
export const addShow = (program: Command): Command =>
  addPipelineCommand(program, 'show', "show a job's plan with its first changes, and its progress", {
    0: 'shown, whatever state the job is in',
    1: 'there is no such job',
  })
    .argument('<job>', JOB)
    .action(showPlan);

async function showStatus(idOrPart: string, options: StatusOptions): Promise<void> {
  const results = openResults(await openPipeline(options));
  const { job, prefix } = await findJob(results, idOrPart);
  const text = await readStatus(results, { jobId: job.id, prefix });
  if (options.json) return console.log(text);
  const status = parseStatus(text);
  return console.log([describeSummary(status), ...describeNext(status, options)].join('\n'));
}

async function showPlan(idOrPart: string, options: PipelineOptions): Promise<void> {
  const results = openResults(await openPipeline(options));
  const { job, prefix } = await findJob(results, idOrPart);
  const status = parseStatus(await readStatus(results, { jobId: job.id, prefix }));
  const changes = await readChanges(results, { prefix, operation: job.operation });
  console.log([describeSummary(status, changes), ...describeNext(status, options)].join('\n'));
}

async function readStatus(
  results: ObjectStore,
  { jobId, prefix }: { readonly jobId: string; readonly prefix: string },
): Promise<string> {
  const stored = await results.read(`${prefix}${STATUS}`);
  if (stored) return stored.text();
  throw new CommandFailed(`${jobId} has no status yet. Try again in a moment.`);
}

/** What to type where the job waits for approval; not wrapped, so that it can be copied. */
function describeNext(status: Summary, { stack, inbox, results, folder }: PipelineOptions): readonly string[] {
  if (!isWaiting(status.state) || !status.plan) return [];
  const buckets = [
    ...(stack ? [`--stack ${stack}`] : []),
    ...(inbox ? [`--inbox ${inbox}`] : []),
    ...(results ? [`--results ${results}`] : []),
  ];
  const place = buckets.length > 0 || folder === '.rollcall' ? buckets : [`--folder ${folder}`];
  const commands = [describeApproval(status.job, findNamed(status)), `npx rollcall cancel ${status.job}`];
  return ['  Once you have looked at plan.csv:', ...commands.map((command) => `    ${[command, ...place].join(' ')}`)];
}

/** Every job, oldest first, with the folder of its files. */
async function listJobs(options: StatusOptions): Promise<void> {
  const pipeline = await openPipeline(options);
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
