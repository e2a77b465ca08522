import type { Cells } from '../operations/operation.ts';
import type { Columns } from './header.ts';
import type { ManifestLimits } from './refusal.ts';
import type { Row } from './rows.ts';
import { unescapeCell } from './write-csv.ts';

/** Takes our cells out of a row's: by canonical name, unescaped where Rollcall wrote them, trimmed; empty ones are absent. */
export function createCellReader({
  columns,
  escaped,
}: Pick<Columns, 'columns' | 'escaped'>): (row: Pick<Row, 'cells'>) => Cells {
  const ours = columns.flatMap((name, index) => (name === null ? [] : [{ name, index }]));
  return ({ cells }) => {
    const named: Record<string, string> = {};
    for (const { name, index } of ours) {
      const written = cells[index] ?? '';
      const cell = trimIdentifier(escaped ? unescapeCell(written) : written);
      if (cell.length > 0) named[name] = cell;
    }
    return named;
  };
}

/** Finds what is wrong with a row's shape: then nobody can say which cell belongs to which column. */
export function createShapeChecker(header: readonly string[]): (row: Row) => string | undefined {
  const width = header.length;
  const least = header.findLastIndex((cell) => !isBlank(cell)) + 1;
  return ({ cells, flaw }) => {
    if (flaw !== undefined) return flaw;
    if (cells.length < least)
      return `The row has ${counted(cells.length)} where the header has ${least}; add what is missing.`;
    if (cells.length <= width || cells.slice(width).every(isBlank)) return undefined;
    return `The row has ${counted(cells.length)} where the header has ${width}; put a cell that holds the delimiter in quotes.`;
  };
}

const counted = (cells: number): string => `${cells} ${cells === 1 ? 'cell' : 'cells'}`;

/** Finds what is wrong with a row's cells before anybody asks what they mean. */
export function checkCells(
  { cells }: Pick<Row, 'cells'>,
  ours: Cells,
  { cellCharacters }: ManifestLimits,
): readonly string[] {
  const problems: string[] = [];
  const tooLong = cells.findIndex((cell) => cell.length > cellCharacters);
  if (tooLong >= 0)
    problems.push(`Cell ${tooLong + 1} has more than the ${cellCharacters} characters that are allowed; shorten it.`);
  for (const name in ours) {
    const cell = ours[name] ?? '';
    if (UNREADABLE.test(cell) || !cell.isWellFormed())
      problems.push(`${name}: it holds a character that is not text; type the cell again.`);
  }
  return problems;
}

// Nothing that a person can type: such characters come from damaged files, and none of Atlassian's APIs takes them.
// oxlint-disable-next-line no-control-regex
const UNREADABLE = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F\uFFFD]/;

// Spaces of every width, and what has no width at all: zero-width spaces and joiners, soft hyphens, marks of
// direction, byte order marks. Pasted text brings them along, and nobody sees them.
const UNSEEN = /[\s\u00AD\u180E\u200B-\u200F\u202A-\u202E\u2060-\u2064\u2066-\u2069\uFEFF]/;

/** A cell without the spaces around it, non-breaking and zero-width ones included. */
export function trimIdentifier(cell: string): string {
  if (cell.length === 0 || (isPlain(cell.charCodeAt(0)) && isPlain(cell.charCodeAt(cell.length - 1)))) return cell;
  // From each end by itself: one expression for both would cost the square of a run of spaces that a cell holds inside.
  let start = 0;
  let end = cell.length;
  while (start < end && isUnseen(cell, start)) start += 1;
  while (end > start && isUnseen(cell, end - 1)) end -= 1;
  return cell.slice(start, end);
}

const isUnseen = (cell: string, at: number): boolean => !isPlain(cell.charCodeAt(at)) && UNSEEN.test(cell.charAt(at));

/** Whether nothing can be seen in a cell. */
export const isBlank = (cell: string): boolean => cell.length === 0 || trimIdentifier(cell).length === 0;

/** What column names are compared by: without case, spaces, `_` and `-`. */
export const columnKey = (name: string): string =>
  trimIdentifier(name)
    .toLowerCase()
    .replace(/[\s_-]+/g, '');

const isPlain = (code: number): boolean => code > 0x20 && code < 0x7f;
