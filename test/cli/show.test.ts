import { expect, it } from 'vitest';

import { describeSummary, tabulateSummaries } from '../../cli/show.ts';
import type { Summary } from '../../shared/job/summary.ts';

it('says what became of the rows, which columns were not read, and what to do about each code, in 100 columns', () => {
  const carriedColumns = Array.from({ length: 12 }, (_, index) => `Column ${index}`);

  expect(describeSummary(summaryOf({ rows: 3, changed: 2, failed: 1 }, { carriedColumns }))).toBe(
    [
      'leavers-1: completed. 3 rows: 2 changed, 1 failed.',
      '  Columns copied to the report without being used: Column 0, Column 1, Column 2, Column 3, Column 4,',
      '    Column 5, Column 6, Column 7, Column 8, Column 9 and 2 more.',
      '  1 × USER_NOT_FOUND: Check the account id or e-mail address; invite the user first if they are new.',
    ].join('\n'),
  );
});

it('shows the plan of a job that waits, and why it waits, in 100 columns', () => {
  const shown = describeSummary(
    summaryOf(
      { rows: 64, failed: 1, unchanged: 3, unprocessed: 60 },
      {
        state: 'waiting',
        plan: {
          hash: 'c0ffee'.padEnd(64, '0'),
          change: 60,
          unchanged: 3,
          failed: 1,
          invalid: 0,
          codes: { USER_NOT_FOUND: 1 },
          seats: { 'jira-software': -60 },
        },
        waiting: {
          since: '2026-01-01T00:01:00.000Z',
          reasons: [
            { code: 'APPROVAL_REQUIRED', message: 'It would suspend 60 people, more than the 50 that need none.' },
          ],
        },
      },
    ),
  );

  expect(shown).toBe(
    [
      'leavers-1: waiting. 64 rows: 3 unchanged, 1 failed, 60 unprocessed.',
      '  Plan: 60 to change, 3 unchanged, 1 failed. Its hash is',
      '    c0ffee0000000000000000000000000000000000000000000000000000000000.',
      '  Seats: -60 jira-software.',
      '  Waits since 2026-01-01T00:01:00.000Z; plan.csv shows each row. It waits because of:',
      '  APPROVAL_REQUIRED: It would suspend 60 people, more than the 50 that need none.',
      '  1 × USER_NOT_FOUND: Check the account id or e-mail address; invite the user first if they are new.',
    ].join('\n'),
  );
});

it('shows some of the changes as who, before and after, each on one line of 100 columns', () => {
  const more = { hash: 'c0ffee', change: 8, unchanged: 0, failed: 0, invalid: 0, codes: {} };
  const changes = [
    { line: 2, who: 'ann@example.com', before: 'access: active', after: 'access: suspended' },
    { line: 3, who: 'ben, R&D', before: 'account status: active', after: 'account status: inactive; message: bye' },
    { line: 11, who: 'eve@example.com', before: '', after: 'access: active' },
    { line: 12, who: `\u001B[31m${'x'.repeat(120)}`, before: 'access: active', after: 'access: suspended' },
  ];

  const lines = describeSummary(summaryOf({ rows: 8 }, { plan: more }), changes).split('\n');

  expect(lines.slice(2)).toEqual([
    '    line  2  ann@example.com: access: active -> suspended',
    '    line  3  ben, R&D: account status: active -> account status: inactive; message: bye',
    '    line 11  eve@example.com: nothing -> access: active',
    `    line 12   [31m${'x'.repeat(81)}…`,
    '    and 4 more, which plan.csv lists',
  ]);
  expect(lines.every((line) => line.length <= 100)).toBe(true);
});

it('puts jobs side by side in 100 columns', () => {
  const other = { target: 'data-center', operation: 'membership' };

  const lines = tabulateSummaries([summaryOf({ rows: 19, changed: 12 }, other), summaryOf({})]).split('\n');

  expect(lines).toHaveLength(5);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
});

it('breaks no word, however long', () => {
  const message = `Look at ${'x'.repeat(150)} and upload it again.`;

  const lines = describeSummary(summaryOf({}, { problems: [{ message }] })).split('\n');

  expect(lines.slice(-3)).toEqual(['  Look at', `    ${'x'.repeat(150)}`, '    and upload it again.']);
});

it('says that nothing was changed in a dry run', () => {
  expect(describeSummary(summaryOf({ rows: 1, unchanged: 1 }, { mode: 'dry-run' }))).toBe(
    'leavers-1: completed (dry run). 1 row: 1 unchanged.',
  );
});

it('says that a manifest has a header alone', () => {
  expect(describeSummary(summaryOf({}))).toBe(
    'leavers-1: completed. 0 rows.\n  The file has no rows below its header.',
  );
});

function summaryOf(
  counts: Partial<Summary['counts']>,
  { carriedColumns = [], ...more }: Partial<Summary> & { readonly carriedColumns?: readonly string[] } = {},
): Summary {
  return {
    version: 2,
    job: 'leavers-1',
    revision: 1,
    target: 'cloud',
    operation: 'suspend',
    mode: 'apply',
    actors: [],
    state: 'completed',
    manifest: { key: 'cloud/suspend/leavers.csv', bytes: 1, carriedColumns },
    counts: { rows: 0, changed: 0, unchanged: 0, failed: 0, invalid: 0, unprocessed: 0, ...counts },
    codes: counts.failed === undefined ? {} : { USER_NOT_FOUND: counts.failed },
    calls: { sent: 0, rateLimited: 0, retried: 0, perRow: 0 },
    startedAt: '2026-01-01T00:00:00.000Z',
    ...more,
  };
}
