import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  circleMessage,
  CONTRADICTION,
  createConflicts,
  createOrder,
  createSubjects,
} from '../../../functions/splitter/relations.ts';
import { PENDING, rowStatusOf } from '../../../shared/job/row-status.ts';
import type { SubjectKey } from '../../../shared/operations/operation.ts';

const DUPLICATE = rowStatusOf('unprocessed', 'DUPLICATE');

const claims = fc.array(
  fc.record({ subject: fc.constantFrom('a', 'b', 'c', 'd', 'e'), desired: fc.constantFrom('x', 'x', 'x', 'y') }),
  { maxLength: 12 },
);

/** Compares rows as a validation does: all once, and again those that claim what others do. */
function settle(rowStatuses: number[], claimsOf: (row: number) => readonly SubjectKey[]): ReadonlyMap<number, number> {
  const subjects = createSubjects();
  for (const row of rowStatuses.keys()) subjects.add(claimsOf(row));
  const partners = new Map<number, number>();
  for (const [place, repeated] of subjects.repeated().entries()) {
    const conflicts = createConflicts(repeated);
    for (const row of rowStatuses.keys())
      for (const claim of claimsOf(row).slice(place, place + 1)) conflicts.add(row, claim);
    for (const [row, partner] of conflicts.settle(rowStatuses, { findsRepeats: place === 0 }))
      partners.set(row, partner);
  }
  return partners;
}

/** The row status and partner of a row, said as plainly as can be. */
function plainly(all: readonly SubjectKey[], row: number): readonly [number, number?] {
  const { subject, desired } = all[row] ?? { subject: '', desired: '' };
  const same = all.flatMap((claim, index) => (claim.subject === subject ? [index] : []));
  const other = same.find((index) => all[index]?.desired !== desired);
  if (other !== undefined) return [CONTRADICTION, other];
  return same[0] === row ? [PENDING] : [DUPLICATE, same[0]];
}

describe('rows side by side', () => {
  it('are told as repeats and contradictions, each with the first row that it is one to', () => {
    fc.assert(
      fc.property(claims, (all) => {
        const rowStatuses = all.map(() => PENDING);

        const partners = settle(rowStatuses, (row) => [all[row]!]);

        const found = rowStatuses.map((rowStatus, row) =>
          rowStatus === PENDING ? [rowStatus] : [rowStatus, partners.get(row)],
        );
        expect(found).toEqual(all.map((_, row) => plainly(all, row)));
        expect(partners.size).toBe(rowStatuses.filter((rowStatus) => rowStatus !== PENDING).length);
      }),
      { numRuns: 500 },
    );
  });

  it('are no repeats when they agree on a further claim alone', () => {
    const rowStatuses = [PENDING, PENDING];

    const partners = settle(rowStatuses, (row) => [
      { subject: `account ${row}`, desired: 'x' },
      { subject: 'address', desired: 'account' },
    ]);

    expect(partners.size).toBe(0);
    expect(rowStatuses).toEqual([PENDING, PENDING]);
  });

  it('leave out rows that claim nothing, wherever they stand', () => {
    const rowStatuses = [PENDING, 7, PENDING, 7, PENDING];

    const partners = settle(rowStatuses, (row) =>
      rowStatuses[row] === PENDING ? [{ subject: 'same', desired: row === 2 ? 'y' : 'x' }] : [],
    );

    expect([...partners].toSorted()).toEqual([
      [0, 2],
      [2, 0],
      [4, 2],
    ]);
    expect(rowStatuses).toEqual([CONTRADICTION, 7, CONTRADICTION, 7, CONTRADICTION]);
  });

  it('are compared in time when very many repeat one', () => {
    const rows = 200_000;
    const rowStatuses = Array.from({ length: rows }, () => PENDING);

    const partners = settle(rowStatuses, (row) => [{ subject: row === 7 ? 'other' : 'same', desired: 'x' }]);

    expect(partners.size).toBe(rows - 2);
    expect([rowStatuses[7], rowStatuses[8]]).toEqual([PENDING, DUPLICATE]);
  });
});

/** Rows by the address that each frees and takes; no address is freed twice, and none taken twice. */
const moves = fc.integer({ min: 0, max: 9 }).chain((size) => {
  const addresses = Array.from({ length: size }, (_, index) => `a${index}`);
  const shuffled = fc.shuffledSubarray(addresses, { minLength: size });
  return fc.tuple(shuffled, fc.shuffledSubarray([...addresses, 'new1', 'new2'], { minLength: size, maxLength: size }));
});

describe('rows that take an address which another row frees', () => {
  it('wait for that row, and exactly those that wait for each other stand in circles', () => {
    fc.assert(
      fc.property(moves, ([freed, taken]) => {
        const order = createOrder();
        freed.forEach((frees, row) => order.add(row, { frees, takes: taken[row] }));

        const { awaited, circles } = order.find();

        const awaits = taken.map((address, row) => {
          const other = freed.indexOf(address);
          return other < 0 || other === row ? undefined : other;
        });
        const returns = awaits.map((_, row) => {
          let next = awaits[row];
          for (let steps = 0; steps < freed.length && next !== undefined && next !== row; steps += 1)
            next = awaits[next];
          return next === row;
        });
        expect(awaits.map((_, row) => awaited.get(row))).toEqual(awaits);
        expect(circles.flat().toSorted()).toEqual(returns.flatMap((is, row) => (is ? [row] : [])));
      }),
      { numRuns: 500 },
    );
  });

  it('are named from each of a circle on, no more than ten', () => {
    const lines = Array.from({ length: 20 }, (_, row) => row + 2);

    expect(circleMessage([0, 1, 2], 1, lines)).toMatch(/^Lines 3, 4 and 2 take one another's/);
    expect(circleMessage([...lines.keys()], 0, lines)).toMatch(/^Lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and others take/);
  });

  it('are found in a chain of many thousand', () => {
    const rows = 100_000;
    const order = createOrder();
    for (let row = 0; row < rows; row += 1) order.add(row, { frees: `a${row}`, takes: `a${row + 1}` });

    const { awaited, circles } = order.find();

    expect([awaited.size, circles]).toEqual([rows - 1, []]);
  });
});
