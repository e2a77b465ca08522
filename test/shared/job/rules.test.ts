import { describe, expect, it } from 'vitest';

import { fold } from '../../../shared/job/reducer.ts';
import { settledStatus } from '../../../shared/job/row-status.ts';
import type { JobEvent } from '../../../shared/job/events.ts';
import type { State } from '../../../shared/job/state.ts';
import { step } from '../../../shared/job/rules.ts';
import { JOB, NOW_MS, POLICY, eventOf, outcomeOf, recorded, validationOf } from './building.ts';

interface Moment {
  readonly nowMs?: number;
  readonly reconciling?: boolean;
}

function run(state: State | undefined, events: readonly JobEvent[], rows: number, moment: Moment = {}): State {
  const nowMs = moment.nowMs ?? NOW_MS;
  const folded = fold(state, events, { nowMs, validation: validationOf(rows) });
  if (!folded) throw new Error('nothing is known of the job');
  return step(folded, { nowMs, policy: POLICY, reconciling: moment.reconciling ?? false });
}

const begun = (rows: number): State => run(undefined, [eventOf({ type: 'validated', job: JOB })], rows);

function enqueuedUpTo(state: State, rows: number): State {
  const { enqueue } = state.outbox;
  if (!enqueue) return state;
  return run(state, [eventOf({ type: 'enqueued', enqueueId: enqueue.id, reached: enqueue.to })], rows);
}

const outcomes = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => outcomeOf(from + index));

describe('step', () => {
  it('lets out one row, then ten, then a hundred', () => {
    const first = enqueuedUpTo(begun(1_000), 1_000);
    const second = enqueuedUpTo(run(first, [recorded(outcomes(0, 1))], 1_000), 1_000);
    const third = enqueuedUpTo(run(second, [recorded(outcomes(1, 11))], 1_000), 1_000);

    expect([first.released, second.released, third.released]).toEqual([1, 11, 111]);
  });

  it('lets out two seconds of work once the job has shown its rate', () => {
    const ramped = {
      ...enqueuedUpTo(begun(10_000), 10_000),
      released: 111,
      enqueued: 111,
    };
    const rate = { sinceMs: NOW_MS - 1_000, outcomes: 0, perSecond: 0 };

    const next = run({ ...ramped, rate }, [recorded(outcomes(0, 111))], 10_000);

    expect(next.rate.perSecond).toBe(111);
    expect(next.released).toBe(111 + 222);
  });

  it('asks for no further enqueue while one is on its way', () => {
    const state = begun(1_000);

    expect(run(state, [recorded(outcomes(0, 1))], 1_000).outbox.enqueue).toEqual(state.outbox.enqueue);
  });

  it('enqueues what an enqueue did not reach from where it stopped', () => {
    const state = { ...begun(1_000), released: 100 };
    const enqueue = { id: 'f', from: 0, to: 100, sentAtMs: NOW_MS };

    const next = run(
      { ...state, outbox: { enqueue } },
      [eventOf({ type: 'enqueued', enqueueId: 'f', reached: 40 })],
      1_000,
    );

    expect(next.outbox.enqueue).toMatchObject({ from: 40, to: 100 });
  });

  it.each(['pause', 'cancel'] as const)('lets nothing out after %s', (command) => {
    const stopped = run(enqueuedUpTo(begun(1_000), 1_000), [eventOf({ type: 'commanded', command })], 1_000);

    const next = run(stopped, [recorded(outcomes(0, 1))], 1_000);

    expect({ released: next.released, enqueue: next.outbox.enqueue }).toEqual({ released: 1, enqueue: undefined });
  });

  it('enqueues the rows that a stop left without an outcome when the job is resumed', () => {
    const enqueued = enqueuedUpTo(begun(1_000), 1_000);
    const paused = run(
      enqueued,
      [eventOf({ type: 'commanded', command: 'pause' }), recorded([], { dropped: [0] })],
      1_000,
    );

    const resumed = run(paused, [eventOf({ type: 'commanded', command: 'resume' })], 1_000);

    expect(resumed).toMatchObject({ state: 'running', outbox: { enqueue: { from: 0, to: 1 } } });
  });

  it('ends when every row has an outcome, and asks for the report once', () => {
    const ended = run(enqueuedUpTo(begun(1), 1), [recorded(outcomes(0, 1))], 1);

    expect(ended).toMatchObject({ state: 'completed', revision: 1, outbox: { report: { revision: 1 } } });
    expect(run(ended, [], 1).revision).toBe(1);
  });

  it('ends at once when no row of the manifest can be sent', () => {
    expect(begun(0)).toMatchObject({ state: 'completed', revision: 1 });
  });

  it('asks for the next revision, once the one before is written, when an outcome comes after the end', () => {
    const ended = run(enqueuedUpTo(begun(1), 1), [recorded(outcomes(0, 1))], 1);

    const later = run(ended, [recorded([outcomeOf(0)])], 1);
    const reported = run(later, [eventOf({ type: 'reported', revision: 1 })], 1);

    expect(later).toMatchObject({ revision: 1, reportDue: true, state: 'completed' });
    expect(reported).toMatchObject({ revision: 2, reportDue: false, outbox: { report: { revision: 2 } } });
  });

  it.each([
    ['again with its outcome alone, when a row that failed is redriven', 'failed', false],
    ['when an attempt is told late that makes an unchanged row a changed one', 'unchanged', true],
  ] as const)('reports %s', (_what, status, reportDue) => {
    const code = status === 'failed' ? 'FORBIDDEN' : undefined;
    const ended = run(enqueuedUpTo(begun(1), 1), [recorded([outcomeOf(0, { status, code })])], 1);

    const later = run(ended, [eventOf({ type: 'attempting', rows: [{ row: 0, line: 2, before: {} }] })], 1);

    expect(later.reportDue).toBe(reportDue);
  });

  it('reports a halted job when no row is under way any more', () => {
    const enqueued = enqueuedUpTo(begun(100), 100);
    const halted = run(enqueued, [eventOf({ type: 'halted', code: 'UNAUTHORIZED', message: 'no' })], 100);

    const settled = run(halted, [recorded([], { dropped: [0] })], 100);

    expect(halted.outbox.report).toBeUndefined();
    expect(settled).toMatchObject({ state: 'halted', outbox: { report: { revision: 1 } } });
  });

  it('lets a row that waits for another leave its place in the window', () => {
    const enqueued = enqueuedUpTo(begun(100), 100);

    const next = run(enqueued, [recorded([], { awaiting: [0] })], 100);

    expect(next.released).toBe(2);
  });

  it('keeps the place of a row that was handed back', () => {
    expect(run(enqueuedUpTo(begun(100), 100), [recorded([], { returned: [0] })], 100).released).toBe(1);
  });

  describe('on a reconcile', () => {
    const silentMs = POLICY.overdueMs + 1;

    it('does nothing while the job is not overdue', () => {
      const enqueued = enqueuedUpTo(begun(10), 10);

      expect(run(enqueued, [], 10, { reconciling: true })).toEqual(enqueued);
    });

    it('waits for the time until which rows were handed back', () => {
      const until = new Date(NOW_MS + 600_000).toISOString();
      const enqueued = run(enqueuedUpTo(begun(10), 10), [recorded([], { returned: [0], until })], 10);

      expect(run(enqueued, [], 10, { reconciling: true, nowMs: NOW_MS + 600_000 }).outbox.enqueue).toBeUndefined();
    });

    it('enqueues an overdue job again, and gives its rows up as LOST after three rounds', () => {
      const reconciling = [1, 2, 3].reduce(
        (state, round) =>
          run({ ...state, outbox: {} }, [], 10, { reconciling: true, nowMs: NOW_MS + round * silentMs }),
        enqueuedUpTo(begun(10), 10),
      );
      const lost = run({ ...reconciling, outbox: {} }, [], 10, { reconciling: true, nowMs: NOW_MS + 4 * silentMs });

      expect(reconciling).toMatchObject({ state: 'running', rounds: 3, outbox: { enqueue: { from: 0, to: 1 } } });
      expect(lost.state).toBe('completed');
      expect(settledStatus(lost.rowStatuses[0] ?? 0)).toEqual({ status: 'unprocessed', code: 'LOST' });
    });

    it.each([
      ['it is being made', eventOf({ type: 'validating', job: JOB })],
      ['it is there', eventOf({ type: 'validated', job: JOB })],
    ])('asks for the validation no longer once %s', (_, event) => {
      const validating = run(undefined, [eventOf({ type: 'validating', job: JOB })], 1);
      const asked = run(validating, [], 1, { reconciling: true, nowMs: NOW_MS + silentMs });

      expect(run(asked, [event], 1).outbox.validation).toBeUndefined();
    });

    it('takes a row that only waits for another for no sign of life', () => {
      const enqueued = enqueuedUpTo(begun(1), 1);
      const until = new Date(NOW_MS + 2 * silentMs).toISOString();
      const waiting = run(enqueued, [recorded([], { awaiting: [0], until })], 1, { nowMs: NOW_MS + silentMs - 1 });

      expect(run(waiting, [], 1, { reconciling: true, nowMs: NOW_MS + silentMs }).rounds).toBe(1);
    });

    it('asks for the validation again when its message was lost', () => {
      const validating = run(undefined, [eventOf({ type: 'validating', job: JOB })], 0);

      expect(run(validating, [], 0, { reconciling: true, nowMs: NOW_MS + silentMs }).outbox.validation).toBeDefined();
    });

    it('cancels a job that nobody resumed for seven days', () => {
      const halted = run(begun(10), [eventOf({ type: 'halted', code: 'UNAUTHORIZED', message: 'no' })], 10);

      const expired = run(halted, [], 10, { reconciling: true, nowMs: NOW_MS + POLICY.expiryMs });

      expect(expired).toMatchObject({ state: 'cancelled', halt: { code: 'EXPIRED' } });
    });
  });
});
