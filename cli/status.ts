import type { Command } from 'commander';
import Table from 'cli-table3';

import type { Summary } from '../shared/job/summary.ts';
import type { ObjectStore } from '../shared/ports.ts';
import { JOB, openAccess, resultsOf, withAccess, type AccessOptions } from './access.ts';
import { describeSummary } from './describe-summary.ts';
import { CommandFailed } from './failure.ts';
import { findJob } from './find-job.ts';

const STATUS = 'status.json';

/** `status [job]`: what is known of a job at this moment, or which jobs there are. */
export const addStatus = (program: Command): Command =>
  withAccess(program.command('status'))
    .argument('[job]', JOB)
    .description('say how far a job is, or list all jobs')
    .option('--json', 'as status.json has it')
    .action(async (idOrEnd: string | undefined, options: AccessOptions & { readonly json?: boolean }) => {
      const access = openAccess(options, process.env);
      const results = resultsOf(access);
      if (idOrEnd === undefined) return list(results, access.resultsBucket, options.json);
      const { job, prefix } = await findJob(results, idOrEnd);
      const stored = await results.read(`${prefix}${STATUS}`);
      if (!stored) throw new CommandFailed(`${job.id} has no status yet. Ask again in a moment.`);
      const text = await stored.text();
      return console.log(options.json ? text : describeSummary(parse(text)));
    });

/** Every job, those that began first first, with the folder of its files. */
async function list(results: ObjectStore, bucket: string, json = false): Promise<void> {
  const jobs: { readonly status: Summary; readonly folder: string }[] = [];
  for await (const key of results.list('')) {
    if (!key.endsWith(`/${STATUS}`)) continue;
    const text = await (await results.read(key))?.text();
    if (text !== undefined)
      jobs.push({ status: parse(text), folder: `s3://${bucket}/${key.slice(0, -STATUS.length)}` });
  }
  jobs.sort((one, other) => one.status.startedAt.localeCompare(other.status.startedAt));
  if (json) return console.log(JSON.stringify(jobs));
  if (jobs.length === 0) return console.log('There are no jobs.');
  const table = new Table({ head: ['job', 'state', 'rows', 'files'], style: { head: [], border: [] } });
  table.push(...jobs.map(({ status, folder }) => [status.job, status.state, status.counts.rows, folder]));
  return console.log(table.toString());
}

const parse = (text: string): Summary => JSON.parse(text) as Summary; // the coordinator wrote it
