import type { TextHash } from './hash.ts';

const ROW_BITS = 23;
const ROW_MASK = 2 ** ROW_BITS - 1;
const STATUS_BITS = 8;
const STATUS_MASK = 2 ** STATUS_BITS - 1;
const FRESH = 2 ** 31;

/** A table cannot number more rows than this. */
export const MOST_ROWS = 2 ** ROW_BITS;

/**
 * Sixteen bytes a row, all that a validation keeps of the rows it has read. The system gives the memory page by page as it is
 * written to, so a table with room for more rows than there are costs what those there are use.
 */
export interface RowTable {
  /** In the order of writing, until they are sorted: 41 bits of a key's hash, then 23 bits of its row. */
  readonly words: BigUint64Array;
  /** The same memory by halves, the low one first, as on every processor that Lambda has. When the words have served, it holds a line a row. */
  readonly halves: Uint32Array;
  /** By row: 8 bits of row status, 23 further bits of the key's hash or a partner's row, 1 bit that says the row status is of this step. */
  readonly marks: Uint32Array;
  /** By row: the hash of a desired state, or the row that is waited for. */
  readonly others: Uint32Array;
}

export function createRowTable(rows: number): RowTable {
  const words = new BigUint64Array(rows);
  return {
    words,
    halves: new Uint32Array(words.buffer),
    marks: new Uint32Array(rows),
    others: new Uint32Array(rows),
  };
}

/** Writes a word; of the 64 bits of the hash, those that do not fit into it go beside the row's row status. */
export function writeWord(table: RowTable, index: number, row: number, { high, low }: TextHash): void {
  table.halves[2 * index] = ((low & ~ROW_MASK) | row) >>> 0;
  table.halves[2 * index + 1] = high;
  setPartner(table, row, low & ROW_MASK);
}

/** Brings words with equal hashes together, each group by row. */
export function sortWords({ words }: RowTable, count: number): void {
  words.subarray(0, count).sort();
}

export const rowOfWord = ({ halves }: RowTable, index: number): number => at(halves, 2 * index) & ROW_MASK;

/** Whether two words have the same 41 bits of hash. */
export const sameHash = ({ halves }: RowTable, one: number, other: number): boolean =>
  at(halves, 2 * one + 1) === at(halves, 2 * other + 1) &&
  at(halves, 2 * one) >>> ROW_BITS === at(halves, 2 * other) >>> ROW_BITS;

/** The row whose key has this hash, found in sorted words; `undefined` when there is none. */
export function findRow(table: RowTable, count: number, { high, low }: TextHash): number | undefined {
  const { halves } = table;
  let from = 0;
  for (let to = count; from < to;) {
    const middle = (from + to) >>> 1;
    const middleHigh = at(halves, 2 * middle + 1);
    const isBefore =
      middleHigh < high || (middleHigh === high && at(halves, 2 * middle) >>> ROW_BITS < low >>> ROW_BITS);
    if (isBefore) from = middle + 1;
    else to = middle;
  }
  for (let index = from; index < count && at(halves, 2 * index + 1) === high; index += 1) {
    if (at(halves, 2 * index) >>> ROW_BITS !== low >>> ROW_BITS) break;
    const row = rowOfWord(table, index);
    if (partnerOf(table, row) === (low & ROW_MASK)) return row;
  }
  return undefined;
}

export const rowStatusAt = ({ marks }: RowTable, row: number): number => at(marks, row) & STATUS_MASK;

/** Gives a row its row status in this step. */
export function settle(table: RowTable, row: number, rowStatus: number): void {
  table.marks[row] = ((at(table.marks, row) & ~STATUS_MASK) | rowStatus | FRESH) >>> 0;
}

/** The further bits of a row's hash, or its partner once it has one. */
export const partnerOf = ({ marks }: RowTable, row: number): number => (at(marks, row) >>> STATUS_BITS) & ROW_MASK;

export function setPartner({ marks }: RowTable, row: number, partner: number): void {
  marks[row] = ((at(marks, row) & (FRESH | STATUS_MASK)) | (partner << STATUS_BITS)) >>> 0;
}

/** Whether a row got its row status in this step. */
export const isFresh = ({ marks }: RowTable, row: number): boolean => at(marks, row) >= FRESH;

/** Ends the step for a row. */
export function unfreshen({ marks }: RowTable, row: number): void {
  marks[row] = at(marks, row) & (FRESH - 1);
}

/** Keeps a row's line where the words were. */
export function setLine({ halves }: RowTable, row: number, line: number): void {
  halves[row] = line;
}

export const lineOf = ({ halves }: RowTable, row: number): number => at(halves, row);

/** Every row's row status, a byte each, where the words were. */
export function rowStatusesOf(table: RowTable, rows: number): Uint8Array {
  const rowStatuses = new Uint8Array(table.words.buffer, 0, rows);
  for (let row = 0; row < rows; row += 1) rowStatuses[row] = rowStatusAt(table, row);
  return rowStatuses;
}

// Within bounds by construction: rows and words are counted before they are read.
const at = (array: Uint32Array, index: number): number => array[index] ?? 0;
