import type { Cells } from './operation.ts';
import { quoted, type RowReader } from './read-row.ts';

// The Jira keys are those of Atlassian's POST user (`products`); Confluence is given by the organisation's invite.
const PRODUCTS: ReadonlySet<string> = new Set([
  'jira-core',
  'jira-servicedesk',
  'jira-product-discovery',
  'jira-software',
  'confluence',
]);

export const CONFLUENCE = 'confluence';

/** The products of a row, sorted and each once; the target's defaults where the row names none, nothing for `none`. */
export function readProducts(row: RowReader, cells: Cells, defaults: readonly string[]): readonly string[] {
  const named = cells['products']
    ?.toLowerCase()
    .split(/[\s,;|]+/)
    .filter((name) => name !== '');
  if (named === undefined) return defaults.toSorted();
  if (named.length === 1 && named[0] === 'none') return [];
  const unknown = named.filter((name) => !PRODUCTS.has(name));
  if (named.length === 0 || unknown.length > 0) {
    const fault = unknown.length > 0 ? unknown.map(quoted).join(', ') : quoted(cells['products'] ?? '');
    row.wrong(`products: ${fault} is not a product; ${[...PRODUCTS].join(', ')}, or none alone, is expected.`);
  }
  return [...new Set(named)].toSorted();
}
