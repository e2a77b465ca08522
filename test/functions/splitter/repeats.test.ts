import fc from 'fast-check';
import { expect, it } from 'vitest';

import { hashText } from '../../../functions/splitter/hash.ts';
import { subjectStep, CONTRADICTION, DUPLICATE } from '../../../functions/splitter/repeats.ts';
import { createRowTable, rowStatusAt, partnerOf } from '../../../functions/splitter/row-table.ts';
import { PENDING } from '../../../shared/job/row-status.ts';
import type { SubjectKey } from '../../../shared/operations/operation.ts';

const keys = fc.array(
  fc.record({ subject: fc.constantFrom('a', 'b', 'c', 'd', 'e'), desired: fc.constantFrom('x', 'x', 'x', 'y') }),
  { maxLength: 12 },
);

/** The row status and partner of a row, said as plainly as can be. */
function plainly(all: readonly SubjectKey[], row: number): readonly [number, number?] {
  const { subject, desired } = all[row] ?? { subject: '', desired: '' };
  const same = all.flatMap((key, index) => (key.subject === subject ? [index] : []));
  const other = same.find((index) => all[index]?.desired !== desired);
  if (other !== undefined) return [CONTRADICTION, other];
  return same[0] === row ? [PENDING] : [DUPLICATE, same[0]];
}

it('tells repeats and contradictions, and the first row that each is one to', () => {
  fc.assert(
    fc.property(keys, (all) => {
      const table = createRowTable(all.length);
      const step = subjectStep(table, { findsRepeats: true });
      all.forEach((key, row) => step.add(row, key));

      const settled = step.finish();

      const plain = all.map((_, row) => plainly(all, row));
      const found = all.map((_, row) => {
        const rowStatus = rowStatusAt(table, row);
        return rowStatus === PENDING ? [rowStatus] : [rowStatus, partnerOf(table, row)];
      });
      expect(found).toEqual(plain);
      expect(settled).toBe(plain.filter(([rowStatus]) => rowStatus !== PENDING).length);
    }),
    { numRuns: 500 },
  );
});

it('takes no row for a repeat that agrees with another on a further subject alone', () => {
  const table = createRowTable(2);
  const step = subjectStep(table, { findsRepeats: false });
  step.add(0, { subject: 'address', desired: 'account' });
  step.add(1, { subject: 'address', desired: 'account' });

  expect(step.finish()).toBe(0);
  expect(rowStatusAt(table, 1)).toBe(PENDING);
});

it('tells very many repeats of one row in time', () => {
  const rows = 200_000;
  const table = createRowTable(rows);
  const step = subjectStep(table, { findsRepeats: true });
  for (let row = 0; row < rows; row += 1) step.add(row, { subject: row === 7 ? 'other' : 'same', desired: 'x' });

  expect(step.finish()).toBe(rows - 2);
  expect([rowStatusAt(table, 7), rowStatusAt(table, 8)]).toEqual([PENDING, DUPLICATE]);
});

it('gives texts that differ in little hashes that differ', () => {
  const seen = new Set<string>();
  const hash = { high: 0, low: 0 };
  const texts = Array.from({ length: 60_000 }, (_, index) => [
    `email:user${index}@acme.example`,
    `${index}`,
    `a${index}/g`,
  ]).flat();
  for (const text of [...texts, '', '\0', '\0\0', 'a', 'a\0']) {
    hashText(text, hash);
    seen.add(`${hash.high}/${hash.low}`);
  }

  expect(seen.size).toBe(180_005);
});
