import { setTimeout as sleep } from 'node:timers/promises';

import { isStored } from '../shared/is-stored.ts';
import { stateKey } from '../shared/job/keys.ts';
import type { ObjectStore } from '../shared/ports.ts';
import { CommandFailed } from './failure.ts';
import { followJob, type Followed } from './follow-job.ts';

const LOOK_EVERY_MS = 200;
/** As long as a batch of rows may take. */
const STOP_WITHIN_MS = 30_000;

/** Cancels a job and follows it to its report; throws CommandFailed when there is none after half a minute. */
export async function stopJob(job: {
  readonly inbox: ObjectStore;
  readonly results: ObjectStore;
  readonly jobId: string;
  readonly prefixes: readonly string[];
}): Promise<Followed> {
  const { inbox, results, jobId, prefixes } = job;
  const signal = AbortSignal.timeout(STOP_WITHIN_MS);
  try {
    // What is asked of a job that is not known yet is dropped.
    while (!(await isStored(results, stateKey(jobId)))) await sleep(LOOK_EVERY_MS, undefined, { signal });
    await inbox.write(`control/${jobId}/cancel`, '');
    return await followJob({ results, prefixes, signal });
  } catch (cause) {
    if (!signal.aborted) throw cause;
    throw new CommandFailed(
      `${jobId} did not stop within ${STOP_WITHIN_MS / 1_000} s, so it has no report. Drop the file in again: rows that are done come out unchanged.`,
      { cause },
    );
  }
}
