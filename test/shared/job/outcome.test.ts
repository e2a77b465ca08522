import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { join, settleOutcome, settleStatus, type Outcome, STATUSES } from '../../../shared/job/outcome.ts';

const outcomes: fc.Arbitrary<Outcome> = fc.record(
  {
    row: fc.constant(4),
    line: fc.constant(7),
    generation: fc.integer({ min: 0, max: 2 }),
    status: fc.constantFrom(...STATUSES),
    code: fc.constantFrom('TIMED_OUT' as const, 'FORBIDDEN' as const),
    message: fc.constantFrom('one', 'two'),
    untouched: fc.constant(true as const),
    attempts: fc.integer({ min: 0, max: 2 }),
    finishedAt: fc.constantFrom('2026-11-21T08:00:00.000Z', '2026-11-21T08:00:01.000Z'),
  },
  { requiredKeys: ['row', 'line', 'generation', 'status', 'attempts', 'finishedAt'] },
);

describe('merging the outcomes of a row', () => {
  it('gives the same whichever comes first', () => {
    fc.assert(
      fc.property(outcomes, outcomes, (a, b) => {
        expect(join(a, b)).toEqual(join(b, a));
      }),
    );
  });

  it('gives the same whichever are merged first', () => {
    fc.assert(
      fc.property(outcomes, outcomes, outcomes, (a, b, c) => {
        expect(join(join(a, b), c)).toEqual(join(a, join(b, c)));
      }),
    );
  });

  it('gives an outcome itself when it comes twice', () => {
    fc.assert(
      fc.property(outcomes, (a) => {
        expect(join(a, { ...a })).toEqual(a);
      }),
    );
  });

  it.each([
    ['changed', 'unchanged'],
    ['changed', 'failed'],
    ['changed', 'unprocessed'],
    ['unchanged', 'failed'],
    ['unchanged', 'unprocessed'],
    ['failed', 'unprocessed'],
  ] as const)('prefers %s to %s, whatever their generations and times', (stronger, weaker) => {
    fc.assert(
      fc.property(outcomes, outcomes, ({ untouched: _a, ...a }, { untouched: _b, ...b }) => {
        expect(join({ ...b, status: weaker }, { ...a, status: stronger }).status).toBe(stronger);
      }),
    );
  });

  it.each([
    ['the higher generation', { code: 'TIMED_OUT', generation: 1, finishedAt: '2026-11-21T08:00:00.000Z' }],
    [
      'the reason that is numbered first',
      { code: 'USER_NOT_FOUND', generation: 0, finishedAt: '2026-11-21T08:00:00.000Z' },
    ],
    ['the later one for the same reason', { code: 'FORBIDDEN', generation: 0, finishedAt: '2026-11-21T09:00:00.000Z' }],
  ] as const)('between two failures takes %s', (_which, winner) => {
    const first = outcome({
      status: 'failed',
      code: 'FORBIDDEN',
      generation: 0,
      finishedAt: '2026-11-21T08:30:00.000Z',
    });
    const second = outcome({ status: 'failed', ...winner });

    expect(join(first, second)).toEqual(second);
  });

  it('between two changes takes the first, whose trace id is that of the write', () => {
    const write = outcome({ status: 'changed', traceId: 'write', finishedAt: '2026-11-21T08:00:00.000Z' });
    const echo = outcome({ status: 'changed', generation: 1, finishedAt: '2026-11-21T08:00:09.000Z' });

    expect(join(echo, write)).toEqual(write);
  });
});

describe('a row that is found as wanted', () => {
  it('was changed by the job when a write of it had begun', () => {
    expect(settleOutcome(outcome({ status: 'unchanged' }), 1)).toMatchObject({ status: 'changed', line: 7 });
  });

  it.each([
    ['unchanged', 'the only one', 1],
    ['changed', 'one of several', 2],
  ] as const)('is %s when Atlassian answers so to a write that was %s', (status, _, attempts) => {
    expect(settleStatus({ status: 'unchanged', untouched: true }, attempts)).toBe(status);
  });

  it('is unchanged when none had', () => {
    const found = outcome({ status: 'unchanged' });

    expect(settleOutcome(found, 0)).toBe(found);
  });

  it.each(['changed', 'failed', 'invalid', 'unprocessed'] as const)('%s stays what it is either way', (status) => {
    expect([settleStatus({ status }, 1), settleStatus({ status }, 0)]).toEqual([status, status]);
  });
});

function outcome(given: Partial<Outcome>): Outcome {
  return {
    row: 4,
    line: 7,
    generation: 0,
    status: 'changed',
    attempts: 1,
    finishedAt: '2026-11-21T08:00:00.000Z',
    ...given,
  };
}
