import { isBlank, trimIdentifier } from './cells.ts';
import { countKnown, meetsRequired, type Wanted } from './header.ts';
import { type ManifestLimits, ManifestRefused, refuse } from './refusal.ts';
import { createCutter, type Row } from './rows.ts';
import { DELIMITERS } from './write-csv.ts';

/** Where the rows of a text begin, and what is between their cells. */
export interface HeaderPlace {
  readonly delimiter: string;
  /** At the start of the text, a `sep=` line or one like it, which is no row. */
  readonly skipped: string;
  /** How many rows stand above the header; nothing in them can be lost. */
  readonly rowsAbove: number;
}

/**
 * Finds the delimiter and the header in the start of a text: the first line that has all the columns which are wanted, else the first
 * one. Throws ManifestRefused when something stands above it that may be more than a comment.
 */
export function findHeader(start: string, wanted: Wanted): HeaderPlace {
  const [skipped = ''] = UNREAD_LINES.exec(start) ?? [];
  const named = SEPARATOR_LINE.exec(skipped)?.[1];
  const text = start.slice(skipped.length);
  const tries = (named === undefined ? DELIMITERS : [named]).map((delimiter) => read(text, delimiter, wanted));
  const [first, ...others] = tries;
  const { delimiter, rows, at } = others.reduce((best, one) => (compare(one, best) > 0 ? one : best), first ?? NOTHING);
  const above = rows.slice(0, at);
  const lines = skipped.match(/\r\n|\n|\r/g)?.length ?? 0;
  const header = rows[at];
  const said = above.find((row) => !saysNothing(row));
  if (header && said) refuseAbove(said, header.line + lines);
  return { delimiter, skipped, rowsAbove: header?.row ?? 0 };
}

/** Excel's `sep=` and Windows PowerShell's `#TYPE`, each once: neither names a column. Byte order marks come doubled where files were joined. */
const UNREAD_LINES = /^(?:\uFEFF+|"?sep=[^\r\n"]?"?[ ,;\t|]*(?:\r\n|\n|\r|$)|"?#TYPE [^\r\n]*(?:\r\n|\n|\r|$))+/i;
const SEPARATOR_LINE = /(?:^|[\r\n\uFEFF])"?sep=([^\r\n"])/i;

/** One line as a delimiter cuts it, of all that may be the header. */
interface Try {
  readonly delimiter: string;
  readonly rows: readonly Row[];
  /** The place of the header among them. */
  readonly at: number;
  readonly fits: boolean;
  readonly known: number;
}

const NOTHING: Try = { delimiter: ',', rows: [], at: 0, fits: false, known: 0 };

/** Titles, run times and comments take fewer lines than these. */
const LOOKED_AT_ROWS = 50;

function read(text: string, delimiter: string, wanted: Wanted): Try {
  const rows = firstRows(text, delimiter);
  if (rows.every(isBlankLine)) return { ...NOTHING, delimiter };
  const fitting = rows.findIndex(({ cells, flaw }) => flaw === undefined && meetsRequired(cells, wanted));
  const said = rows.findIndex((row) => !saysNothing(row));
  const at = fitting >= 0 ? fitting : Math.max(0, said);
  return { delimiter, rows, at, fits: fitting >= 0, known: countKnown(rows[at]?.cells ?? [], wanted.columns) };
}

/** The better reading: one with all columns, then with more of them, then without a flaw, then with more cells. */
function compare(one: Try, other: Try): number {
  const [mine, theirs] = [one, other].map(({ fits, known, rows, at }) => {
    const header = rows[at];
    return [Number(fits), known, Number(header?.flaw === undefined), header?.cells.length ?? 0];
  });
  const differences = mine?.map((value, index) => value - (theirs?.[index] ?? 0)) ?? [];
  return differences.find((difference) => difference !== 0) ?? 0;
}

/** Line by line, so that those above a quote that is never closed are found: reading the rows will say so, with its line. */
function firstRows(text: string, delimiter: string): readonly Row[] {
  const cutter = createCutter({ row: 0, line: 1, delimiter }, UNLIMITED);
  const rows: Row[] = [];
  try {
    for (const [line] of text.matchAll(/[^\r\n]*(?:\r\n|\n|\r|$)/g)) {
      rows.push(...cutter.cut(Buffer.from(line)));
      if (rows.length >= LOOKED_AT_ROWS) return rows;
    }
    return [...rows, ...cutter.finish()];
  } catch (error) {
    if (error instanceof ManifestRefused) return rows;
    throw error;
  }
}

const UNLIMITED: Pick<ManifestLimits, 'rowBytes'> = { rowBytes: Infinity };

/** A comment in one cell, or a line that is blank in another delimiter. */
const saysNothing = ({ cells }: Row): boolean =>
  (trimIdentifier(cells[0] ?? '').startsWith('#') && cells.slice(1).every(isBlank)) || isBlankLine({ cells });

const isBlankLine = ({ cells }: Pick<Row, 'cells'>): boolean => isBlank(cells.join('').replace(/[,;\t|]/g, ''));

function refuseAbove({ cells }: Row, line: number): never {
  const said = cells.find((cell) => !isBlank(cell)) ?? '';
  const shown = JSON.stringify(trimIdentifier(said).slice(0, 60).toWellFormed());
  return refuse(
    `the header is on line ${line}, and above it stands what Rollcall cannot read (${shown}); take out ${line === 2 ? 'line 1' : `lines 1 to ${line - 1}`}, so that the header is the first line`,
    line,
  );
}
