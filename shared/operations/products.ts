import type { Cloud } from '../atlassian/apis.ts';
import { quoted, type RowReader } from './columns.ts';
import { type Finding, found, lookUpEach, whenFound } from './finding.ts';
import type { Cells } from './operation.ts';

export const CONFLUENCE = 'confluence';

// The Jira keys are those of Atlassian's POST user (`products`); Confluence is given by the organisation's invite.
const PRODUCTS: ReadonlySet<string> = new Set([
  'jira-core',
  'jira-servicedesk',
  'jira-product-discovery',
  'jira-software',
  CONFLUENCE,
]);

/** The products of a row, sorted and each once; the target's defaults where the row names none, nothing for `none`. */
export function readProducts(reader: RowReader, cells: Cells, defaults: readonly string[]): readonly string[] {
  const named = cells['products']
    ?.toLowerCase()
    .split(/[\s,;|]+/)
    .filter((name) => name !== '');
  if (named === undefined) return defaults.toSorted();
  if (named.length === 1 && named[0] === 'none') return [];
  const unknown = named.filter((name) => !PRODUCTS.has(name));
  if (named.length === 0 || unknown.length > 0) {
    const fault = unknown.length > 0 ? unknown.map(quoted).join(', ') : quoted(cells['products'] ?? '');
    reader.wrong(`products: ${fault} is not a product; ${[...PRODUCTS].join(', ')}, or none alone, is expected.`);
  }
  return [...new Set(named)].toSorted();
}

/** Somebody who is on the site, and the products that are asked about. */
interface Asked {
  readonly accountId: string;
  readonly products: readonly string[];
}

/**
 * Which products each person may use, `undefined` where nobody told of some that are asked about: Jira tells of its own, one
 * person a call, and the organisation, where there are keys for it, who may use Confluence, many people a call.
 */
export async function findProducts(
  asked: readonly Asked[],
  { jira, organisation }: Cloud,
  signal: AbortSignal,
): Promise<(asked: Asked) => Finding<readonly string[] | undefined>> {
  const forConfluence = asked.filter(wantsConfluence).map(({ accountId }) => accountId);
  const [jiraOf, usersOf] = await Promise.all([
    lookUpEach(
      asked.filter(wantsJira),
      ({ accountId }) => accountId,
      async ({ accountId }, until) => found((await jira.findUser(accountId, until))?.products),
      signal,
    ),
    // One question for all of them: when it is refused, or has to wait, that concerns the rows that ask for this product alone.
    lookUpEach(
      forConfluence.length > 0 ? [CONFLUENCE] : [],
      (product) => product,
      async (product, until) => {
        const users = await organisation?.findUsersByProduct(product, [...new Set(forConfluence)], until);
        return found(users?.map(({ accountId }) => accountId));
      },
      signal,
    ),
  ]);
  return (one) =>
    whenFound(wantsJira(one) ? jiraOf(one) : NONE, (held) =>
      whenFound(wantsConfluence(one) ? usersOf(CONFLUENCE) : NONE, (users) =>
        found(held && users && [...held, ...(users.includes(one.accountId) ? [CONFLUENCE] : [])]),
      ),
    );
}

const NONE = found<readonly string[] | undefined>([]);

const wantsConfluence = ({ products }: Asked): boolean => products.includes(CONFLUENCE);
const wantsJira = ({ products }: Asked): boolean => products.some((product) => product !== CONFLUENCE);
