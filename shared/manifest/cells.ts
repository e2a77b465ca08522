import type { Cells } from '../operations/operation.ts';
import type { Columns } from './header.ts';
import { isBlank, trimIdentifier } from './identifiers.ts';
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
