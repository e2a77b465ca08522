import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { fold } from '../../../shared/job/reducer.ts';
import { attemptsOf, settledStatus } from '../../../shared/job/row-status.ts';
import type { JobEvent } from '../../../shared/job/events.ts';
import { join, settleOutcome, settleStatus, type Outcome } from '../../../shared/job/outcome.ts';
import { parseState, serializeState, type State } from '../../../shared/job/state.ts';
import { summaryOf } from '../../../shared/job/summary.ts';
import { JOB, NOW_MS, eventOf, outcomeOf, recorded, validationOf } from './building.ts';

const context = { nowMs: NOW_MS, validation: validationOf(10) };

const validated = (): JobEvent => eventOf({ type: 'validated', job: JOB });

const running = (): State => foldAll(undefined, [validated()]);

function foldAll(state: State | undefined, events: readonly JobEvent[]): State {
  const folded = fold(state, events, context);
  if (!folded) throw new Error('nothing is known of the job');
  return folded;
}

describe('fold', () => {
  it('knows nothing of a job whose first event has not come', () => {
    expect(fold(undefined, [recorded([outcomeOf(0)])], context)).toBeUndefined();
  });

  it('starts a job when its validation is done, with or without having heard of its beginning', () => {
    const begun = foldAll(undefined, [eventOf({ type: 'validating', job: JOB }), validated()]);

    expect(begun).toMatchObject({ state: 'running', rows: 10 });
    expect(running()).toMatchObject({ state: 'running', rows: 10 });
  });

  it('counts an event that comes twice once', () => {
    const event = recorded([outcomeOf(3)], { calls: { sent: 5, rateLimited: 1, retried: 2 } });

    const state = foldAll(running(), [event, event]);

    expect(foldAll(state, [event])).toMatchObject({
      outcomes: 1,
      calls: { sent: 5, rateLimited: 1, retried: 2 },
      tail: [{ kind: 'outcome', row: 3 }],
    });
  });

  it('leaves the state that it was given as it was', () => {
    const before = running();
    const stored = serializeState(before);

    foldAll(before, [recorded([outcomeOf(1)])]);

    expect(serializeState(before)).toBe(stored);
  });

  it('comes to the same row statuses whatever the order of outcomes', () => {
    const status = fc.constantFrom('changed', 'unchanged', 'failed', 'unprocessed');
    const outcomes = fc.array(
      fc.record({ row: fc.nat(9), status, generation: fc.nat(2) }).map(({ row, status: is, generation }) =>
        outcomeOf(row, {
          status: is as 'changed',
          generation,
          ...(is === 'failed' && {
            code: generation === 0 ? 'USER_NOT_FOUND' : generation === 1 ? 'FORBIDDEN' : 'SCIM_MANAGED',
          }),
          ...(is === 'unprocessed' && { code: 'LOST' as const }),
        }),
      ),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(outcomes, fc.infiniteStream(fc.nat()), (list, dice) => {
        const shuffled = list.map((outcome) => ({ outcome, key: dice.next().value as number }));
        shuffled.sort((a, b) => a.key - b.key);

        const straight = foldAll(running(), [recorded(list)]);
        const crossed = foldAll(
          running(),
          shuffled.map(({ outcome }) => recorded([outcome])),
        );

        expect(crossed.rowStatuses).toEqual(straight.rowStatuses);
        expect(crossed.generations).toEqual(straight.generations);
      }),
    );
  });

  it('counts a row found as wanted after an attempt as changed', () => {
    const attempting = eventOf({ type: 'attempting', rows: [{ row: 2, line: 4, before: { member: false } }] });

    const state = foldAll(running(), [attempting, recorded([outcomeOf(2, { status: 'unchanged' })])]);

    expect(summaryOf(state).counts).toMatchObject({ changed: 1, unchanged: 0 });
  });

  it("says the same of a row as the job's events does, whatever came in which order", () => {
    const attempting = eventOf({ type: 'attempting', rows: [{ row: 0, line: 2, before: {} }] });
    const success = fc.record({ status: fc.constantFrom('changed', 'unchanged') });
    const failure = fc.record({
      status: fc.constant('failed'),
      code: fc.constantFrom('FORBIDDEN', 'TIMED_OUT', 'USER_NOT_FOUND'),
      generation: fc.nat(1),
    });
    const given = fc.record({ status: fc.constant('unprocessed'), code: fc.constantFrom('LOST', 'DUPLICATE') });
    const body = fc.oneof(
      fc.constant(attempting),
      fc
        .tuple(fc.oneof(success, failure, given), fc.nat(3))
        .map(([outcome, at]) => recorded([outcomeOf(0, { ...(outcome as Partial<Outcome>), finishedAt: `${at}` })])),
      fc.nat(3).map((at) => recorded([outcomeOf(0, { status: 'unchanged', untouched: true, finishedAt: `${at}` })])),
    );
    fc.assert(
      fc.property(fc.array(body, { maxLength: 6 }), (events) => {
        const own = events.map((event, index) => ({ ...event, id: `own-${index}` }));

        const state = foldAll(running(), own);

        const outcomes = own.flatMap((event) => (event.type === 'recorded' ? event.outcomes : []));
        const attempts = own.filter(({ type }) => type === 'attempting').length;
        const counting = outcomes.length === 0 ? undefined : settleOutcome(outcomes.reduce(join), attempts);
        const rowStatus = settledStatus(state.rowStatuses[0] ?? 0);
        expect(rowStatus && settleStatus(rowStatus, attemptsOf(state.rowStatuses[0] ?? 0))).toBe(counting?.status);
        expect(rowStatus?.code).toBe(counting?.code);
        expect(state.generations.get(0) ?? 0).toBe(counting?.status === 'failed' ? counting.generation : 0);
      }),
    );
  });

  it.each([
    ['an attempt', eventOf({ type: 'attempting', rows: [{ row: 2, line: 4, before: {} }] })],
    ['an outcome', recorded([outcomeOf(2)])],
  ])('owes a further report when %s becomes known after the end', (_, event) => {
    const cancelled = foldAll(running(), [eventOf({ type: 'commanded', command: 'cancel' })]);

    expect(foldAll({ ...cancelled, reportDue: false }, [event]).reportDue).toBe(true);
  });

  it('believes Atlassian when it answers the first write that it was so already', () => {
    const attempting = eventOf({ type: 'attempting', rows: [{ row: 2, line: 4, before: { member: false } }] });
    const untouched = outcomeOf(2, { status: 'unchanged', untouched: true });

    const state = foldAll(running(), [attempting, recorded([untouched])]);

    expect(summaryOf(state).counts).toMatchObject({ changed: 0, unchanged: 1 });
  });

  it.each([
    ['pause', 'paused'],
    ['cancel', 'cancelled'],
    ['resume', 'running'],
    ['approve', 'running'],
  ] as const)('on %s a running job is %s', (command, state) => {
    expect(foldAll(running(), [eventOf({ type: 'commanded', command })]).state).toBe(state);
  });

  it.each(['pause', 'resume', 'cancel', 'approve'] as const)('leaves a cancelled job cancelled on %s', (command) => {
    const cancelled = foldAll(running(), [eventOf({ type: 'commanded', command: 'cancel' })]);

    expect(foldAll(cancelled, [eventOf({ type: 'commanded', command })]).state).toBe('cancelled');
  });

  it('survives being stored', () => {
    const failure = outcomeOf(4, { status: 'failed', code: 'FORBIDDEN', generation: 2 });
    const state = foldAll(running(), [recorded([failure])]);

    const { finishedAt: _absent, ...stored } = state;

    expect(parseState(serializeState(state))).toMatchObject(stored);
  });
});
