import type { Column } from '../operations/operation.ts';
import { countKnown } from './header.ts';
import { isBlank } from './identifiers.ts';
import { createScanner, QuoteNotClosed } from './scanner.ts';

/** What separates the cells, and how much of the text's start is a `sep=` line, which is no row. */
export interface Dialect {
  readonly delimiter: string;
  readonly skipped: number;
}

/** The delimiters that are found by looking. */
export const DELIMITERS = [',', ';', '\t', '|'] as const;

const SEPARATOR_LINE = /^"?sep=([^\r\n"])"?[ ,;\t|]*(?:\r\n|\n|\r|$)/i;

/** Finds the delimiter: the one that a `sep=` line names, else the one that makes most of the header known, else most of its cells. */
export function findDialect(head: string, columns: readonly Column[]): Dialect {
  const separatorLine = SEPARATOR_LINE.exec(head);
  const named = separatorLine?.[1];
  if (separatorLine && named) return { delimiter: named, skipped: separatorLine[0].length };

  const headers = DELIMITERS.map((delimiter) => {
    const cells = firstRow(head, delimiter);
    return { delimiter, known: countKnown(cells, columns), cells: cells.length };
  });
  const best = headers.reduce((left, right) =>
    right.known > left.known || (right.known === left.known && right.cells > left.cells) ? right : left,
  );
  return { delimiter: best.delimiter, skipped: 0 };
}

function firstRow(head: string, delimiter: string): readonly string[] {
  const scanner = createScanner(delimiter);
  scanner.load(head);
  try {
    for (let at = 0; ; at = scanner.end) {
      const cells = scanner.next(at, true);
      if (cells === undefined) return [];
      // What ends in the midst of a quoted cell is no delimiter, and a line of delimiters alone is blank.
      if (scanner.flaw === undefined && !isBlank(cells.join('').replace(/[,;\t|]/g, ''))) return cells;
    }
  } catch (error) {
    if (error instanceof QuoteNotClosed) return []; // reading the rows will say so, with the line
    throw error;
  }
}
