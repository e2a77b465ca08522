import fc from 'fast-check';
import { expect, it } from 'vitest';

import { awaitedBy, circleFrom, orderStep } from '../../../functions/splitter/order.ts';
import { CONTRADICTION } from '../../../functions/splitter/repeats.ts';
import { createRowTable, rowStatusAt } from '../../../functions/splitter/row-table.ts';
import { PENDING } from '../../../shared/job/row-status.ts';

/** Rows by the address that each frees and takes; no address is freed twice, and none taken twice. */
const moves = fc.integer({ min: 0, max: 9 }).chain((size) => {
  const addresses = Array.from({ length: size }, (_, index) => `a${index}`);
  const shuffled = fc.shuffledSubarray(addresses, { minLength: size });
  return fc.tuple(shuffled, fc.shuffledSubarray([...addresses, 'new1', 'new2'], { minLength: size, maxLength: size }));
});

it('finds whom each row waits for, and exactly the rows that stand in circles', () => {
  fc.assert(
    fc.property(moves, ([frees, takes]) => {
      const rows = frees.length;
      const table = createRowTable(rows);
      const step = orderStep(table);
      frees.forEach((address, row) => step.free(row, address));
      takes.forEach((address, row) => step.take(row, address));

      const { waiting, circling } = step.finish(rows);

      const awaited = takes.map((address, row) => {
        const freeing = frees.indexOf(address);
        return freeing < 0 || freeing === row ? undefined : freeing;
      });
      const returns = awaited.map((_, row) => {
        let next = awaited[row];
        for (let steps = 0; steps < rows && next !== undefined && next !== row; steps += 1) next = awaited[next];
        return next === row;
      });
      expect(awaited.map((_, row) => awaitedBy(table, row))).toEqual(awaited);
      expect(returns.map((_, row) => rowStatusAt(table, row))).toEqual(
        returns.map((is) => (is ? CONTRADICTION : PENDING)),
      );
      expect(waiting).toBe(awaited.filter((row) => row !== undefined).length);
      expect(circling).toBe(returns.filter(Boolean).length);
    }),
    { numRuns: 500 },
  );
});

it('names the rows of a circle from any of them on', () => {
  const table = createRowTable(3);
  const step = orderStep(table);
  ['a', 'b', 'c'].forEach((address, row) => step.free(row, address));
  ['b', 'c', 'a'].forEach((address, row) => step.take(row, address));
  step.finish(3);

  expect(circleFrom(table, 1, 10)).toEqual([1, 2, 0]);
  expect(circleFrom(table, 1, 2)).toEqual([1, 2]);
});

it('follows a chain of many thousand rows', () => {
  const rows = 100_000;
  const table = createRowTable(rows);
  const step = orderStep(table);
  for (let row = 0; row < rows; row += 1) step.free(row, `a${row}`);
  for (let row = 0; row < rows; row += 1) step.take(row, `a${row + 1}`);

  expect(step.finish(rows)).toEqual({ waiting: rows - 1, circling: 0 });
});
