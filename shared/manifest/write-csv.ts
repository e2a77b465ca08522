/** The delimiters that are found by looking. */
export const DELIMITERS = [',', ';', '\t', '|'] as const;

/** What a file that we write begins with: the UTF-8 byte order mark, for Excel, and a `sep=` line where nobody could tell the delimiter by looking. */
export const csvStart = (delimiter: string): string =>
  (DELIMITERS as readonly string[]).includes(delimiter) ? BYTE_ORDER_MARK : `${BYTE_ORDER_MARK}sep=${delimiter}\r\n`;

const BYTE_ORDER_MARK = '\uFEFF';

/** Turns cells into one line of a file that we write: formulas escaped, quoted as RFC 4180 says, ended by CRLF. */
export function csvLineWriter(delimiter: string): (cells: readonly string[]) => string {
  const quote = (cell: string): string =>
    cell.includes(delimiter) || /["\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
  return (cells) => {
    let line = '';
    for (let index = 0; index < cells.length; index++) {
      if (index > 0) line += delimiter;
      line += quote(escapeCell(cells[index] ?? ''));
    }
    return `${line}\r\n`;
  };
}

// The full-width signs are formulas to some spreadsheets, too.
const FORMULA = /^'*[=+\-@\t\r\n＝＋－＠]/;
const ESCAPED_FORMULA = /^'+[=+\-@\t\r\n＝＋－＠]/;

/** Keeps a spreadsheet from running a cell: one that would begin a formula, escaped or not, gets one more `'` in front. */
export const escapeCell = (cell: string): string => (FORMULA.test(cell) ? `'${cell}` : cell);

/** The inverse of escapeCell, for the cells of a file that we wrote. */
export const unescapeCell = (cell: string): string => (isEscaped(cell) ? cell.slice(1) : cell);

/** Whether escapeCell may have written it. */
export const isEscaped = (cell: string): boolean => ESCAPED_FORMULA.test(cell);
