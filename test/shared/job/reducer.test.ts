import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { fold, type FoldContext } from '../../../shared/job/reducer.ts';
import {
  attemptsOf,
  AWAITING_ROW,
  packRowStatuses,
  PENDING,
  rowStatusOf,
  settledStatus,
} from '../../../shared/job/row-status.ts';
import type { JobEvent } from '../../../shared/job/events.ts';
import { join, settleOutcome, settleStatus, type Outcome, type WaitReasonCode } from '../../../shared/job/outcome.ts';
import type { Gate } from '../../../shared/job/plan.ts';
import { parseState, serializeState, type State } from '../../../shared/job/state.ts';
import { summaryOf } from '../../../shared/job/summary.ts';
import {
  approved,
  commanded,
  eventOf,
  gated,
  gateOf,
  HASH,
  JOB,
  NOW_MS,
  outcomeOf,
  recorded,
  validated,
  validationOf,
} from './building.ts';

const HOUR_MS = 3_600_000;
const context: FoldContext = { nowMs: NOW_MS, approvalMs: HOUR_MS, validation: validationOf(10), gate: gateOf(10) };

const planning = (): State => foldAll(undefined, [validated()]);
const running = (): State => foldAll(planning(), [gated()]);

function foldAll(state: State | undefined, events: readonly JobEvent[], more: Partial<FoldContext> = {}): State {
  const folded = fold(state, events, { ...context, ...more });
  if (!folded) throw new Error('nothing is known of the job');
  return folded;
}

describe('fold', () => {
  it('knows nothing of a job whose first event has not come', () => {
    expect(fold(undefined, [recorded([outcomeOf(0)])], context)).toBeUndefined();
  });

  it('starts a job when its validation is done, with or without having heard of its beginning', () => {
    const begun = foldAll(undefined, [eventOf({ type: 'validating', job: JOB }), validated()]);

    expect(begun).toMatchObject({ state: 'planning', rows: 10, plan: { attempt: 1 } });
    expect(planning()).toMatchObject({ state: 'planning', rows: 10, plan: { attempt: 1 } });
    expect(running()).toMatchObject({ state: 'running', plan: { gate: { hash: HASH } } });
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
          ...(is === 'unprocessed' && { code: 'NOT_APPLIED' as const }),
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
    const attempting = eventOf({ type: 'attempting', rows: [{ row: 2, line: 4 }] });

    const state = foldAll(running(), [attempting, recorded([outcomeOf(2, { status: 'unchanged' })])]);

    expect(summaryOf(state).counts).toMatchObject({ changed: 1, unchanged: 0 });
  });

  it("says the same of a row as the job's events does, whatever came in which order", () => {
    const attempting = eventOf({ type: 'attempting', rows: [{ row: 0, line: 2 }] });
    const success = fc.record({ status: fc.constantFrom('changed', 'unchanged') });
    const failure = fc.record({
      status: fc.constant('failed'),
      code: fc.constantFrom('FORBIDDEN', 'TIMED_OUT', 'USER_NOT_FOUND'),
      generation: fc.nat(1),
    });
    const given = fc.record({ status: fc.constant('unprocessed'), code: fc.constantFrom('NOT_APPLIED', 'DUPLICATE') });
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
    ['an attempt', eventOf({ type: 'attempting', rows: [{ row: 2, line: 4 }] })],
    ['an outcome', recorded([outcomeOf(2)])],
  ])('owes a further report when %s becomes known after the end', (_, event) => {
    const cancelled = foldAll(running(), [eventOf({ type: 'commanded', command: 'cancel' })]);

    expect(foldAll({ ...cancelled, reportDue: false }, [event]).reportDue).toBe(true);
  });

  it('believes Atlassian when it answers the first write that it was so already', () => {
    const attempting = eventOf({ type: 'attempting', rows: [{ row: 2, line: 4 }] });
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

    expect(serializeState(parseState(serializeState(state)))).toBe(serializeState(state));
    expect(parseState(serializeState(state)).rowStatuses).toEqual(state.rowStatuses);
  });
});

describe('a plan', () => {
  const threeChunks = { ...validationOf(10), rowChunks: [0, 4, 8].map((firstRow) => ({ firstRow, sha256: 'r' })) };
  const planned = (chunk: number, sha256: string, attempt = 1): JobEvent =>
    eventOf({ type: 'planned', attempt, chunk, sha256, calls: { sent: 2, rateLimited: 0, retried: 0 } });

  it('keeps what each chunk is by the first event that tells it, and counts every call', () => {
    const state = foldAll(undefined, [validated(), planned(1, 'a'), planned(1, 'b'), planned(0, 'c')], {
      validation: threeChunks,
    });

    expect(state).toMatchObject({ state: 'planning', plan: { chunks: ['c', 'a', null] }, calls: { sent: 6 } });
  });

  it('takes nothing of another attempt', () => {
    const state = foldAll(undefined, [validated(), planned(1, 'a', 2)], { validation: threeChunks });

    expect(state.plan?.chunks).toEqual([null, null, null]);
  });

  it('that is deferred waits until then, without being overdue', () => {
    const until = new Date(NOW_MS + HOUR_MS).toISOString();
    const calls = { sent: 1, rateLimited: 1, retried: 0 };

    const state = foldAll(planning(), [eventOf({ type: 'deferred', until, calls })]);

    expect(state).toMatchObject({ untilMs: NOW_MS + HOUR_MS, calls });
  });

  it('gives each row what the gate says becomes of it', () => {
    const rowStatuses = Uint8Array.of(0, 0, 0, rowStatusOf('unchanged'), rowStatusOf('failed', 'PROTECTED'));
    const gate = gateOf(5, { rowStatuses: packRowStatuses(rowStatuses) });

    const state = foldAll(foldAll(undefined, [validated()], { validation: validationOf(5) }), [gated()], { gate });

    expect(state.rowStatuses).toEqual(rowStatuses);
    expect(summaryOf(state).counts).toMatchObject({ rows: 5, unchanged: 1, failed: 1 });
  });

  it('promise 3: waits for whatever reason the gate gives, and nothing is released', () => {
    const reasons = [{ code: 'APPROVAL_REQUIRED' as const, message: 'look' }];

    const state = foldAll(planning(), [gated()], { gate: gateOf(10, { reasons }) });

    expect(state).toMatchObject({ state: 'waiting', waitReasons: reasons, released: 0, reportDue: true });
    expect(state.appliedAt).toBeUndefined();
  });

  it('of a dry run ends the job, whatever there is to wait for', () => {
    const reasons = [{ code: 'APPROVAL_REQUIRED' as const, message: 'look' }];

    const state = foldAll(planning(), [gated()], { gate: gateOf(10, { mode: 'dry-run', reasons }) });

    expect(state).toMatchObject({ state: 'completed', released: 0 });
    expect(summaryOf(state)).toMatchObject({ codes: { DRY_RUN: 10 }, mode: 'dry-run' });
  });

  it('of a file that asks for a later time is not begun before', () => {
    const notBefore = new Date(NOW_MS + HOUR_MS).toISOString();
    const job = { ...JOB, options: { notBefore } };

    expect(foldAll(undefined, [validated(job)])).toMatchObject({
      state: 'waiting',
      waitReasons: [{ code: 'NOT_BEFORE' }],
      outbox: {},
    });
    expect(foldAll(undefined, [validated(job)], { nowMs: NOW_MS + HOUR_MS })).toMatchObject({ state: 'planning' });
  });
});

describe('an approval', () => {
  const waiting = (code: WaitReasonCode = 'APPROVAL_REQUIRED', more: Partial<Gate> = {}): State =>
    foldAll(planning(), [gated()], { gate: gateOf(10, { reasons: [{ code, message: 'look' }], ...more }) });
  const problemOf = (state: State): string => state.problems.map(({ message }) => message).join();

  it('of the plan lets it be applied, and its giver is named', () => {
    const state = foldAll(waiting(), [approved({}, { principal: 'bob' })]);

    expect(state).toMatchObject({
      state: 'running',
      waitReasons: [],
      actors: [{ action: 'approve', principal: 'bob' }],
    });
  });

  it.each([
    ['without a hash', undefined, 'did not hold the hash'],
    ['of another plan', { hash: 'b2'.repeat(32), accepts: [] }, 'for another plan'],
  ])('%s releases nothing, and is told', (_, approval, told) => {
    const state = foldAll(waiting(), [commanded('approve', { approval })]);

    expect(state.state).toBe('waiting');
    expect(problemOf(state)).toContain(told);
  });

  it('that comes early or again releases nothing, and is told', () => {
    expect(problemOf(foldAll(planning(), [approved()]))).toContain('did not wait');
    expect(problemOf(foldAll(running(), [approved()]))).toContain('did not wait');
  });

  it.each(['TOO_MANY_PEOPLE', 'MANY_REFUSED', 'REPEATED_FILE', 'WRONG_FOLDER'] as const)(
    'accepts %s only by its name',
    (code) => {
      const state = foldAll(waiting(code), [approved({ accepts: ['NOT_BEFORE'] })]);

      expect(state.state).toBe('waiting');
      expect(problemOf(state)).toContain(code);
      expect(foldAll(state, [approved({ accepts: [code] })]).state).toBe('running');
    },
  );

  it('is not for whoever uploaded the file, where two persons are asked for', () => {
    const job = { ...JOB, uploadedBy: 'ann' };
    const reasons = [{ code: 'APPROVAL_REQUIRED' as const, message: 'look' }];
    const state = foldAll(undefined, [validated(job)]);
    const asked = foldAll(state, [gated()], { gate: gateOf(10, { reasons, twoPersons: true }) });

    expect(foldAll(asked, [approved({}, { principal: 'ann' })]).state).toBe('waiting');
    expect(foldAll(asked, [approved()]).state).toBe('waiting');
    expect(foldAll(asked, [approved({}, { principal: 'bob' })]).state).toBe('running');
  });

  it('of one step is none of the next', () => {
    const state = waiting('STEP', { steps: 3 });

    expect(foldAll(state, [approved({ step: 2 })]).state).toBe('waiting');
    expect(foldAll(state, [approved({ step: 1 })])).toMatchObject({ state: 'running', approval: { steps: 1 } });
  });

  it('later than an hour plans the job anew: the same plan runs, another waits', () => {
    const later = { nowMs: NOW_MS + HOUR_MS + 1 };
    const anew = foldAll(waiting(), [approved()], later);
    const other = { ...later, gate: gateOf(10, { hash: 'c3'.repeat(32) }) };

    expect(anew).toMatchObject({ state: 'planning', plan: { attempt: 2 }, released: 0 });
    expect(foldAll(anew, [gated(2)], later).state).toBe('running');
    expect(foldAll(anew, [gated(2)], other)).toMatchObject({
      state: 'waiting',
      waitReasons: [{ code: 'CHANGED_PLAN' }],
      approval: undefined,
    });
  });

  it('that plans the job anew forgets what the former plan made of its rows', () => {
    const rowStatuses = new Uint8Array(10).fill(rowStatusOf('failed', 'PROTECTED'), 0, 3);
    const outcomeChunks = [{ name: 'gate-1-x', firstRow: 0, lastRow: 2 }];
    const gate = gateOf(10, {
      rowStatuses: packRowStatuses(rowStatuses),
      outcomeChunks,
      reasons: [{ code: 'APPROVAL_REQUIRED', message: 'look' }],
    });
    const asked = foldAll(planning(), [gated()], { gate });

    const anew = foldAll(asked, [approved()], { nowMs: NOW_MS + HOUR_MS + 1 });

    expect(asked).toMatchObject({ chunks: outcomeChunks });
    expect([...anew.rowStatuses]).toEqual(Array<number>(10).fill(PENDING));
    expect(anew.chunks).toEqual([]);
  });

  it('that was given before a stop does nothing; a cancel wins in any order', () => {
    const cancel = commanded('cancel', { afterMs: 2_000 });
    const early = approved({}, { afterMs: 1_000 });

    expect(foldAll(waiting(), [early, cancel]).state).toBe('cancelled');
    expect(foldAll(waiting(), [cancel, early]).state).toBe('cancelled');
  });

  it('counts once, by the version of the object that gave it', () => {
    const again = () => approved({}, { versionId: 'v7' });
    const paused = foldAll(waiting(), [again(), commanded('pause', { afterMs: 1 })]);

    expect(foldAll(paused, [again()])).toMatchObject({ state: 'paused', problems: [] });
  });
});

describe('a command', () => {
  const pause = (afterMs: number, versionId = `pause-${afterMs}`) => commanded('pause', { afterMs, versionId });
  const resume = (afterMs: number, versionId = `resume-${afterMs}`) => commanded('resume', { afterMs, versionId });
  /** S3 tells of the same object again. */
  const again = (event: JobEvent): JobEvent => ({ ...event, id: `${event.id} again` });

  it('that is told again does not undo a later one, in whatever order they come again', () => {
    const [stop, go, stopAgain] = [pause(1_000), resume(2_000), pause(3_000)];

    expect(foldAll(running(), [stop, go, again(stop)]).state).toBe('running');
    expect(foldAll(running(), [stop, go, stopAgain, again(go), again(stop)]).state).toBe('paused');
    expect(foldAll(running(), [stop, go, stopAgain, resume(4_000), again(stopAgain), again(stop)]).state).toBe(
      'running',
    );
  });

  it('that stops counts however late it comes, and one that lets go on loses against every later stop', () => {
    const order = fc.shuffledSubarray([pause(1_000), resume(2_000), pause(3_000), resume(2_500)], { minLength: 4 });
    fc.assert(
      fc.property(order, fc.boolean(), (events, twice) => {
        const told = twice ? events.flatMap((event) => [event, again(event)]) : events;

        expect(foldAll(running(), told).state).toBe('paused');
      }),
    );
  });

  it('is ordered by time, whether or not S3 writes milliseconds', () => {
    const stop = { ...pause(0), at: '2026-11-21T09:00:01Z' };
    const go = { ...resume(0), at: '2026-11-21T09:00:01.500Z' };

    expect(foldAll(running(), [stop, go]).state).toBe('running');
  });

  it('to resume does not undo a halt that it did not know of', () => {
    const halted = foldAll(running(), [eventOf({ type: 'halted', code: 'UNAUTHORIZED', message: 'no' })], {
      nowMs: NOW_MS + 5_000,
    });

    expect(foldAll(halted, [resume(4_000)]).state).toBe('halted');
    expect(foldAll(halted, [resume(6_000)])).toMatchObject({ state: 'running', halt: undefined });
  });

  it('that came before its job was known counts', () => {
    expect(foldAll(undefined, [commanded('cancel'), validated()]).state).toBe('cancelled');
    expect(foldAll(undefined, [pause(0), validated()])).toMatchObject({
      state: 'paused',
      former: 'planning',
      rows: 10,
    });
  });

  it('to pause counts while the file is read: what is read is kept, and planned once it is resumed', () => {
    const paused = foldAll(undefined, [eventOf({ type: 'validating', job: JOB }), pause(0)]);
    const read = foldAll(paused, [validated()]);

    expect(paused.state).toBe('paused');
    expect(read).toMatchObject({ state: 'paused', former: 'planning', rows: 10, outbox: {} });
    expect(foldAll(read, [resume(1)])).toMatchObject({ state: 'planning', outbox: { plan: { sentAtMs: 0 } } });
    expect(foldAll(paused, [resume(1)]).state).toBe('validating');
    expect(foldAll(foldAll(paused, [resume(1)]), [validated()]).state).toBe('planning');
  });

  it('to pause leaves a file that is refused refused, and one that is to wait waiting once it is resumed', () => {
    const reading = eventOf({ type: 'validating', job: JOB });
    const rejected = eventOf({ type: 'rejected', job: JOB, problems: [{ message: 'no header' }] });
    const notBefore = new Date(NOW_MS + HOUR_MS).toISOString();
    const paused = foldAll(undefined, [pause(0), validated({ ...JOB, options: { notBefore } })]);

    expect(foldAll(undefined, [reading, pause(0), rejected]).state).toBe('rejected');
    expect(foldAll(paused, [resume(1)])).toMatchObject({ state: 'waiting', waitReasons: [{ code: 'NOT_BEFORE' }] });
  });
});

describe('a row that waits for another one', () => {
  const gate = gateOf(3, {
    rowStatuses: packRowStatuses(Uint8Array.of(AWAITING_ROW, PENDING, AWAITING_ROW)),
    dependencies: [
      [0, 2, 1, 3],
      [2, 4, 0, 2],
    ],
  });
  const released = (): State => ({
    ...foldAll(foldAll(undefined, [validated()], { validation: validationOf(3) }), [gated()], { gate }),
    released: 3,
  });

  it.each(['changed', 'unchanged'] as const)('is let go when that one is %s', (status) => {
    const state = foldAll(released(), [recorded([outcomeOf(1, { status })])]);

    expect(state.freed).toEqual([0]);
    expect(foldAll(state, [recorded([outcomeOf(0)])]).freed).toEqual([0, 2]);
  });

  it('fails with it, and so do those that wait for it in turn, naming the line', () => {
    const state = foldAll(released(), [recorded([outcomeOf(1, { status: 'failed', code: 'FORBIDDEN' })])]);

    expect(summaryOf(state)).toMatchObject({ counts: { failed: 3 }, codes: { EMAIL_IN_USE: 2, FORBIDDEN: 1 } });
    expect(state.tail.map((entry) => 'message' in entry && entry.message).join()).toContain('Line 3 should have freed');
    expect(state.freed).toEqual([]);
  });

  it('fails at the end of a chain of a hundred thousand', () => {
    const rows = 100_000;
    const rowStatuses = packRowStatuses(new Uint8Array(rows).fill(AWAITING_ROW, 1));
    const dependencies = Array.from({ length: rows - 1 }, (_, n): [number, number, number, number] => [
      n + 1,
      n + 3,
      n,
      n + 2,
    ]);
    const planned = foldAll(undefined, [validated()], { validation: validationOf(rows) });
    const begun = foldAll(planned, [gated()], { gate: gateOf(rows, { rowStatuses, dependencies }) });

    const state = foldAll(begun, [recorded([outcomeOf(0, { status: 'failed', code: 'FORBIDDEN' })])]);

    expect(summaryOf(state).codes).toEqual({ EMAIL_IN_USE: rows - 1, FORBIDDEN: 1 });
  });
});
