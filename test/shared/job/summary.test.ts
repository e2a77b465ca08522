import { describe, expect, it } from 'vitest';

import { attempted, rowStatusOf, PENDING } from '../../../shared/job/row-status.ts';
import { newState, type GateSummary, type State } from '../../../shared/job/state.ts';
import type { JobState } from '../../../shared/job/job.ts';
import { CODES, type Outcome } from '../../../shared/job/outcome.ts';
import { countFailures, imbalanceOf, summaryOf, unreachedCode } from '../../../shared/job/summary.ts';

const GATE: GateSummary = {
  sha256: 'd00d',
  atMs: 0,
  hash: 'cafe',
  counts: { change: 3, unchanged: 1, failed: 1, invalid: 1, unprocessed: 1 },
  codes: { USER_NOT_FOUND: 1, DUPLICATE: 1 },
  dependencies: [],
  reasons: [],
  twoPersons: false,
  mode: 'apply',
  takes: 3,
  policy: { above: { takes: 50, gives: 200 } },
};

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
      stateOf({
        state: 'completed',
        rowStatuses,
        revision: 2,
        finishedAt: '2026-11-21T08:05:00.000Z',
        plan: { attempt: 1, chunks: ['f00d'], sinceMs: 0, validated: '', gate: GATE },
      }),
    );

    expect(JSON.parse(JSON.stringify(summary))).toEqual({
      version: 2,
      job: 'leavers-0123456789ab',
      revision: 2,
      target: 'acme',
      operation: 'suspend',
      sender: 'hr',
      mode: 'apply',
      state: 'completed',
      reason: 'Leavers of November',
      manifest: {
        key: 'acme/suspend/from-hr/leavers.csv',
        versionId: 'v1',
        bytes: 1234,
        sha256: 'beef',
        encoding: 'utf-8',
        delimiter: ';',
        carriedColumns: ['Department'],
      },
      policy: { above: { takes: 50, gives: 200 } },
      plan: {
        hash: 'cafe',
        change: 3,
        unchanged: 1,
        failed: 1,
        invalid: 1,
        codes: { USER_NOT_FOUND: 1, DUPLICATE: 1 },
      },
      counts: { rows: 7, changed: 2, unchanged: 1, failed: 2, invalid: 1, unprocessed: 1 },
      codes: { USER_NOT_FOUND: 2, CONTRADICTION: 1, DUPLICATE: 1 },
      calls: { sent: 9, rateLimited: 2, retried: 1, perRow: 1.29 },
      actors: [{ action: 'upload', principal: 'AWS:AIDAEXAMPLE', at: '2026-11-21T08:00:00.000Z' }],
      startedAt: '2026-11-21T08:00:00.000Z',
      finishedAt: '2026-11-21T08:05:00.000Z',
    });
  });

  it('says why a job waits and since when, and only while it does', () => {
    const waitReasons = [{ code: 'APPROVAL_REQUIRED', message: '60 people would be suspended.' }] as const;
    const stateSinceMs = Date.parse('2026-11-21T08:01:00.000Z');

    const waiting = summaryOf(stateOf({ state: 'waiting', waitReasons, stateSinceMs }));
    const cancelled = summaryOf(stateOf({ state: 'cancelled', waitReasons, stateSinceMs }));

    expect(waiting.waiting).toEqual({ reasons: waitReasons, since: '2026-11-21T08:01:00.000Z' });
    expect(cancelled.waiting).toBeUndefined();
  });

  it('calls a job a dry run as soon as its file asks for one, and one that its policy makes one once it is planned', () => {
    const asked = stateOf({ state: 'planning' });
    const plan = {
      attempt: 1,
      chunks: ['f00d'],
      sinceMs: 0,
      validated: '',
      gate: { ...GATE, mode: 'dry-run' },
    } as const;

    expect(summaryOf({ ...asked, job: { ...asked.job, options: { dryRun: true } } }).mode).toBe('dry-run');
    expect(summaryOf(asked).mode).toBe('apply');
    expect(summaryOf({ ...asked, plan }).mode).toBe('dry-run');
  });

  it('says of seats only where something is known', () => {
    const gate = { ...GATE, seats: { 'jira-software': -3 } };

    const { plan } = summaryOf(
      stateOf({ state: 'completed', plan: { attempt: 1, chunks: [], sinceMs: 0, validated: '', gate } }),
    );

    expect(plan?.seats).toEqual({ 'jira-software': -3 });
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
    ['broken', undefined, 'NOT_APPLIED'],
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
    sender: 'hr',
    options: { reason: 'Leavers of November' },
    uploadedBy: 'AWS:AIDAEXAMPLE',
    manifest: { bucket: 'inbox', key: 'acme/suspend/from-hr/leavers.csv', versionId: 'v1', bytes: 1234 },
    startedAt: '2026-11-21T08:00:00.000Z',
  };
  return {
    ...newState(job, 0),
    rows: rowStatuses.length,
    manifest: { encoding: 'utf-8', delimiter: ';', carriedColumns: ['Department'], sha256: 'beef' },
    rowStatuses: Uint8Array.from(rowStatuses),
    calls: { sent: 9, rateLimited: 2, retried: 1 },
    revision: 1,
    ...rest,
  };
}

describe('the failures of a report', () => {
  const add = (rows: readonly (readonly [Outcome['status'], Outcome['code'], number])[]) => {
    const failures = countFailures();
    for (const [status, code, line] of rows) failures.add({ status, code, line });
    return failures.total();
  };

  it('are counted by code, most first, with the first ten lines and the remedy', () => {
    const many = Array.from({ length: 12 }, (_, index) => ['failed', 'USER_NOT_FOUND', index + 2] as const);

    expect(add([['invalid', 'INVALID_ROW', 14], ...many])).toEqual([
      {
        code: 'USER_NOT_FOUND',
        rows: 12,
        lines: [2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
        remedy: CODES.USER_NOT_FOUND.remedy,
      },
      { code: 'INVALID_ROW', rows: 1, lines: [14], remedy: CODES.INVALID_ROW.remedy },
    ]);
  });

  it('are rows that were lost, and not those that wait, stopped with their job or repeat another', () => {
    expect(
      add([
        ['unprocessed', 'NOT_APPLIED', 2],
        ['unprocessed', 'HALTED', 3],
        ['unprocessed', 'DUPLICATE', 4],
        ['unchanged', undefined, 5],
        ['changed', undefined, 6],
      ]).map(({ code }) => code),
    ).toEqual(['NOT_APPLIED']);
  });
});
