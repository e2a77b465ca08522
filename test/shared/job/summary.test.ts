import { describe, expect, it } from 'vitest';

import { attempted, rowStatusOf, PENDING } from '../../../shared/job/row-status.ts';
import { newState, type State } from '../../../shared/job/state.ts';
import type { JobState } from '../../../shared/job/job.ts';
import { imbalanceOf, summaryOf, unreachedCode } from '../../../shared/job/summary.ts';

describe('the summary of a job', () => {
  it('says everything that stands in summary.json', () => {
    const rowStatuses = [
      rowStatusOf('changed'),
      rowStatusOf('unchanged'),
      attempted(rowStatusOf('unchanged')),
      rowStatusOf('failed', 'USER_NOT_FOUND'),
      rowStatusOf('failed', 'USER_NOT_FOUND'),
      rowStatusOf('invalid', 'CONTRADICTION'),
      rowStatusOf('unprocessed', 'DUPLICATE'),
    ];

    const summary = summaryOf(
      stateOf({ state: 'completed', rowStatuses, revision: 2, finishedAt: '2026-11-21T08:05:00.000Z' }),
    );

    expect(JSON.parse(JSON.stringify(summary))).toEqual({
      version: 1,
      job: 'leavers-0123456789ab',
      revision: 2,
      target: 'acme',
      operation: 'suspend',
      state: 'completed',
      manifest: {
        key: 'acme/suspend/leavers.csv',
        versionId: 'v1',
        bytes: 1234,
        encoding: 'utf-8',
        delimiter: ';',
        carriedColumns: ['Department'],
      },
      counts: { rows: 7, changed: 2, unchanged: 1, failed: 2, invalid: 1, unprocessed: 1 },
      codes: { USER_NOT_FOUND: 2, CONTRADICTION: 1, DUPLICATE: 1 },
      calls: { sent: 9, rateLimited: 2, retried: 1, perRow: 1.29 },
      startedAt: '2026-11-21T08:00:00.000Z',
      finishedAt: '2026-11-21T08:05:00.000Z',
    });
  });

  it.each(['validating', 'running', 'paused'] as const)(
    'counts rows without an outcome only among all rows while the job is %s',
    (state) => {
      const { counts, codes } = summaryOf(
        stateOf({ state, rowStatuses: [PENDING, attempted(PENDING), rowStatusOf('changed')] }),
      );

      expect(counts).toEqual({ rows: 3, changed: 1, unchanged: 0, failed: 0, invalid: 0, unprocessed: 0 });
      expect(codes).toEqual({});
    },
  );

  it.each([
    ['halted', 'UNAUTHORIZED', 'HALTED'],
    ['cancelled', undefined, 'CANCELLED'],
    ['cancelled', 'UNAUTHORIZED', 'CANCELLED'],
    ['cancelled', 'HALTED', 'CANCELLED'],
    ['cancelled', 'EXPIRED', 'EXPIRED'],
    ['cancelled', 'NOT_APPROVED', 'NOT_APPROVED'],
    ['broken', undefined, 'LOST'],
  ] as const)('in a job that was %s for %s, rows without an outcome are unprocessed, %s', (state, code, expected) => {
    const halt = code && { code, message: 'Because.' };

    const summary = summaryOf(
      stateOf({ state, halt, rowStatuses: [PENDING, rowStatusOf('changed'), attempted(PENDING)] }),
    );

    expect(summary.counts).toEqual({ rows: 3, changed: 1, unchanged: 0, failed: 0, invalid: 0, unprocessed: 2 });
    expect(summary.codes).toEqual({ [expected]: 2 });
    expect(summary.halt).toEqual(halt);
  });

  it('calls a completed job broken when one of its rows has no outcome, and says which figures', () => {
    const summary = summaryOf(stateOf({ state: 'completed', rowStatuses: [PENDING, rowStatusOf('changed')] }));

    expect(summary.state).toBe('broken');
    expect(summary.problems?.map(({ message }) => message)).toEqual([
      expect.stringContaining('2 rows, but changed 1 + unchanged 0 + failed 0 + invalid 0 + unprocessed 0 = 1'),
    ]);
  });

  it('gives the problems of a refused manifest', () => {
    const problems = [{ line: 3, message: 'A quote is opened and never closed.' }, { message: 'No header.' }];

    const summary = summaryOf(stateOf({ state: 'rejected', problems, manifest: undefined }));

    expect(summary.problems).toEqual(problems);
    expect(summary.manifest).toMatchObject({ bytes: 1234, carriedColumns: [] });
  });
});

describe('rows that were not reached', () => {
  it.each(['validating', 'running', 'paused', 'completed', 'rejected'] as const)(
    'have no code in a job that is %s',
    (state) => {
      expect(unreachedCode({ state })).toBeUndefined();
    },
  );
});

describe('promise 1, conservation,', () => {
  it.each([
    [{ rows: 5, changed: 1, unchanged: 1, failed: 1, invalid: 1, unprocessed: 1 }, true],
    [{ rows: 0, changed: 0, unchanged: 0, failed: 0, invalid: 0, unprocessed: 0 }, true],
    [{ rows: 1, changed: 1, unchanged: 1, failed: 0, invalid: 0, unprocessed: 0 }, false],
    [{ rows: 2, changed: 1, unchanged: 0, failed: 0, invalid: 0, unprocessed: 0 }, false],
  ])('of %o holds: %s', (counts, holds) => {
    expect(imbalanceOf(counts) === undefined).toBe(holds);
  });
});

function stateOf({
  rowStatuses = [],
  ...rest
}: Partial<Omit<State, 'rowStatuses'>> & { state: JobState; rowStatuses?: number[] }): State {
  const job = {
    id: 'leavers-0123456789ab',
    target: 'acme',
    operation: 'suspend',
    manifest: { bucket: 'inbox', key: 'acme/suspend/leavers.csv', versionId: 'v1', bytes: 1234 },
    startedAt: '2026-11-21T08:00:00.000Z',
  };
  return {
    ...newState(job, 0),
    rows: rowStatuses.length,
    manifest: { encoding: 'utf-8', delimiter: ';', carriedColumns: ['Department'] },
    rowStatuses: Uint8Array.from(rowStatuses),
    calls: { sent: 9, rateLimited: 2, retried: 1 },
    revision: 1,
    ...rest,
  };
}
