import { describe, expect, it } from 'vitest';

import { fold } from '../../../shared/job/reducer.ts';
import type { Code } from '../../../shared/job/outcome.ts';
import type { Gate } from '../../../shared/job/plan.ts';
import { AWAITING_ROW, isSettled, packRowStatuses, PENDING, settledStatus } from '../../../shared/job/row-status.ts';
import type { JobEvent } from '../../../shared/job/events.ts';
import type { State } from '../../../shared/job/state.ts';
import { step } from '../../../shared/job/rules.ts';
import {
  approved,
  BOUNDS,
  eventOf,
  gated,
  gateOf,
  JOB,
  NOW_MS,
  outcomeOf,
  recorded,
  validated,
  validationOf,
} from './building.ts';

interface Moment {
  readonly nowMs?: number;
  readonly reconciling?: boolean;
  readonly gate?: Gate;
}

function run(state: State | undefined, events: readonly JobEvent[], rows: number, moment: Moment = {}): State {
  const nowMs = moment.nowMs ?? NOW_MS;
  const { gate = gateOf(rows) } = moment;
  const folded = fold(state, events, { nowMs, approvalMs: 3_600_000, validation: validationOf(rows), gate });
  if (!folded) throw new Error('nothing is known of the job');
  return step(folded, { nowMs, bounds: BOUNDS, reconciling: moment.reconciling ?? false });
}

const begun = (rows: number, gate = gateOf(rows)): State =>
  run(run(undefined, [validated()], rows), [gated()], rows, { gate });

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

  const attempting = () => eventOf({ type: 'attempting', rows: [{ row: 0, line: 2 }] });

  it.each([
    ['again with its outcome alone, when a row that failed is redriven', 'failed', true, false],
    ['when an attempt is told late of a row that failed: undo.csv has it then', 'failed', false, true],
    ['when an attempt is told late that makes an unchanged row a changed one', 'unchanged', false, true],
  ] as const)('reports %s', (_what, status, isAttempted, reportDue) => {
    const code = status === 'failed' ? 'FORBIDDEN' : undefined;
    const begins = isAttempted ? [attempting()] : [];
    const ended = run(enqueuedUpTo(begun(1), 1), [...begins, recorded([outcomeOf(0, { status, code })])], 1);

    expect(run(ended, [attempting()], 1).reportDue).toBe(reportDue);
  });

  it('reports a halted job when no row is under way any more', () => {
    const enqueued = enqueuedUpTo(begun(100), 100);
    const halted = run(enqueued, [eventOf({ type: 'halted', code: 'UNAUTHORIZED', message: 'no' })], 100);

    const settled = run(halted, [recorded([], { dropped: [0] })], 100);

    expect(halted.outbox.report).toBeUndefined();
    expect(settled).toMatchObject({ state: 'halted', outbox: { report: { revision: 1 } } });
  });

  it('lets rows that wait for others leave their place in the window, and asks for them once they are let go', () => {
    const rowStatuses = new Uint8Array(100).fill(PENDING).fill(AWAITING_ROW, 0, 3);
    const dependencies: Gate['dependencies'] = [0, 1, 2].map((row) => [row, row + 2, 3, 5]);
    const gate = gateOf(100, { rowStatuses: packRowStatuses(rowStatuses), dependencies });
    const enqueued = enqueuedUpTo(begun(100, gate), 100);

    const next = run(enqueued, [recorded([outcomeOf(3)])], 100);

    expect(enqueued.released).toBe(4);
    expect(next.outbox.freed).toMatchObject({ rows: [0, 1, 2] });
    expect(
      run(next, [eventOf({ type: 'enqueued', enqueueId: next.outbox.freed?.id ?? '', reached: 3 })], 100).outbox.freed,
    ).toBeUndefined();
  });

  it('keeps the place of a row that was handed back', () => {
    expect(run(enqueuedUpTo(begun(100), 100), [recorded([], { returned: [0] })], 100).released).toBe(1);
  });

  describe('on a reconcile', () => {
    const silentMs = BOUNDS.overdueMs + 1;

    it('does nothing while the job is not overdue', () => {
      const enqueued = enqueuedUpTo(begun(10), 10);

      expect(run(enqueued, [], 10, { reconciling: true })).toEqual(enqueued);
    });

    it('waits for the time until which rows were handed back', () => {
      const until = new Date(NOW_MS + 600_000).toISOString();
      const enqueued = run(enqueuedUpTo(begun(10), 10), [recorded([], { returned: [0], until })], 10);

      expect(run(enqueued, [], 10, { reconciling: true, nowMs: NOW_MS + 600_000 }).outbox.enqueue).toBeUndefined();
    });

    it('enqueues an overdue job again, and gives its rows up as NOT_APPLIED after three rounds', () => {
      const reconciling = [1, 2, 3].reduce(
        (state, round) =>
          run({ ...state, outbox: {} }, [], 10, { reconciling: true, nowMs: NOW_MS + round * silentMs }),
        enqueuedUpTo(begun(10), 10),
      );
      const lost = run({ ...reconciling, outbox: {} }, [], 10, { reconciling: true, nowMs: NOW_MS + 4 * silentMs });

      expect(reconciling).toMatchObject({ state: 'running', rounds: 3, outbox: { enqueue: { from: 0, to: 1 } } });
      expect(lost.state).toBe('completed');
      expect(settledStatus(lost.rowStatuses[0] ?? 0)).toEqual({ status: 'unprocessed', code: 'NOT_APPLIED' });
    });

    it.each([
      ['it is being made', eventOf({ type: 'validating', job: JOB })],
      ['it is there', validated()],
    ])('asks for the validation no longer once %s', (_, event) => {
      const validating = run(undefined, [eventOf({ type: 'validating', job: JOB })], 1);
      const asked = run(validating, [], 1, { reconciling: true, nowMs: NOW_MS + silentMs });

      expect(run(asked, [event], 1).outbox.validation).toBeUndefined();
    });

    it('asks for the validation again when its message was lost', () => {
      const validating = run(undefined, [eventOf({ type: 'validating', job: JOB })], 0);

      expect(run(validating, [], 0, { reconciling: true, nowMs: NOW_MS + silentMs }).outbox.validation).toBeDefined();
    });

    it('cancels a job that nobody resumed for seven days', () => {
      const halted = run(begun(10), [eventOf({ type: 'halted', code: 'UNAUTHORIZED', message: 'no' })], 10);

      const expired = run(halted, [], 10, { reconciling: true, nowMs: NOW_MS + BOUNDS.expiryMs });

      expect(expired).toMatchObject({ state: 'cancelled', halt: { code: 'EXPIRED' } });
    });
  });
});

describe('a plan', () => {
  const twoChunks = (events: readonly JobEvent[], moment: Moment = {}): State => {
    const validation = { ...validationOf(10), rowChunks: [0, 5].map((firstRow) => ({ firstRow, sha256: 'r' })) };
    const folded = fold(undefined, [validated(), ...events], { nowMs: NOW_MS, approvalMs: 1, validation });
    if (!folded) throw new Error('nothing is known of the job');
    return step(folded, { nowMs: moment.nowMs ?? NOW_MS, bounds: BOUNDS, reconciling: moment.reconciling ?? false });
  };
  const planned = (chunk: number): JobEvent =>
    eventOf({ type: 'planned', attempt: 1, chunk, sha256: 'p', calls: { sent: 1, rateLimited: 0, retried: 0 } });

  it('promise 3: is gated as a whole, and never in part', () => {
    expect(twoChunks([planned(0)]).outbox.gate).toBeUndefined();
    expect(twoChunks([planned(0), planned(1)]).outbox).toMatchObject({ plan: undefined, gate: { sentAtMs: 0 } });
  });

  it('is asked for again after silence, and halts the job after three rounds of it', () => {
    const silentMs = BOUNDS.overdueMs + 1;
    const reconciled = [1, 2, 3, 4].reduce(
      (state, round) => step(state, { nowMs: NOW_MS + round * silentMs, bounds: BOUNDS, reconciling: true }),
      twoChunks([]),
    );

    expect(reconciled).toMatchObject({ state: 'halted', halt: { code: 'TIMED_OUT' } });
  });
});

describe('a breaker', () => {
  const failing = (codes: readonly (Code | null)[], from = 0): JobEvent =>
    recorded(codes.map((code, index) => outcomeOf(from + index, code === null ? {} : { status: 'failed', code })));
  const after = (codes: readonly (Code | null)[]): State =>
    run({ ...begun(1_000), released: 1_000 }, [failing(codes)], 1_000);
  const times = (count: number, ...codes: readonly (Code | null)[]) =>
    Array.from({ length: count }, (_, index) => codes[index % codes.length] ?? null);

  it('trips at twenty failures of one code in a row, and not at nineteen, nor of two codes', () => {
    expect(after(times(19, 'USER_NOT_FOUND')).state).toBe('running');
    expect(after(times(20, 'USER_NOT_FOUND'))).toMatchObject({ state: 'halted', halt: { code: 'USER_NOT_FOUND' } });
    expect(after([...times(19, 'USER_NOT_FOUND'), 'FORBIDDEN']).state).toBe('running');
  });

  it('trips when half of the last hundred failed, from the fiftieth on', () => {
    expect(after(times(49, 'USER_NOT_FOUND', null)).state).toBe('running');
    expect(after(times(50, 'USER_NOT_FOUND', null))).toMatchObject({
      state: 'halted',
      halt: { code: 'USER_NOT_FOUND' },
    });
    expect(after(times(99, 'USER_NOT_FOUND', null, null)).state).toBe('running');
  });

  it('starts anew when the job is resumed', () => {
    const halted = after(times(20, 'USER_NOT_FOUND'));

    const resumed = run(halted, [eventOf({ type: 'commanded', command: 'resume' })], 1_000);

    expect(resumed).toMatchObject({ state: 'running', breaker: { latest: [], outcomes: 0 } });
    expect(run(resumed, [failing(times(19, 'USER_NOT_FOUND'), 20)], 1_000).state).toBe('running');
  });

  it('lets the ramp grow only by rows that came out well or failed for reasons of their own', () => {
    const first = enqueuedUpTo(begun(1_000), 1_000);

    expect(run(first, [failing(['ATLASSIAN_ERROR'])], 1_000).released).toBe(2);
    expect(run(first, [failing(['USER_NOT_FOUND'])], 1_000).released).toBe(11);
    expect(run(first, [failing([null])], 1_000).released).toBe(11);
  });
});

describe('a job in steps', () => {
  const gate = gateOf(25, { steps: 10, reasons: [{ code: 'STEP', message: 'look' }] });
  const appliedTo = (state: State, to: number): State => {
    const rows = Array.from({ length: to }, (_, row) => row).filter((row) => !isSettled(state.rowStatuses[row] ?? 0));
    return run(enqueuedUpTo(state, 25), [recorded(rows.map((row) => outcomeOf(row)))], 25);
  };

  it('waits again when the changes of a step are made, and lets out no more', () => {
    const waiting = begun(25, gate);
    const first = run(waiting, [approved({ step: 1 })], 25);
    const made = appliedTo(appliedTo(first, 1), 10);

    expect(waiting).toMatchObject({ state: 'waiting', released: 0 });
    expect(made).toMatchObject({ state: 'waiting', released: 10, waitReasons: [{ code: 'STEP' }] });
    const second = run(made, [approved({ step: 2 })], 25);
    expect(second).toMatchObject({ state: 'running', released: 20 });
    const third = run(appliedTo(second, 20), [approved({ step: 3 })], 25);
    expect(appliedTo(third, 25).state).toBe('completed');
  });
});

describe('a job that waits', () => {
  const reasons = [{ code: 'APPROVAL_REQUIRED' as const, message: 'look' }];

  it('is told, and cancelled when nobody approved it', () => {
    const waiting = begun(10, gateOf(10, { reasons }));
    const expired = run(waiting, [], 10, { reconciling: true, nowMs: NOW_MS + BOUNDS.expiryMs });

    expect(waiting).toMatchObject({ state: 'waiting', outbox: { report: { revision: 1 } } });
    expect(expired).toMatchObject({ state: 'cancelled', halt: { code: 'EXPIRED' } });
  });

  it('for a time is planned then, and does not expire before', () => {
    const notBefore = new Date(NOW_MS + 2 * BOUNDS.expiryMs).toISOString();
    const waiting = run(undefined, [validated({ ...JOB, options: { notBefore } })], 10);
    const later = (nowMs: number): State => run(waiting, [], 10, { reconciling: true, nowMs });

    expect(later(NOW_MS + BOUNDS.expiryMs + 1).state).toBe('waiting');
    expect(later(NOW_MS + 2 * BOUNDS.expiryMs).state).toBe('planning');
  });
});
