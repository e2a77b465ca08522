import { CODES } from '../../shared/job/outcome.ts';
import type { Summary } from '../../shared/job/summary.ts';

/** A job of nineteen rows that has ended. */
export const COMPLETED: Summary = {
  version: 2,
  job: 'team-changes-1b5fa10c2d3e',
  revision: 1,
  target: 'prod',
  operation: 'membership',
  mode: 'apply',
  state: 'completed',
  reason: 'CHG-1234: the autumn moves',
  manifest: {
    key: 'prod/membership/team-changes.csv',
    bytes: 1_234,
    encoding: 'utf-8',
    carriedColumns: ['Department'],
  },
  plan: { hash: 'c0ffee'.repeat(10), change: 14, unchanged: 1, failed: 3, invalid: 1, codes: {}, seats: { jira: 3 } },
  counts: { rows: 19, changed: 12, unchanged: 1, failed: 4, invalid: 1, unprocessed: 1 },
  codes: { USER_NOT_FOUND: 4, INVALID_ROW: 1 },
  failures: [
    { code: 'USER_NOT_FOUND', rows: 4, lines: [3, 7, 9, 14], remedy: CODES.USER_NOT_FOUND.remedy },
    { code: 'INVALID_ROW', rows: 1, lines: [17], remedy: CODES.INVALID_ROW.remedy },
  ],
  calls: { sent: 22, rateLimited: 2, retried: 0, perRow: 1.16 },
  actors: [{ action: 'upload', principal: 'AIDAEXAMPLE', at: '2026-11-27T09:00:00.000Z' }],
  startedAt: '2026-11-27T09:00:00.000Z',
  finishedAt: '2026-11-27T09:01:30.000Z',
};

/** One that waits. */
export const WAITING: Summary = {
  ...COMPLETED,
  operation: 'suspend',
  state: 'waiting',
  counts: { rows: 60, changed: 0, unchanged: 0, failed: 0, invalid: 0, unprocessed: 60 },
  plan: { hash: 'decade'.repeat(10), change: 60, unchanged: 0, failed: 0, invalid: 0, codes: {}, seats: undefined },
  waiting: {
    since: '2026-11-27T09:00:05.000Z',
    reasons: [
      { code: 'APPROVAL_REQUIRED', message: '60 changes, and more than 50 need approval.' },
      { code: 'TOO_MANY_PEOPLE', message: 'The job takes access away from 60 people.' },
    ],
  },
  failures: [],
};

/** One that is applied. */
export const RUNNING: Summary = {
  ...COMPLETED,
  state: 'running',
  counts: { rows: 3_000, changed: 1_200, unchanged: 0, failed: 0, invalid: 0, unprocessed: 0 },
  failures: undefined,
  finishedAt: undefined,
};
