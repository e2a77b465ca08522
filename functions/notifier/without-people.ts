import { distance } from 'fastest-levenshtein';

import { columnKey } from '../../shared/manifest/cells.ts';
import { OPERATIONS } from '../../shared/operations/index.ts';

const ADDRESS = /[^\s"'<>(),;]+@[^\s"'<>(),;]+/g;
const QUOTED = /"([^"]*)"/g;

/** A text without the e-mail addresses in it: notices go to inboxes and chats that may not hold people. */
export const withoutAddresses = (text: string): string => text.replace(ADDRESS, '(address not shown)');

/** A text without what it quotes of a file or of Atlassian's answer, unless that is a column of ours or one misspelt: a cell may name a person. */
export const withoutCells = (text: string): string =>
  withoutAddresses(text.replace(QUOTED, (quoted, cell: string) => (isColumn(cell) ? quoted : '(not shown)')));

const COLUMNS: readonly string[] = [
  ...new Set(
    OPERATIONS.flatMap(({ cloud, dataCenter }) => [...(cloud?.columns ?? []), ...(dataCenter?.columns ?? [])])
      .flatMap(({ name, aliases }) => [name, ...aliases])
      .map(columnKey),
  ),
];
const MOST_SLIPS = 2;

function isColumn(cell: string): boolean {
  const key = columnKey(cell);
  return COLUMNS.some(
    (column) => column === key || (key.length > 2 * MOST_SLIPS && distance(column, key) <= MOST_SLIPS),
  );
}
