import type { Job, JobState } from '../shared/job/job.ts';
import { jobHash } from '../shared/job/job-id.ts';
import { resultsPrefix, stateKey } from '../shared/job/keys.ts';
import { parseState } from '../shared/job/state.ts';
import type { ObjectStore } from '../shared/ports.ts';
import { resultsOf, type Access } from './access.ts';
import { CommandFailed } from './failure.ts';

/** A job as it stands, and the folder of its files. */
export interface FoundJob {
  readonly job: Job;
  readonly state: JobState;
  readonly prefix: string;
}

/** A job by its id, or by the id's end as logs show it; throws CommandFailed when there is none. */
export async function findJob(results: ObjectStore, idOrEnd: string): Promise<FoundJob> {
  const key = stateKey(idOrEnd);
  const stored = await results.read(/^[0-9a-f]{12}$/.test(idOrEnd) ? ((await keyByEnd(results, idOrEnd)) ?? key) : key);
  if (!stored) {
    throw new CommandFailed(
      `There is no job ${idOrEnd}. \`status\` without an id lists the jobs there are; an id stands in the name of a job's folder in the results bucket, too.`,
    );
  }
  const { job, state } = parseState(await stored.text());
  return { job, state, prefix: resultsPrefix(job) };
}

/** The same where the results can be read, so that a slip in the id is found here rather than nowhere; else `undefined`. */
export const checkJob = async (access: Access, idOrEnd: string): Promise<FoundJob | undefined> =>
  access.resultsBucket === '' ? undefined : findJob(resultsOf(access), idOrEnd);

async function keyByEnd(results: ObjectStore, end: string): Promise<string | undefined> {
  for await (const key of results.list('jobs/')) {
    const [, jobId = ''] = key.split('/');
    if (jobHash(jobId) === end) return stateKey(jobId);
  }
  return undefined;
}
