import { PENDING } from '../../shared/job/row-status.ts';
import { hashText, type TextHash } from './hash.ts';
import { CONTRADICTION } from './repeats.ts';
import { rowStatusAt, findRow, settle, sortWords, writeWord, type RowTable } from './row-table.ts';

/** Which row waits for which: the addresses that rows free are noted first, then those that rows take are looked up. */
export interface OrderStep {
  readonly free: (row: number, address: string) => void;
  readonly take: (row: number, address: string) => void;
  /** Settles the rows that wait for each other in a circle; says how many rows wait, and how many stand in circles. */
  readonly finish: (rows: number) => { readonly waiting: number; readonly circling: number };
}

// What `others` holds for a row: nothing, or the awaited row and how far the search for circles has come.
const NONE = 0;
const AWAITED_MASK = 2 ** 24 - 1;
const ON_THIS_PATH = 2 ** 24;
const SEARCHED = 2 ** 25;

export function orderStep(table: RowTable): OrderStep {
  const hash: TextHash = { high: 0, low: 0 };
  let freed = 0;
  let sorted = false;
  return {
    free: (row, address) => {
      hashText(address, hash);
      writeWord(table, freed, row, hash);
      freed += 1;
    },
    take: (row, address) => {
      if (!sorted) {
        sortWords(table, freed);
        table.others.fill(NONE);
        sorted = true;
      }
      hashText(address, hash);
      const awaited = findRow(table, freed, hash);
      if (awaited !== undefined && awaited !== row) table.others[row] = awaited + 1;
    },
    finish: (rows) => settleCircles(table, rows),
  };
}

/** The row that a row waits for. */
export function awaitedBy({ others }: RowTable, row: number): number | undefined {
  const awaited = (others[row] ?? NONE) & AWAITED_MASK;
  return awaited === NONE ? undefined : awaited - 1;
}

/** The rows of a row's circle from it on, no more than `limit`. */
export function circleFrom(table: RowTable, start: number, limit: number): readonly number[] {
  const circle = [start];
  for (let row = awaitedBy(table, start); row !== undefined && row !== start; row = awaitedBy(table, row)) {
    circle.push(row);
    if (circle.length === limit) break;
  }
  return circle;
}

function settleCircles(table: RowTable, rows: number): { readonly waiting: number; readonly circling: number } {
  let waiting = 0;
  let circling = 0;
  for (let row = 0; row < rows; row += 1) {
    if (awaitedBy(table, row) === undefined) continue;
    waiting += 1;
    const met = follow(table, row, { from: 0, to: ON_THIS_PATH });
    if (met !== undefined && isOn(table, met, ON_THIS_PATH)) circling += settleCircle(table, met);
    follow(table, row, { from: ON_THIS_PATH, to: SEARCHED });
  }
  return { waiting, circling };
}

/** Marks the rows along a path, as long as they bear the mark `from`; the first row that does not. */
function follow(
  table: RowTable,
  start: number,
  mark: { readonly from: number; readonly to: number },
): number | undefined {
  let row: number | undefined = start;
  while (row !== undefined && ((table.others[row] ?? 0) & ~AWAITED_MASK) === mark.from) {
    table.others[row] = ((table.others[row] ?? 0) & AWAITED_MASK) | mark.to;
    row = awaitedBy(table, row);
  }
  return row;
}

const isOn = ({ others }: RowTable, row: number, mark: number): boolean =>
  ((others[row] ?? 0) & ~AWAITED_MASK) === mark;

function settleCircle(table: RowTable, start: number): number {
  let settled = 0;
  let row: number | undefined = start;
  do {
    if (rowStatusAt(table, row) === PENDING) settle(table, row, CONTRADICTION);
    settled += 1;
    row = awaitedBy(table, row);
  } while (row !== undefined && row !== start);
  return settled;
}
