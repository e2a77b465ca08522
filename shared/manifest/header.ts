import { distance } from 'fastest-levenshtein';

import type { Problem } from '../job/events.ts';
import type { CarriedColumn, Column, Recipe } from '../operations/operation.ts';
import { columnKey, isBlank, trimIdentifier } from './cells.ts';
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

/** What a header is read with besides what is wanted of it. */
export interface HeaderOptions {
  readonly limits: ManifestLimits;
  /** What else the header may be meant for, in words; `undefined` where it fits nothing else either. */
  readonly findOtherUse?: ((header: readonly string[]) => string | undefined) | undefined;
}

/** Finds an operation's columns in a header. Throws ManifestRefused with everything that is wrong with it. */
export function mapHeader(
  header: { readonly line: number; readonly cells: readonly string[] },
  wanted: Wanted,
  { limits, findOtherUse = nothing }: HeaderOptions,
): Columns {
  const { line } = header;
  const escaped = header.cells.some(isReportColumn);
  const cells = escaped ? header.cells.map(unescapeCell) : header.cells;
  const theirs = cells.filter((cell) => !isReportColumn(cell)).length;
  if (theirs > limits.columns) throw refusal(line, [tooMany(theirs, limits.columns)]);

  const { named, columns } = nameColumns(cells, wanted);
  const carriedColumns = carriedColumnsOf(cells, columns);
  const misspelt = misspellings(carriedColumns, [...named, ...columns], wanted.columns);
  const lacking = lackingIn(columns, wanted).filter((list) => !list.some((name) => misspelt.has(name)));
  const problems = [
    ...doubled(cells, columns),
    ...misspelt.values(),
    ...(lacking.length === 0
      ? []
      : describeLacking(lacking, { cells, columns, wanted, otherUse: findOtherUse(cells) })),
  ];
  if (problems.length > 0) throw refusal(line, problems);
  return { columns, carriedColumns, escaped };
}

const nothing = (): undefined => undefined;

function nameColumns(cells: readonly string[], { columns, readHeader }: Wanted) {
  const names = aliasTable(columns);
  const named = cells.map((cell) => (isReportColumn(cell) ? null : (names.get(columnKey(cell)) ?? null)));
  return { named, columns: readHeader?.(named) ?? named };
}

/** The lists of required columns of which a header has none. */
const lackingIn = (columns: Columns['columns'], { required }: Pick<Wanted, 'required'>): Wanted['required'] =>
  required.filter((list) => !list.some((name) => columns.includes(name)));

/** Whether a line has every column that is wanted, so that it is the header. */
export const meetsRequired = (cells: readonly string[], wanted: Wanted): boolean =>
  lackingIn(nameColumns(cells, wanted).named, wanted).length === 0;

/** How many cells a row needs, so that of each list of required columns one can be filled. */
export function leastCells(columns: Columns['columns'], { required }: Pick<Wanted, 'required'>): number {
  const places = required.map((list) => columns.findIndex((name) => name !== null && list.includes(name)));
  return Math.max(...places) + 1;
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

/** Whether Rollcall adds this column to its reports: on the way in it is ignored, and tells that the cells beside it are escaped. */
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
  for (const { name, aliases, plural } of columns.filter((column) => !present.includes(column.name))) {
    for (const cell of carried) {
      const alias = [name, ...aliases].find((candidate) => isNear(columnKey(cell), columnKey(candidate)));
      if (alias === undefined) continue;
      const isPlural = plural !== undefined && columnKey(cell) === `${columnKey(alias)}s`;
      problems.set(
        name,
        isPlural
          ? `the column ${quote(cell)} ${plural}`
          : `the column ${quote(cell)} looks like ${quote(alias)} misspelt; rename it to that, or to something unlike it`,
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

interface Lacking {
  readonly cells: readonly string[];
  readonly columns: Columns['columns'];
  readonly wanted: Wanted;
  readonly otherUse: string | undefined;
}

/** What to do about the columns that are not there: speaks of those that are. */
function describeLacking(
  lacking: readonly (readonly string[])[],
  { cells, columns, wanted, otherUse }: Lacking,
): readonly string[] {
  const spelt = lacking.map((list) => list.map((name) => spellings(wanted.columns, name)).join(' or '));
  const isRow = columns.every((name) => name === null) && cells.some(looksLikeRow);
  if (isRow)
    return [
      `there is no header: the first line is a row already (${quote(cells.find(looksLikeRow) ?? '')}); put one above the rows, with ${spelt.join(', and ')}`,
    ];
  const there = cells.filter((cell) => !isBlank(cell)).map(quote);
  const shown =
    there.length > MOST_SHOWN ? [...there.slice(0, MOST_SHOWN), `${there.length - MOST_SHOWN} more`] : there;
  return [
    ...lacking.map((list, index) => {
      const rename = adviseRenaming(list, { cells, columns, wanted });
      return `a column is missing: add ${spelt[index]}${rename === '' ? '' : `, or ${rename}`}; the file has ${shown.join(', ')}`;
    }),
    ...(otherUse === undefined ? [] : [otherUse]),
  ];
}

const MOST_SHOWN = 12;

/** An address, an account id or a UUID stands in rows; nobody calls a column so. */
const looksLikeRow = (cell: string): boolean =>
  /^[^\s@]+@[^\s@]+\.[^\s@]+$|^(?:\d+:)?[0-9a-f]{8}-[0-9a-f]{4}-|^[0-9a-f]{24}$/i.test(trimIdentifier(cell));

/** Columns that say what is missing by another name: an HR system's or a directory's. */
function adviseRenaming(list: readonly string[], { cells, columns, wanted }: Omit<Lacking, 'otherUse'>): string {
  const carried = carriedColumnsOf(cells, columns);
  for (const name of list) {
    const column = wanted.columns.find((one) => one.name === name);
    const like = carried.filter((cell) => column?.resembles?.test(cell));
    if (like.length > 0)
      return `rename ${like.length === 1 ? quote(like[0] ?? '') : `the one that is meant of ${like.map(quote).join(' and ')}`} to ${name}`;
  }
  return '';
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
