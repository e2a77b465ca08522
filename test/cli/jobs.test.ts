import { expect, it } from 'vitest';

import { exitCodeOf, followJob } from '../../cli/jobs.ts';
import type { Summary } from '../../shared/job/summary.ts';
import { memoryObjectStore } from '../fakes/memory-object-store.ts';

const NONE = { rows: 3, changed: 0, unchanged: 0, failed: 0, invalid: 0, unprocessed: 0 };

it.each<[string, Partial<Summary>, number]>([
  ['every row is changed or was so already', { counts: { ...NONE, changed: 2, unchanged: 1 } }, 0],
  ['the rest are repeats', { counts: { ...NONE, changed: 1, unprocessed: 2 }, codes: { DUPLICATE: 2 } }, 0],
  ['the file has no rows', { counts: { ...NONE, rows: 0 } }, 0],
  ['a row failed', { counts: { ...NONE, changed: 2, failed: 1 }, codes: { USER_NOT_FOUND: 1 } }, 2],
  ['a row is invalid', { counts: { ...NONE, changed: 2, invalid: 1 }, codes: { INVALID_ROW: 1 } }, 2],
  ['rows were not reached', { state: 'cancelled', counts: { ...NONE, unprocessed: 3 }, codes: { CANCELLED: 3 } }, 2],
  ['it was halted', { state: 'halted', counts: { ...NONE, unprocessed: 3 }, codes: { HALTED: 3 } }, 2],
  [
    'a dry run would refuse nothing',
    { mode: 'dry-run', counts: { ...NONE, unchanged: 1, unprocessed: 2 }, codes: { DRY_RUN: 2 } },
    0,
  ],
  [
    'a dry run would refuse a row',
    { mode: 'dry-run', counts: { ...NONE, failed: 1, unprocessed: 2 }, codes: { DRY_RUN: 2, PROTECTED: 1 } },
    2,
  ],
  ['it waits for approval', { state: 'waiting', counts: { ...NONE, unprocessed: 3 }, codes: { NOT_APPROVED: 3 } }, 3],
  ['the file was refused', { state: 'rejected', counts: { ...NONE, rows: 0 } }, 1],
  ['rows are unaccounted for', { state: 'broken', counts: NONE }, 1],
])('exits as documented when %s', (_what, summary, code) => {
  expect(exitCodeOf({ ...completed, ...summary })).toBe(code);
});

it('tells of each status, and ends with the summary of a job that has stopped', async () => {
  const results = memoryObjectStore({
    'cloud/suspend/j/status.json': JSON.stringify({ ...completed, state: 'running' }),
  });
  const states: string[] = [];

  const following = followJob({
    results,
    prefixes: ['cloud/suspend/j/', 'rejected/j/'],
    onStatus: ({ state }) => {
      states.push(state);
      void results.write('cloud/suspend/j/summary.json', JSON.stringify(completed));
    },
  });

  expect(await following).toEqual({ summary: completed, prefix: 'cloud/suspend/j/' });
  expect(states).toEqual(['running']);
});

it('ends with a job that waits for approval, and after that with the summary that is asked for', async () => {
  const waiting = { ...completed, state: 'waiting' as const };
  const results = memoryObjectStore({ 'cloud/suspend/j/summary.json': JSON.stringify(waiting) });
  const prefixes = ['cloud/suspend/j/'];

  expect(await followJob({ results, prefixes })).toEqual({ summary: waiting, prefix: 'cloud/suspend/j/' });

  const following = followJob({ results, prefixes, after: 1 });
  await results.write('cloud/suspend/j/summary.json', JSON.stringify({ ...completed, revision: 2 }));
  expect((await following).summary).toMatchObject({ state: 'completed', revision: 2 });
});

it('finds the report of a file whose key named no known target', async () => {
  const rejected = { ...completed, state: 'rejected' as const };
  const results = memoryObjectStore({ 'rejected/j/summary.json': JSON.stringify(rejected) });

  const { prefix } = await followJob({ results, prefixes: ['cloud/suspend/j/', 'rejected/j/'] });

  expect(prefix).toBe('rejected/j/');
});

const completed: Summary = {
  version: 2,
  job: 'j',
  revision: 1,
  target: 'cloud',
  operation: 'suspend',
  mode: 'apply',
  state: 'completed',
  manifest: { key: 'cloud/suspend/j.csv', bytes: 1, carriedColumns: [] },
  counts: NONE,
  codes: {},
  calls: { sent: 0, rateLimited: 0, retried: 0, perRow: 0 },
  actors: [],
  startedAt: '2026-01-01T00:00:00.000Z',
};
