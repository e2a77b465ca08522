import { setTimeout as sleep } from 'node:timers/promises';

import {
  hasEnded,
  hasFailed,
  hasStopped,
  isWaiting,
  type Job,
  type JobState,
  WHERE_IDS_ARE,
} from '../shared/job/job.ts';
import { jobHash, resultsPrefix, stateKey } from '../shared/job/keys.ts';
import { readState, type State } from '../shared/job/state.ts';
import type { Summary } from '../shared/job/summary.ts';
import type { ObjectStore } from '../shared/ports.ts';
import { CommandFailed } from './failures.ts';
import { openResults, type Pipeline } from './pipeline.ts';

const READ_EVERY_MS = 200;
/** As long as a batch of rows may take. */
const STOP_WITHIN_MS = 30_000;

/** A job as it stands, and the folder of its files. */
export interface FoundJob {
  readonly job: Job;
  readonly state: JobState;
  readonly prefix: string;
}

/** A job by its id, or by the beginning or the end of its id where that is no other job's; throws CommandFailed when there is none. */
export async function findJob(results: ObjectStore, idOrPart: string): Promise<FoundJob> {
  const found =
    (await readIfNamed(results, idOrPart)) ?? (await readIfNamed(results, await completeId(results, idOrPart)));
  if (!found) throw new CommandFailed(`There is no job ${idOrPart}. ${WHERE_IDS_ARE}`);
  const { job, state } = found;
  return { job, state, prefix: resultsPrefix(job) };
}

const readIfNamed = (results: ObjectStore, id: string | undefined): Promise<State | undefined> =>
  id === undefined || id === '' ? Promise.resolve(undefined) : readState(results, id);

/** Fewer would name a job by chance. */
const PART_CHARACTERS = 4;
const SHOWN_JOBS = 3;

/** The one id that begins or ends so; throws CommandFailed where there are several. */
async function completeId(results: ObjectStore, part: string): Promise<string | undefined> {
  if (part.length < PART_CHARACTERS) return undefined;
  const ids = new Set<string>();
  for await (const key of results.list('jobs/')) {
    const [, jobId = ''] = key.split('/');
    if (jobHash(jobId) === part) return jobId;
    if (key === stateKey(jobId) && (jobId.startsWith(part) || jobId.endsWith(part))) ids.add(jobId);
  }
  if (ids.size <= 1) return [...ids][0];
  const shown = [...ids].slice(0, SHOWN_JOBS).join(', ');
  throw new CommandFailed(
    `${ids.size} jobs begin or end with ${part}: ${shown}${ids.size > SHOWN_JOBS ? ' and others' : ''}. ${WHERE_IDS_ARE}`,
  );
}

/** Finds a job where the results bucket is known, so that a mistyped id fails at once; else `undefined`. */
export const checkJob = async (pipeline: Pipeline, idOrPart: string): Promise<FoundJob | undefined> =>
  pipeline.resultsBucket === undefined ? undefined : findJob(openResults(pipeline), idOrPart);

export interface FollowOptions {
  readonly results: ObjectStore;
  /** The folders that the job's files may be in. */
  readonly prefixes: readonly string[];
  /** Gets each new status. */
  readonly onStatus?: (status: Summary) => void;
  readonly signal?: AbortSignal;
  /** Only a report of a later revision than this counts. */
  readonly after?: number;
  /** Whether a job in this state is followed no further; when it has stopped, unless given. */
  readonly isOver?: (state: JobState) => boolean;
}

/** How a job ended that was followed, and the folder of its files. */
export interface Followed {
  readonly summary: Summary;
  readonly prefix: string;
}

/** Follows a job until it waits for a person, is halted or has ended, and the report of that is written. */
export async function followJob({
  results,
  prefixes,
  onStatus,
  signal,
  after = 0,
  isOver = hasStopped,
}: FollowOptions): Promise<Followed> {
  const etags = new Map<string, string>();
  for (;;) {
    for (const prefix of prefixes) {
      const status = await readIfNew(results, `${prefix}status.json`, etags);
      if (status) onStatus?.(status);
      const summary = await readIfNew(results, `${prefix}summary.json`, etags);
      if (summary && isOver(summary.state) && summary.revision > after) return { summary, prefix };
    }
    await sleep(READ_EVERY_MS, undefined, { signal });
  }
}

async function readIfNew(results: ObjectStore, key: string, etags: Map<string, string>): Promise<Summary | undefined> {
  const known = etags.get(key);
  const object = known === undefined ? await results.read(key) : await results.readIfChanged(key, known);
  if (object === undefined || object === 'unchanged') return undefined;
  etags.set(key, object.etag);
  return JSON.parse(await object.text()) as Summary; // the coordinator or the reporter wrote it
}

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
    // A command to a job that is not known yet is dropped.
    while (!(await readState(results, jobId))) await sleep(READ_EVERY_MS, undefined, { signal });
    await inbox.write(`control/${jobId}/cancel`, '');
    return await followJob({ results, prefixes, signal, isOver: hasEnded });
  } catch (cause) {
    if (!signal.aborted) throw cause;
    throw new CommandFailed(
      `${jobId} did not stop within ${STOP_WITHIN_MS / 1_000} s, so there is no report. Run the file again: rows that are done come out unchanged.`,
      { cause },
    );
  }
}

/** Counts the rows of a job that have an outcome. */
export const countSettled = ({ counts }: Summary): number =>
  counts.changed + counts.unchanged + counts.failed + counts.invalid + counts.unprocessed;

/** The exit code of a job's end: 0 every row is as the file asks (or, in a dry run, none is refused), 1 it could not run, 2 some row is not, 3 it waits. */
export function exitCodeOf({ state, counts, codes }: Summary): 0 | 1 | 2 | 3 {
  if (hasFailed(state)) return 1;
  if (isWaiting(state)) return 3;
  const repeats = (codes.DUPLICATE ?? 0) + (codes.DRY_RUN ?? 0);
  return counts.failed + counts.invalid + counts.unprocessed - repeats === 0 ? 0 : 2;
}
