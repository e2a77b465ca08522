const FORMULA = /^'*[=+\-@\t\r]/;
const ESCAPED_FORMULA = /^'+[=+\-@\t\r]/;

/** Keeps a spreadsheet from running a cell: one that would begin a formula, escaped or not, gets one more `'` in front. */
export const escapeCell = (cell: string): string => (FORMULA.test(cell) ? `'${cell}` : cell);

/** The inverse of escapeCell, for the cells of a file that we wrote. */
export const unescapeCell = (cell: string): string => (ESCAPED_FORMULA.test(cell) ? cell.slice(1) : cell);
