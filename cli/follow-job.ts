import { setTimeout as sleep } from 'node:timers/promises';

import { hasStopped } from '../shared/job/job.ts';
import type { Summary } from '../shared/job/summary.ts';
import type { ObjectStore } from '../shared/ports.ts';

const LOOK_EVERY_MS = 200;

export interface FollowOptions {
  readonly results: ObjectStore;
  /** The folders where the job's files may come to lie. */
  readonly prefixes: readonly string[];
  /** Told of each new status. */
  readonly onStatus?: (status: Summary) => void;
  readonly signal?: AbortSignal;
}

/** What became of a job that was followed, and where its files are. */
export interface Followed {
  readonly summary: Summary;
  readonly prefix: string;
}

/** Follows a job until it has stopped and its report is written, or until it waits for a person. */
export async function followJob({ results, prefixes, onStatus, signal }: FollowOptions): Promise<Followed> {
  const etags = new Map<string, string>();
  for (;;) {
    for (const prefix of prefixes) {
      const status = await readIfNew(results, `${prefix}status.json`, etags);
      if (status) onStatus?.(status);
      if (status?.state === 'waiting') return { summary: status, prefix };
      const summary = await readIfNew(results, `${prefix}summary.json`, etags);
      if (summary && hasStopped(summary.state)) return { summary, prefix };
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

async function readIfNew(results: ObjectStore, key: string, etags: Map<string, string>): Promise<Summary | undefined> {
  const known = etags.get(key);
  const object = known === undefined ? await results.read(key) : await results.readIfChanged(key, known);
  if (object === undefined || object === 'unchanged') return undefined;
  etags.set(key, object.etag);
  return JSON.parse(await object.text()) as Summary; // the coordinator or the reporter wrote it
}

/** Rows of a job that have an outcome. */
export const settledRows = ({ counts }: Summary): number =>
  counts.changed + counts.unchanged + counts.failed + counts.invalid + counts.unprocessed;

/** The exit code that tells how a job ended: 0 all is as the rows want it, 1 it could not run, 2 some row is not, 3 it waits. */
export function exitCodeOf({ state, counts, codes }: Summary): 0 | 1 | 2 | 3 {
  if (state === 'waiting') return 3;
  if (state === 'rejected' || state === 'broken') return 1;
  const repeats = codes.DUPLICATE ?? 0;
  return counts.failed + counts.invalid + counts.unprocessed - repeats === 0 ? 0 : 2;
}
