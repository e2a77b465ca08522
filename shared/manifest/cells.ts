import type { Cells } from '../operations/operation.ts';
import type { Columns } from './header.ts';
import type { ManifestLimits } from './refusal.ts';
import type { Row } from './rows.ts';
import { isEscaped, unescapeCell } from './write-csv.ts';

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

/**
 * Finds what is wrong with a row's shape: then nobody can say which cell belongs to which column. `least` is how many cells a row
 * needs; Excel leaves out the delimiters of empty cells that come after those.
 */
export function createShapeChecker(header: readonly string[], least: number): (row: Row) => string | undefined {
  const width = header.length;
  const named = header.findLastIndex((cell) => !isBlank(cell)) + 1;
  return ({ cells, flaw }) => {
    if (flaw !== undefined) return flaw;
    if (cells.length < least)
      return `The row has ${counted(cells.length)} where the header has ${named}; add what is missing.`;
    if (cells.length <= width || cells.slice(width).every(isBlank)) return undefined;
    return `The row has ${counted(cells.length)} where the header has ${width}; put a cell that holds the delimiter in quotes.`;
  };
}

const counted = (cells: number): string => `${cells} ${cells === 1 ? 'cell' : 'cells'}`;

/** What is known of the file that cells come from. */
export interface CellSource {
  readonly limits: Pick<ManifestLimits, 'cellCharacters'>;
  /** Its letters beyond ASCII were read in an encoding that nobody named. */
  readonly isGuessed: boolean;
  /** Whether Rollcall wrote it. */
  readonly escaped: boolean;
}

/** Finds what is wrong with a row's cells before anybody asks what they mean. */
export function checkCells({ cells }: Pick<Row, 'cells'>, ours: Cells, source: CellSource): readonly string[] {
  const { cellCharacters } = source.limits;
  const problems: string[] = [];
  const tooLong = cells.findIndex((cell) => cell.length > cellCharacters);
  if (tooLong >= 0)
    problems.push(`Cell ${tooLong + 1} has more than the ${cellCharacters} characters that are allowed; shorten it.`);
  for (const name in ours) {
    const problem = problemOf(ours[name] ?? '', source);
    if (problem !== undefined) problems.push(`${name}: ${problem}`);
  }
  return problems;
}

function problemOf(cell: string, { isGuessed, escaped }: CellSource): string | undefined {
  if (UNREADABLE.test(cell) || !cell.isWellFormed())
    return 'it holds a character that is not text; type the cell again.';
  if (isGuessed && BEYOND_ASCII.test(cell))
    return 'it holds characters beyond A to Z, and the file does not say how they are written; open it where it was made and save it as "CSV UTF-8".';
  if (cell.startsWith('#') && (SPREADSHEET_ERROR.test(cell) || TOO_NARROW.test(cell)))
    return `${JSON.stringify(cell)} is what a spreadsheet shows in place of a value; correct its formula and save the file again.`;
  if (!escaped && isEscaped(cell))
    return `it begins with an apostrophe in front of ${JSON.stringify(cell.replace(/^'+/, '').charAt(0))}, which keeps a spreadsheet from running it; take the apostrophe out, or leave a report's rollcall_ columns in the file.`;
  return undefined;
}

// oxlint-disable-next-line no-control-regex
const BEYOND_ASCII = /[^\u0000-\u007F]/;

/** What Excel shows where a column is too narrow for its number, and saves so. */
const TOO_NARROW = /^#{2,}$/;

// Excel's errors, by language as its function translations name them, and those of Google Sheets.
const SPREADSHEET_ERROR = new RegExp(
  `^#(?:${[
    'N/A|REF!|NAME\\?|VALUE!|DIV/0!|NUM!|NULL!|SPILL!|CALC!|FIELD!|GETTING_DATA|BLOCKED!|CONNECT!|BUSY!|UNKNOWN!|EXTERNAL!|PYTHON!|ERROR!',
    'NV|BEZUG!|WERT!|ZAHL!|ÜBERLAUF!|KALK!|N/D|NOM\\?|VALEUR!|NOMBRE!|NUL!|PROPAGATION!|CALCUL!',
    '¡REF!|¿NOMBRE\\?|¡VALOR!|¡DIV/0!|¡NUM!|¡NULO!|¡DESBORDAMIENTO!|¡CALC!|RIF!|NOME\\?|VALORE!|VALOR!|NÚM!|NULO!|NULLO!|ESPANSIONE!|DESPEJAR!',
    'N/B|VERW!|NAAM\\?|WAARDE!|DEEL/0!|GETAL!|LEEG!|OVERLOOP!|N/D!|ADR!|NAZWA\\?|ARG!|DZIEL/0!|LICZBA!|ZERO!|ROZLANIE!',
    'I/T|SAKNAS!|REFERENS!|NAMN\\?|VÄRDEFEL!|DIVISION/0!|OGILTIGT!|SKÄRNING!|REFERENCE!|NAVN\\?|VÆRDI!|VERDI!|Н/Д|ССЫЛКА!|ИМЯ\\?|ЗНАЧ!|ДЕЛ/0!|ЧИСЛО!|ПУСТО!',
  ].join('|')})$`,
  'iu',
);

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
