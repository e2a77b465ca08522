import type { Cloud, Jira, Organisation } from '../atlassian/apis.ts';
import { foldCase } from '../folding.ts';
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
 * Which products each person may use, `undefined` where nobody told of some that are asked about: the organisation, where there are
 * keys for it, tells who may use a product, a hundred people a call; Jira of its own products, one person a call.
 */
export const findProducts = (
  asked: readonly (Asked & { readonly email: string })[],
  { jira, organisation }: Cloud,
  signal: AbortSignal,
): Promise<(asked: Asked) => Finding<readonly string[] | undefined>> =>
  organisation ? findInOrganisation(asked, organisation, signal) : findInJira(asked, jira, signal);

/** One question a product for all who ask about it: when it is refused, or has to wait, that concerns the rows of this product alone. */
async function findInOrganisation(
  asked: readonly (Asked & { readonly email: string })[],
  organisation: Organisation,
  signal: AbortSignal,
) {
  const usersOf = await lookUpEach(
    asked.flatMap(({ products }) => products),
    (product) => product,
    async (product, until) => {
      const emails = asked.flatMap(({ email, products }) => (products.includes(product) ? [foldCase(email)] : []));
      const users = await organisation.findUsersByProduct(product, [...new Set(emails)], until);
      return found(new Set(users.map(({ accountId }) => accountId)));
    },
    signal,
  );
  return ({ accountId, products }: Asked): Finding<readonly string[]> =>
    products.reduce<Finding<readonly string[]>>(
      (sofar, product) =>
        whenFound(sofar, (held) =>
          whenFound(usersOf(product), (users) => found(users.has(accountId) ? [...held, product] : held)),
        ),
      found([]),
    );
}

async function findInJira(asked: readonly Asked[], jira: Jira, signal: AbortSignal) {
  const productsOf = await lookUpEach(
    asked.filter(wantsJira),
    ({ accountId }) => accountId,
    async ({ accountId }, until) => found((await jira.findUser(accountId, until))?.products),
    signal,
  );
  return (one: Asked): Finding<readonly string[] | undefined> => {
    if (one.products.includes(CONFLUENCE)) return found(undefined);
    return wantsJira(one) ? productsOf(one) : found([]);
  };
}

const wantsJira = ({ products }: Asked): boolean => products.some((product) => product !== CONFLUENCE);
