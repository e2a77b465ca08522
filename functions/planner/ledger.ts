import * as z from 'zod';

import { inParallel } from '../../shared/in-parallel.ts';
import { hasEnded, isWaiting, type Job } from '../../shared/job/job.ts';
import { sameFilePrefix, sameFileTurnKey, takesPrefix } from '../../shared/job/keys.ts';
import { readState, type State } from '../../shared/job/state.ts';
import { summaryOf } from '../../shared/job/summary.ts';
import { type ObjectStore, writeIf } from '../../shared/ports.ts';

const READS_UNDER_WAY = 10;

/**
 * Notes that a job has a manifest of these bytes, and gives the job with the same that must be done before. Whichever asks first
 * has its turn until it has ended: the first upload may be the last to be validated.
 */
export async function findCopyBefore(job: Job, sha256: string, results: ObjectStore): Promise<State | undefined> {
  if (job.options.dryRun) return undefined;
  const key = sameFileTurnKey(job, sha256);
  const stored = await results.read(key);
  const holder = await stored?.text();
  if (holder === job.id) return undefined;
  const other = holder === undefined ? undefined : await readState(results, holder);
  if (other && !hasEnded(other.state)) return other;
  await results.write(`${sameFilePrefix(job, sha256)}${job.id}`, '');
  await writeIf(results, key, job.id, stored ? { ifMatch: stored.etag } : { ifNoneMatch: '*' });
  return findCopyBefore(job, sha256, results); // another copy may have been faster
}

const isBefore = (one: Job, other: Job): boolean =>
  one.startedAt === other.startedAt ? one.id < other.id : one.startedAt < other.startedAt;

/** The job that had the same manifest for the same target and operation, and changed rows by it. */
export async function findRepeated(job: Job, sha256: string, results: ObjectStore): Promise<State | undefined> {
  const copies = await readJobs(sameFilePrefix(job, sha256), job.id, results);
  return copies.find((copy) => copy.appliedAt !== undefined && summaryOf(copy).counts.changed > 0);
}

async function readJobs(prefix: string, ownId: string, results: ObjectStore): Promise<readonly State[]> {
  const ids: string[] = [];
  for await (const key of results.list(prefix)) ids.push(key.slice(prefix.length));
  const others = ids.filter((id) => id !== ownId);
  const states: State[] = [];
  await inParallel(others, READS_UNDER_WAY, async (id) => {
    const state = await readState(results, id);
    if (state) states.push(state);
  });
  return states.toSorted((one, other) => (isBefore(one.job, other.job) ? -1 : 1));
}

const takesSchema = z.object({ takes: z.int().nonnegative(), at: z.string() });

const DAY_MS = 86_400_000;

/** Notes of how many people a job would take access away, or rename, and gives of how many the target's other jobs did within 24 hours, or may yet. */
export async function countTakesWithinDay(
  { id, target }: Job,
  takes: number,
  nowMs: number,
  results: ObjectStore,
): Promise<number> {
  const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
  const today = takesPrefix(target, dayOf(nowMs));
  if (takes > 0) await results.write(`${today}${id}`, JSON.stringify({ takes, at: new Date(nowMs).toISOString() }));
  const keys: string[] = [];
  for (const prefix of [today, takesPrefix(target, dayOf(nowMs - DAY_MS))])
    for await (const key of results.list(prefix)) if (!key.endsWith(`/${id}`)) keys.push(key);
  let sum = 0;
  await inParallel(keys, READS_UNDER_WAY, async (key) => {
    const stored = await results.read(key);
    const noted = stored && takesSchema.parse(JSON.parse(await stored.text()));
    if (!noted || nowMs - Date.parse(noted.at) > DAY_MS) return;
    const state = await readState(results, key.slice(key.lastIndexOf('/') + 1));
    if (state && counts(state)) sum += noted.takes;
  });
  return sum;
}

/** What has ended without being applied, or waits for a person, takes nothing. */
const counts = ({ state, appliedAt }: State): boolean =>
  appliedAt !== undefined || !(hasEnded(state) || isWaiting(state));
