import { expect, it } from 'vitest';

import { describeSummary } from '../../cli/show.ts';
import type { Summary } from '../../shared/job/summary.ts';

it('says what became of the rows, which columns were not read, and what to do about each code', () => {
  const carriedColumns = Array.from({ length: 12 }, (_, index) => `Column ${index}`);

  expect(describeSummary(summaryOf({ rows: 3, changed: 2, failed: 1 }, carriedColumns))).toBe(
    [
      'leavers-1: completed. 3 rows: 2 changed, 1 failed.',
      `  Columns copied to the report without being used: ${carriedColumns.slice(0, 10).join(', ')} and 2 more.`,
      '  1 × USER_NOT_FOUND: Check the account id or e-mail address; invite the user first if they are new.',
    ].join('\n'),
  );
});

it('says that a manifest has a header alone', () => {
  expect(describeSummary(summaryOf({}))).toBe(
    'leavers-1: completed. 0 rows.\n  The file has no rows below its header.',
  );
});

function summaryOf(counts: Partial<Summary['counts']>, carriedColumns: readonly string[] = []): Summary {
  return {
    version: 1,
    job: 'leavers-1',
    revision: 1,
    target: 'cloud',
    operation: 'suspend',
    state: 'completed',
    manifest: { key: 'cloud/suspend/leavers.csv', bytes: 1, carriedColumns },
    counts: { rows: 0, changed: 0, unchanged: 0, failed: 0, invalid: 0, unprocessed: 0, ...counts },
    codes: counts.failed === undefined ? {} : { USER_NOT_FOUND: counts.failed },
    calls: { sent: 0, rateLimited: 0, retried: 0, perRow: 0 },
    startedAt: '2026-01-01T00:00:00.000Z',
  };
}
