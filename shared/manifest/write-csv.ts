import { escapeCell } from './write-escape.ts';

/** What every file that we write begins with: the UTF-8 byte order mark, so that Excel reads it as UTF-8. */
export const BYTE_ORDER_MARK = '\uFEFF';

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
