import { describe, expect, it } from 'vitest';

import { createDeadLetterSender } from '../../../functions/reporter/dead-letters.ts';
import type { FailedRow } from '../../../functions/reporter/report.ts';
import { taskSchema } from '../../../shared/job/messages.ts';
import { deadLettersKey, jobHash } from '../../../shared/job/keys.ts';
import { rowStatusOf } from '../../../shared/job/row-status.ts';
import type { State } from '../../../shared/job/state.ts';
import type { Queue } from '../../../shared/ports.ts';
import { memoryObjectStore } from '../../fakes/memory-object-store.ts';
import { memoryQueue, type MemoryQueue } from '../../fakes/memory-queue.ts';
import { request, start, storedJob } from './start.ts';
import { change, FOLDER, JOB, noop, outcome, PLANNED_AT, refused, stoppedState } from './stopped-job.ts';

const APPLIED_AT = '2026-11-21T08:00:40.000Z';

const failure = (row: number, generation = 0) =>
  outcome({ row, generation, status: 'failed', code: 'FORBIDDEN', httpStatus: 403, traceId: 'abc', attempts: 2 });

const MANIFEST = 'Mail,Department\na@x.test,Sales\nb@x.test,HR\nc@x.test,HR\nd@x.test,HR\n';

/** A job of which one row was changed, one needed nothing, one was refused by its plan and one failed when it was applied. */
const job = (entries = [outcome({ row: 0 }), failure(3)], statuses: readonly number[] = []) => ({
  manifest: MANIFEST,
  validation: { columns: ['email', null] },
  plans: [change(0), noop(1), refused(2), change(3)],
  entries,
  rowStatuses: [
    rowStatusOf('changed'),
    rowStatusOf('unchanged'),
    statuses[0] ?? rowStatusOf('failed', 'USER_NOT_FOUND'),
    statuses[1] ?? rowStatusOf('failed', 'FORBIDDEN'),
  ],
  state: { appliedAt: APPLIED_AT } as Partial<State>,
});

const rowsIn = ({ messages }: MemoryQueue) =>
  messages.map(({ body }) => [taskSchema.parse(body).row, taskSchema.parse(body).generation]);

describe('the dead letters of a job', () => {
  it('are its failed rows: the change where the plan held one, else the row itself, each with its reason', async () => {
    const { reporter, deadLetters } = start(job());

    await reporter(request(1));

    const task = { version: 2, jobId: JOB.id, target: 'acme', operation: 'suspend', generation: 1, attempts: 0 };
    expect(deadLetters.messages).toEqual([
      {
        body: { ...task, kind: 'row', row: 2, line: 4, cells: { email: 'c@x.test' } },
        attributes: {
          job: jobHash(JOB.id),
          code: 'USER_NOT_FOUND',
          class: 'row',
          attempts: '0',
          httpStatus: '404',
          traceId: 'trace-2',
        },
      },
      {
        body: {
          ...task,
          kind: 'change',
          row: 3,
          line: 5,
          subject: { accountId: 'id-3' },
          before: { access: 'active' },
          after: { access: 'suspended' },
          plannedAt: PLANNED_AT,
        },
        attributes: {
          job: jobHash(JOB.id),
          code: 'FORBIDDEN',
          class: 'infrastructure',
          attempts: '2',
          httpStatus: '403',
          traceId: 'abc',
        },
      },
    ]);
    for (const { body } of deadLetters.messages) expect(() => taskSchema.parse(body)).not.toThrow();
  });

  it('hold cells as they were before we escaped them', async () => {
    const { reporter, deadLetters } = start({
      ...job(),
      manifest: "email,rollcall_line\na,1\nb,2\n'+c@x.test,3\nd,4\n",
      validation: { columns: ['email', null], escaped: true },
    });

    await reporter(request(1));

    expect(deadLetters.messages[0]?.body).toMatchObject({ kind: 'row', cells: { email: '+c@x.test' } });
  });

  it.each([
    ['has halted', { state: 'halted', appliedAt: APPLIED_AT }],
    ['was cancelled before it applied', { state: 'cancelled', appliedAt: undefined }],
    ['was a dry run', { state: 'completed', appliedAt: undefined }],
    ['waits', { state: 'waiting', appliedAt: undefined }],
  ] as const)('are none while it %s', async (_how, state) => {
    const { reporter, deadLetters, results } = start({ ...job(), state });

    await reporter(request(1));

    expect(deadLetters.messages).toEqual([]);
    expect(results.objects.has(deadLettersKey(JOB.id))).toBe(false);
  });

  it.each(['completed', 'cancelled', 'broken'] as const)(
    'are sent when it is %s and had begun to apply',
    async (state) => {
      const { reporter, deadLetters } = start({ ...job(), state: { state, appliedAt: APPLIED_AT } });

      await reporter(request(1));

      expect(rowsIn(deadLetters)).toEqual([
        [2, 1],
        [3, 1],
      ]);
    },
  );

  it('are sent before the summary says that it has ended', async () => {
    const { reporter, results } = start(job());

    await reporter(request(1));

    const keys = [...results.objects.keys()];
    expect(keys.indexOf(deadLettersKey(JOB.id))).toBeLessThan(keys.indexOf(`${FOLDER}summary.json`));
  });

  it('are not sent again with a further report', async () => {
    const { reporter, deadLetters } = start(job());

    await reporter(request(1));
    await reporter(request(1));

    expect(deadLetters.messages).toHaveLength(2);
  });

  it('are sent anew, of the next generation, for a row that was redriven and failed again, and not for one that was changed', async () => {
    const { reporter, deadLetters, results } = start(job());
    await reporter(request(1));
    const later = storedJob({
      ...job(
        [outcome({ row: 0 }), failure(3), failure(3, 1), outcome({ row: 2, generation: 1 })],
        [rowStatusOf('changed'), rowStatusOf('failed', 'FORBIDDEN')],
      ),
      state: { appliedAt: APPLIED_AT, revision: 2, generations: new Map([[3, 1]]) },
    });
    for (const [key, body] of Object.entries(later.objects)) await results.write(key, body);

    await reporter(request(2));
    await reporter(request(2));

    expect(rowsIn(deadLetters)).toEqual([
      [2, 1],
      [3, 1],
      [3, 2],
    ]);
  });

  it('keep promise 1, conservation: each names the reason that results.csv names', async () => {
    const { reporter, deadLetters, results } = start(job());

    await reporter(request(1));

    const codes = results
      .textOf(`${FOLDER}failed.csv`)
      .split('\r\n')
      .flatMap((line) => /,failed,([A-Z_]+),/.exec(line)?.[1] ?? []);
    expect(deadLetters.messages.map(({ attributes }) => attributes?.['code'])).toEqual(codes);
  });

  it('are sent again when the report died before it wrote down that they were: none is lost', async () => {
    const { reporter, deadLetters, results, time, state } = start(job());
    const dying: Queue = { send: async () => Promise.reject(new Error('503')) };
    const sender = createDeadLetterSender(
      { results, deadLetters: dying, clock: { now: () => new Date(time.nowMs) }, log: () => undefined },
      state,
    );
    await expect(sender([failedRow(3)])).rejects.toThrow('503');

    const first = await reporter(request(1));
    time.nowMs += 121_000;
    const second = await reporter(request(1));

    expect(first.batchItemFailures).toHaveLength(1);
    expect(second.batchItemFailures).toEqual([]);
    expect(rowsIn(deadLetters)).toEqual([
      [2, 1],
      [3, 1],
    ]);
  });

  it('are sent by one of two reports that are made at the same time', async () => {
    const results = memoryObjectStore();
    const deadLetters = memoryQueue();
    const clock = { now: () => new Date(0) };
    const state = stoppedState({ rows: 10, appliedAt: APPLIED_AT });
    const senders = [0, 1].map(() =>
      createDeadLetterSender({ results, deadLetters, clock, log: () => undefined }, state),
    );
    const rows = [0, 1, 2].map(failedRow);

    const ends = await Promise.allSettled(senders.map((send) => send(rows)));

    expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(rowsIn(deadLetters)).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
    ]);
  });

  it.each([
    ['FORBIDDEN', true],
    ['WORKER_DIED', true],
    ['USER_NOT_FOUND', false],
  ] as const)('of %s are said to be of the infrastructure in the log: %s', async (code, isSaid) => {
    const logged: string[] = [];
    const sender = createDeadLetterSender(
      {
        results: memoryObjectStore(),
        deadLetters: memoryQueue(),
        clock: { now: () => new Date(0) },
        log: (event) => void logged.push(event),
      },
      stoppedState({ rows: 1 }),
    );
    const row = failedRow(0);

    await sender([{ ...row, outcome: { ...row.outcome, code } }]);

    expect(logged.includes('dead-letters.infrastructure')).toBe(isSaid);
    expect(logged).toContain('dead-letters.sent');
  });

  it('are written down in little memory for a million rows', async () => {
    const rows = 1_000_000;
    const results = memoryObjectStore();
    const sender = createDeadLetterSender(
      {
        results,
        deadLetters: { send: async () => undefined },
        clock: { now: () => new Date(0) },
        log: () => undefined,
      },
      stoppedState({ rows }),
    );

    for (let row = 0; row < rows; row += 20_000) await sender([failedRow(row), failedRow(row + 7)]);

    expect(results.objects.get(deadLettersKey(JOB.id))?.length).toBeLessThan(20_000);
  });
});

const failedRow = (row: number): FailedRow => ({
  outcome: {
    row,
    line: row + 2,
    generation: 0,
    status: 'failed',
    code: 'FORBIDDEN',
    attempts: 1,
    finishedAt: PLANNED_AT,
  },
  plan: change(row),
  cells: {},
});
