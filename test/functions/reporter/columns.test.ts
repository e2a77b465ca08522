import { describe, expect, it } from 'vitest';

import { attempted, PENDING, rowStatusOf } from '../../../shared/job/row-status.ts';
import type { MemoryObjectStore } from '../../fakes/memory-object-store.ts';
import { request, start, summaryIn, table } from './start.ts';
import { attempting, change, FOLDER, JOB, noop, outcome, refused } from './stopped-job.ts';

const MANIFEST = 'email\na@x.test\nb@x.test\nc@x.test\nd@x.test\n';

/** A file without its header, each row by the columns that are ours. */
const rowsOf = (results: MemoryObjectStore, file: string, folder = FOLDER) => {
  const [header = [], ...rows] = table(results, file, ',', folder);
  return rows.map((cells) => Object.fromEntries(header.map((name, index) => [name, cells[index]])));
};

describe('plan.csv', () => {
  const plans = [change(0), noop(1), refused(2), change(3)];
  const repeat = outcome({
    row: 3,
    status: 'unprocessed',
    code: 'DUPLICATE',
    message: 'Asks the same as line 2.',
    attempts: 0,
  });
  const rowStatuses = [
    PENDING,
    rowStatusOf('unchanged'),
    rowStatusOf('failed', 'USER_NOT_FOUND'),
    rowStatusOf('unprocessed', 'DUPLICATE'),
  ];
  const planned = { manifest: MANIFEST, plans, given: [repeat], rowStatuses };

  it('of a job that waits says what would become of every row, and what of it changes', async () => {
    const { reporter, results } = start({ ...planned, entries: [], state: { state: 'waiting' } });

    await reporter(request(1));

    const common = { rollcall_operation: 'suspend', rollcall_before: '', rollcall_after: '' };
    expect(rowsOf(results, 'plan.csv')).toEqual([
      {
        ...common,
        email: 'a@x.test',
        rollcall_line: '2',
        rollcall_plan: 'change',
        rollcall_code: '',
        rollcall_message: '',
        rollcall_before: 'access: active',
        rollcall_after: 'access: suspended',
      },
      {
        ...common,
        email: 'b@x.test',
        rollcall_line: '3',
        rollcall_plan: 'unchanged',
        rollcall_code: '',
        rollcall_message: '',
        rollcall_before: 'access: suspended',
        rollcall_after: 'access: suspended',
      },
      {
        ...common,
        email: 'c@x.test',
        rollcall_line: '4',
        rollcall_plan: 'failed',
        rollcall_code: 'USER_NOT_FOUND',
        rollcall_message: expect.stringMatching(/^Nobody has this address\. Check the account id/),
      },
      {
        ...common,
        email: 'd@x.test',
        rollcall_line: '5',
        rollcall_plan: 'unprocessed',
        rollcall_code: 'DUPLICATE',
        rollcall_message: expect.stringMatching(/^Asks the same as line 2\./),
      },
    ]);
    expect(summaryIn(results)).toMatchObject({
      state: 'waiting',
      counts: { rows: 4, changed: 0, unchanged: 1, failed: 1, unprocessed: 2 },
      codes: { NOT_APPROVED: 1, DUPLICATE: 1, USER_NOT_FOUND: 1 },
    });
  });

  it.each([
    [
      'came out',
      'completed',
      [attempting(0), outcome({ row: 0, status: 'failed', code: 'FORBIDDEN' })],
      attempted(rowStatusOf('failed', 'FORBIDDEN')),
    ],
    ['was cancelled before it applied', 'cancelled', [], PENDING],
    ['was a dry run', 'completed', [], rowStatusOf('unprocessed', 'DRY_RUN')],
  ] as const)('says the same however the job %s', async (_how, state, entries, first) => {
    const waiting = start({ ...planned, entries: [], state: { state: 'waiting' } });
    const ended = start({ ...planned, entries, rowStatuses: [first, ...rowStatuses.slice(1)], state: { state } });

    await waiting.reporter(request(1));
    await ended.reporter(request(1));

    expect(summaryIn(ended.results).state).toBe(state);
    expect(table(ended.results, 'plan.csv')).toEqual(table(waiting.results, 'plan.csv'));
  });

  it('shows what was planned until the job was stopped, and of other rows that they were not', async () => {
    const { plan } = start({ ...planned, entries: [] }).state;
    const [first = ''] = plan?.chunks ?? [];
    const { reporter, results } = start({
      ...planned,
      given: [],
      entries: [],
      rowStatuses: [PENDING, PENDING, PENDING, PENDING],
      state: { state: 'cancelled', plan: { attempt: 1, sinceMs: 0, validated: '', chunks: [first, null] } },
    });

    await reporter(request(1));

    expect(rowsOf(results, 'plan.csv').map((row) => [row['rollcall_plan'], row['rollcall_code']])).toEqual([
      ['change', ''],
      ['unchanged', ''],
      ['unprocessed', 'CANCELLED'],
      ['unprocessed', 'CANCELLED'],
    ]);
    expect(summaryIn(results)).toMatchObject({ state: 'cancelled', codes: { CANCELLED: 4 } });
  });

  it('names the line that must be applied first, and what else is to be known', async () => {
    const { reporter, results } = start({
      manifest: 'email\na@x.test\nb@x.test\n',
      plans: [change(0, { message: 'The person is suspended.' }), change(1)],
      gate: { dependencies: [[0, 2, 1, 3]] },
      entries: [],
      rowStatuses: [PENDING, PENDING],
      state: { state: 'waiting' },
    });

    await reporter(request(1));

    expect(rowsOf(results, 'plan.csv').map((row) => row['rollcall_message'])).toEqual([
      'The person is suspended. Applied once line 3 is, which frees the address.',
      '',
    ]);
  });
});

describe('promise 9, undo: undo.csv', () => {
  it('lists the rows that were changed and those whose write may have begun, each with what undoing it does', async () => {
    const { reporter, results } = start({
      manifest: MANIFEST,
      plans: [change(0), change(1), noop(2), change(3)],
      entries: [
        attempting(0),
        outcome({ row: 0 }),
        attempting(1),
        outcome({ row: 1, status: 'failed', code: 'TIMED_OUT' }),
        attempting(3),
        outcome({ row: 3, status: 'unchanged', untouched: true }),
      ],
      rowStatuses: [
        attempted(rowStatusOf('changed')),
        attempted(rowStatusOf('failed', 'TIMED_OUT')),
        rowStatusOf('unchanged'),
        attempted(rowStatusOf('unchanged', undefined, true)),
      ],
    });

    await reporter(request(1));

    const common = { job: JOB.id, from: 'access: suspended', to: 'access: active', rollcall_operation: 'undo' };
    expect(rowsOf(results, 'undo.csv')).toEqual([
      { ...common, row: '0', who: 'account id: id-0', rollcall_line: '2', rollcall_message: '' },
      {
        ...common,
        row: '1',
        who: 'account id: id-1',
        rollcall_line: '3',
        rollcall_message: expect.stringContaining('may have begun'),
      },
    ]);
    expect(summaryIn(results).state).toBe('completed');
  });

  it.each([
    [
      'creates people',
      'creation',
      change(0, {
        subject: { email: 'a@x.test', products: ['jira-software'] },
        before: { exists: false },
        after: { exists: true, products: ['jira-software'] },
      }),
      'email: a@x.test; products: jira-software',
    ],
    ['found a state that nobody knew', 'suspend', change(0, { before: {} }), 'account id: id-0'],
    ['refused the row, which was redriven', 'suspend', refused(0), ''],
  ])('lists a row that cannot be undone as its plan %s, and says so', async (_why, operation, plan, who) => {
    const { reporter, results } = start({
      manifest: 'email\na@x.test\n',
      plans: [plan],
      entries: [outcome({ row: 0, generation: 1 })],
      state: { job: { ...JOB, operation } },
    });

    await reporter(request(1));

    expect(rowsOf(results, 'undo.csv', `acme/${operation}/${JOB.id}/`)).toEqual([
      {
        job: JOB.id,
        row: '0',
        who,
        from: '',
        to: '',
        rollcall_line: '2',
        rollcall_operation: 'undo',
        rollcall_message: expect.stringContaining('cannot be undone'),
      },
    ]);
  });
});
