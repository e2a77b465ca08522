import { distance } from 'fastest-levenshtein';

import type { Problem } from '../job/events.ts';
import type { CarriedColumn, Column, Recipe } from '../operations/operation.ts';
import { columnKey, trimIdentifier } from './cells.ts';
import { type ManifestLimits, ManifestRefused } from './refusal.ts';
import { unescapeCell } from './write-csv.ts';

/** What an operation wants of a header. */
export type Wanted = Pick<Recipe<unknown>, 'columns' | 'required' | 'readHeader'>;

/** What the columns of a manifest are, in the shape in which a validation keeps it. */
export interface Columns {
  /** For each column of the file, the canonical name of ours that it holds, or null. */
  readonly columns: readonly (string | null)[];
  /** Header cells that are not ours. */
  readonly carriedColumns: readonly string[];
  /** Whether Rollcall wrote the file, so that its cells are escaped. */
  readonly escaped: boolean;
}

/** Finds an operation's columns in a header. Throws ManifestRefused with everything that is wrong with it. */
export function mapHeader(
  header: { readonly line: number; readonly cells: readonly string[] },
  wanted: Wanted,
  limits: ManifestLimits,
): Columns {
  const { line } = header;
  const escaped = isOwnFile(header.cells);
  const cells = escaped ? header.cells.map(unescapeCell) : header.cells;
  const theirs = cells.filter((cell) => !isReportColumn(cell)).length;
  if (theirs > limits.columns) throw refusal(line, [tooMany(theirs, limits.columns)]);

  const names = aliasTable(wanted.columns);
  const named = cells.map((cell) => (isReportColumn(cell) ? null : (names.get(columnKey(cell)) ?? null)));
  const columns = wanted.readHeader?.(named) ?? named;
  const carriedColumns = carriedColumnsOf(cells, columns);

  const misspelt = misspellings(carriedColumns, [...named, ...columns], wanted.columns);
  const problems = [...doubled(cells, columns), ...misspelt.values(), ...missing(columns, wanted, misspelt)];
  if (problems.length > 0) throw refusal(line, problems);
  return { columns, carriedColumns, escaped };
}

/** The cells of a header that name columns which are not ours. */
export const carriedColumnsOf = (cells: readonly string[], columns: Columns['columns']): readonly string[] =>
  listCarried(cells, columns).flatMap(({ name }) => (trimIdentifier(name) === '' ? [] : [name]));

/** The columns that are not ours, those without a name too. */
export const listCarried = (cells: readonly string[], columns: Columns['columns']): readonly CarriedColumn[] =>
  cells
    .map((name, index) => ({ name, index }))
    .filter(({ name, index }) => columns[index] === null && !isReportColumn(name));

/** How many cells of a header an operation knows: what the delimiter is found by. */
export function countKnown(cells: readonly string[], columns: readonly Column[]): number {
  const names = aliasTable(columns);
  return cells.filter((cell) => isReportColumn(cell) || names.has(columnKey(cell))).length;
}

/** Whether Rollcall wrote the file: then its cells are escaped. */
const isOwnFile = (cells: readonly string[]): boolean =>
  cells.some((cell) => trimIdentifier(cell).toLowerCase() === 'rollcall_line');

/** Whether Rollcall adds this column to its reports; on the way in it is ignored. */
export const isReportColumn = (cell: string): boolean => trimIdentifier(cell).toLowerCase().startsWith('rollcall_');

const aliasTable = (columns: readonly Column[]): ReadonlyMap<string, string> =>
  new Map(columns.flatMap(({ name, aliases }) => [name, ...aliases].map((alias) => [columnKey(alias), name] as const)));

function doubled(cells: readonly string[], columns: readonly (string | null)[]): readonly string[] {
  const ours = [...new Set(columns.filter((name) => name !== null))];
  return ours.flatMap((name) => {
    const same = cells.filter((_, index) => columns[index] === name).map((cell) => quote(cell));
    return same.length < 2 ? [] : [`the columns ${same.join(' and ')} both mean ${name}; keep one of them`];
  });
}

/** For each column of ours that a carried one was taken for: the problem. A column that is there under its right name is not taken for misspelt. */
function misspellings(
  carried: readonly string[],
  present: readonly (string | null)[],
  columns: readonly Column[],
): ReadonlyMap<string, string> {
  const problems = new Map<string, string>();
  for (const { name, aliases } of columns.filter((column) => !present.includes(column.name))) {
    for (const cell of carried) {
      const alias = [name, ...aliases].find((candidate) => isNear(columnKey(cell), columnKey(candidate)));
      if (alias !== undefined)
        problems.set(
          name,
          `the column ${quote(cell)} looks like ${quote(alias)} misspelt; rename it to that, or to something unlike it`,
        );
    }
  }
  return problems;
}

/** One letter off, two in a long name, or two neighbours swapped. */
function isNear(written: string, meant: string): boolean {
  if (Math.min(written.length, meant.length) < 4 || Math.abs(written.length - meant.length) > 2) return false;
  const apart = distance(written, meant);
  return apart <= (Math.min(written.length, meant.length) >= 8 ? 2 : 1) || (apart === 2 && isSwap(written, meant));
}

function isSwap(written: string, meant: string): boolean {
  const at = [...written].findIndex((letter, index) => letter !== meant[index]);
  return written === `${meant.slice(0, at)}${meant[at + 1]}${meant[at]}${meant.slice(at + 2)}`;
}

function missing(
  columns: readonly (string | null)[],
  { columns: ours, required }: Wanted,
  misspelt: ReadonlyMap<string, string>,
): readonly string[] {
  const lacking = required.filter((list) => !list.some((name) => columns.includes(name) || misspelt.has(name)));
  const spelt = lacking.map((list) => list.map((name) => spellings(ours, name)).join(' or '));
  if (spelt.length === 0) return [];
  return columns.every((name) => name === null) && misspelt.size === 0
    ? [
        `there is no header: the first line names none of the columns; put one above the rows, with ${spelt.join(', and ')}`,
      ]
    : spelt.map((list) => `a column is missing: add ${list}`);
}

function spellings(columns: readonly Column[], name: string): string {
  const aliases = columns.find((column) => column.name === name)?.aliases ?? [];
  return aliases.length === 0 ? name : `${name} (also written ${aliases.join(', ')})`;
}

const tooMany = (count: number, limit: number): string =>
  `the header has ${count} columns, more than the ${limit} that are allowed; take out those that are not needed`;

const quote = (cell: string): string => `"${trimIdentifier(cell).slice(0, 60)}"`;

function refusal(line: number, messages: readonly string[]): ManifestRefused {
  return new ManifestRefused(messages.map((message): Problem => ({ line, message })));
}
