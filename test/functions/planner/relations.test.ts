import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { type Relations, relateRows } from '../../../functions/planner/relations.ts';
import type { RowPlan } from '../../../shared/job/plan.ts';
import { NOW_MS } from '../../shared/job/building.ts';

type Key = { readonly subject: string; readonly desired: string; readonly inTurn?: true };

const which = (row: number) => ({ row, line: row + 2, at: new Date(NOW_MS).toISOString() });

const change = (row: number, keys: readonly Key[], by?: string): RowPlan => ({
  ...which(row),
  kind: 'change',
  subject: {},
  before: {},
  after: {},
  keys: [...keys],
  ...(by !== undefined && { blocked: { by, code: 'EMAIL_IN_USE', message: 'somebody has it' } }),
});
const noop = (row: number, keys: readonly Key[]): RowPlan => ({
  ...which(row),
  kind: 'noop',
  subject: {},
  before: {},
  keys: [...keys],
});
const refused = (row: number): RowPlan => ({
  ...which(row),
  kind: 'refused',
  code: 'USER_NOT_FOUND',
  message: 'nobody',
});

/** Relates rows that come in chunks of so many. */
const relate = (rows: readonly RowPlan[], chunk = 3): Promise<Relations> =>
  relateRows(async function* () {
    for (let from = 0; from < rows.length; from += chunk) yield rows.slice(from, from + chunk);
  });

const codesOf = ({ settled }: Relations): Readonly<Record<number, string>> =>
  Object.fromEntries([...settled].map(([row, { code }]) => [row, code]));

describe('rows that take turns', () => {
  const turn = (row: number, gets: string) =>
    change(row, [
      { subject: `ann gets ${gets}`, desired: '' },
      { subject: 'ann', desired: '', inTurn: true },
    ]);

  it('neither repeat nor contradict one another, and come after the first that is applied', async () => {
    const relations = await relate([turn(0, 'a'), turn(1, 'b'), refused(2), turn(3, 'a b'), turn(4, 'b')]);

    expect(codesOf(relations)).toEqual({ 4: 'DUPLICATE' });
    expect([...relations.dependencies]).toEqual([
      [1, 0],
      [3, 0],
    ]);
    expect([...relations.inTurn]).toEqual([1, 3]);
  });

  it('are free where nothing else is to be applied to their subject', async () => {
    const relations = await relate([noop(0, [{ subject: 'ann', desired: '' }]), turn(1, 'b')]);

    expect([...relations.dependencies]).toEqual([]);
  });
});

describe('rows about one subject', () => {
  it('that ask for the same are one row and its repeats', async () => {
    const key = { subject: 'ann', desired: 'suspended' };

    const relations = await relate([change(0, [key]), refused(1), noop(2, [key]), change(3, [key])]);

    expect(codesOf(relations)).toEqual({ 2: 'DUPLICATE', 3: 'DUPLICATE' });
    expect(relations.settled.get(3)?.message).toBe('The same as line 2.');
  });

  it('that ask for different things are all invalid, each naming a line that asks something else', async () => {
    const rows = ['x', 'x', 'y'].map((desired, row) => change(row, [{ subject: 'ann', desired }]));

    const { settled } = await relate(rows);

    expect([0, 1, 2].map((row) => settled.get(row))).toMatchObject([
      { status: 'invalid', code: 'CONTRADICTION', message: expect.stringContaining('Line 4 ') },
      { status: 'invalid', code: 'CONTRADICTION', message: expect.stringContaining('Line 4 ') },
      { status: 'invalid', code: 'CONTRADICTION', message: expect.stringContaining('Line 2 ') },
    ]);
  });

  it('are no repeats when they agree on a further key alone', async () => {
    const rows = ['ann', 'bob'].map((subject, row) =>
      change(row, [
        { subject, desired: 'x' },
        { subject: 'address', desired: 'account' },
      ]),
    );

    expect(codesOf(await relate(rows))).toEqual({});
  });

  it('contradict one another on a further key', async () => {
    const rows = ['ann', 'bob'].map((subject, row) =>
      change(row, [
        { subject, desired: 'new@x' },
        { subject: 'address new@x', desired: subject },
      ]),
    );

    expect(codesOf(await relate(rows))).toEqual({ 0: 'CONTRADICTION', 1: 'CONTRADICTION' });
  });

  it('come to the same in any order and in any chunks', async () => {
    const key = fc.record({ subject: fc.constantFrom('a', 'b', 'c', 'd'), desired: fc.constantFrom('x', 'x', 'y') });
    await fc.assert(
      fc.asyncProperty(
        fc.array(key, { maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        fc.infiniteStream(fc.nat()),
        async (keys, chunk, dice) => {
          const order = keys.map((_, index) => ({ index, at: dice.next().value as number }));
          const shuffled = order.toSorted((one, other) => one.at - other.at).map(({ index }) => index);

          const straight = codesOf(
            await relate(
              keys.map((one, row) => change(row, [one])),
              100,
            ),
          );
          const crossed = codesOf(
            await relate(
              shuffled.map((index, row) => change(row, [keys[index]!])),
              chunk,
            ),
          );

          const contradicting = (codes: Readonly<Record<number, string>>, indexOf: (row: number) => number) =>
            Object.entries(codes)
              .flatMap(([row, code]) => (code === 'CONTRADICTION' ? [indexOf(Number(row))] : []))
              .toSorted((a, b) => a - b);
          expect(contradicting(crossed, (row) => shuffled[row]!)).toEqual(contradicting(straight, (row) => row));
          expect(Object.values(crossed).toSorted()).toEqual(Object.values(straight).toSorted());
        },
      ),
    );
  });
});

/** A row that gives its person another address; it is blocked by whoever holds that. */
const move = (row: number, who: string, to: string, by?: string): RowPlan =>
  change(
    row,
    [
      { subject: who, desired: to },
      { subject: `address ${to}`, desired: who },
    ],
    by,
  );

describe('a row that takes an address', () => {
  it('waits for the row that frees it, by whomever that row is named', async () => {
    const { dependencies, settled } = await relate([move(0, 'ann', 'b@x', 'bob'), move(1, 'bob', 'c@x')]);

    expect([...dependencies]).toEqual([[0, 1]]);
    expect(settled.size).toBe(0);
  });

  it('fails where no row frees it, and so does whoever waits for it', async () => {
    const { dependencies, settled } = await relate([
      move(0, 'ann', 'b@x', 'bob'),
      move(1, 'bob', 'c@x', 'cid'),
      refused(2),
    ]);

    expect(dependencies.size).toBe(0);
    expect([...settled].map(([row, { code, status }]) => [row, code, status]).toSorted()).toEqual([
      [0, 'EMAIL_IN_USE', 'failed'],
      [1, 'EMAIL_IN_USE', 'failed'],
    ]);
  });

  it('fails where the row that should free it changes nothing', async () => {
    const rows = [move(0, 'ann', 'b@x', 'bob'), noop(1, [{ subject: 'bob', desired: 'b@x' }])];

    expect(codesOf(await relate(rows))).toEqual({ 0: 'EMAIL_IN_USE' });
  });

  it('is invalid in a circle, which is named; and fails behind one', async () => {
    const { settled, dependencies } = await relate([
      move(0, 'ann', 'b@x', 'bob'),
      move(1, 'bob', 'c@x', 'cid'),
      move(2, 'cid', 'a@x', 'ann'),
      move(3, 'dan', 'c2@x', 'cid'),
    ]);

    expect(dependencies.size).toBe(0);
    expect([0, 1, 2, 3].map((row) => settled.get(row)?.code)).toEqual([
      'CONTRADICTION',
      'CONTRADICTION',
      'CONTRADICTION',
      'EMAIL_IN_USE',
    ]);
    expect(settled.get(1)?.message).toMatch(/^Lines 3, 4 and 2 take one another's addresses in a circle/);
  });

  it('follows a chain of a hundred thousand rows in time', async () => {
    const rows = Array.from({ length: 100_000 }, (_, row) => move(row, `p${row}`, `a${row + 1}@x`, `p${row + 1}`));

    const { dependencies, settled } = await relate([...rows, move(100_000, 'p100000', 'free@x')], 2_500);

    expect(dependencies.size).toBe(100_000);
    expect(settled.size).toBe(0);
  });
});
