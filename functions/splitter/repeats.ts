import { rowStatusOf, PENDING } from '../../shared/job/row-status.ts';
import type { SubjectKey } from '../../shared/operations/operation.ts';
import { hashText, type TextHash } from './hash.ts';
import {
  rowStatusAt,
  partnerOf,
  rowOfWord,
  sameHash,
  setPartner,
  settle,
  sortWords,
  writeWord,
  type RowTable,
} from './row-table.ts';

export const DUPLICATE = rowStatusOf('unprocessed', 'DUPLICATE');
export const CONTRADICTION = rowStatusOf('invalid', 'CONTRADICTION');

/** One subject of each row, put side by side: which rows repeat an earlier one, and which contradict each other. */
export interface SubjectStep {
  readonly add: (row: number, key: SubjectKey) => void;
  /** Settles the rows that repeat or contradict, with the row they do so to as their partner; says how many. */
  readonly finish: () => number;
}

/** Only a row's first subject can make it a repeat; two rows that agree on another one alone desire different things. */
export function subjectStep(table: RowTable, options: { readonly findsRepeats: boolean }): SubjectStep {
  const hash: TextHash = { high: 0, low: 0 };
  let count = 0;
  return {
    add: (row, { subject, desired }) => {
      hashText(desired, hash);
      table.others[row] = hash.high;
      hashText(subject, hash);
      writeWord(table, count, row, hash);
      count += 1;
    },
    finish: () => {
      sortWords(table, count);
      let settled = 0;
      for (let from = 0, to = 1; from < count; from = to, to += 1) {
        while (to < count && sameHash(table, from, to)) to += 1;
        if (to - from > 1) settled += settleSameHash(table, { from, to }, options.findsRepeats);
      }
      return settled;
    },
  };
}

/** Rows of one subject, first row first. */
interface Group {
  readonly size: number;
  readonly row: (index: number) => number;
}

function settleSameHash(
  table: RowTable,
  { from, to }: { readonly from: number; readonly to: number },
  repeats: boolean,
): number {
  const rest = partnerOf(table, rowOfWord(table, from));
  let same = from + 1;
  while (same < to && partnerOf(table, rowOfWord(table, same)) === rest) same += 1;
  if (same === to)
    return settleGroup(table, { size: to - from, row: (index) => rowOfWord(table, from + index) }, repeats);

  // Different subjects whose words are alike by chance: the further bits tell them apart.
  const rows = Array.from({ length: to - from }, (_, index) => rowOfWord(table, from + index));
  const subjects = [...Map.groupBy(rows, (row) => partnerOf(table, row)).values()].filter((group) => group.length > 1);
  return subjects.reduce(
    (settled, group) =>
      settled + settleGroup(table, { size: group.length, row: (index) => group[index] ?? 0 }, repeats),
    0,
  );
}

function settleGroup(table: RowTable, group: Group, repeats: boolean): number {
  const first = group.row(0);
  const desired = table.others[first];
  const other = rowDesiringOther(table, group, desired);
  if (other === undefined && !repeats) return 0;
  let settled = 0;
  for (let index = 0; index < group.size; index += 1) {
    const row = group.row(index);
    if (other === undefined && row === first) continue;
    if (rowStatusAt(table, row) !== PENDING) continue;
    settle(table, row, other === undefined ? DUPLICATE : CONTRADICTION);
    setPartner(table, row, other !== undefined && table.others[row] === desired ? other : first);
    settled += 1;
  }
  return settled;
}

function rowDesiringOther(table: RowTable, group: Group, desired: number | undefined): number | undefined {
  for (let index = 1; index < group.size; index += 1)
    if (table.others[group.row(index)] !== desired) return group.row(index);
  return undefined;
}
