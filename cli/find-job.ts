import type { Job } from '../shared/job/job.ts';
import { resultsPrefix, stateKey } from '../shared/job/keys.ts';
import { parseState } from '../shared/job/state.ts';
import type { ObjectStore } from '../shared/ports.ts';
import { CommandFailed } from './failure.ts';

/** A job by its id, and the folder of its files; throws CommandFailed when there is none. */
export async function findJob(
  results: ObjectStore,
  jobId: string,
): Promise<{ readonly job: Job; readonly prefix: string }> {
  const stored = await results.read(stateKey(jobId));
  if (!stored) {
    throw new CommandFailed(
      `There is no job ${jobId}. Its id stands in the name of its folder in the results bucket, and in summary.json.`,
    );
  }
  const { job } = parseState(await stored.text());
  return { job, prefix: resultsPrefix(job) };
}
