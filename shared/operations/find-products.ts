import type { Cloud } from '../atlassian/apis.ts';
import { type Finding, found, lookEach } from './finding.ts';
import { CONFLUENCE } from './products.ts';

/** Somebody who is on the site, and the products that are asked about. */
export interface Asked {
  readonly accountId: string;
  readonly products: readonly string[];
}

/** What was seen of the products that were asked about. */
export interface Access {
  /** Those that the person may use. */
  readonly held: readonly string[];
  /** False when nobody told about some of them. */
  readonly whole: boolean;
}

/**
 * Which of the products asked about each person may use: Jira tells of its own, one person a call, and the organisation, where
 * there are keys for it, who may use Confluence, many people a call. Nothing is asked that no row needs.
 */
export async function findProducts(
  asked: readonly Asked[],
  apis: Cloud,
  signal: AbortSignal,
): Promise<(asked: Asked) => Finding<Access>> {
  const [jiraOf, usersOf] = await Promise.all([
    findInJira(asked.filter(wantsJira), apis, signal),
    findInOrganisation(asked.filter(wantsConfluence), apis, signal),
  ]);
  return (one) => {
    const jira = wantsJira(one) ? jiraOf(one) : found<readonly string[] | undefined>([]);
    const users = wantsConfluence(one) ? usersOf(CONFLUENCE) : found<ReadonlySet<string> | undefined>(new Set());
    if (jira.kind !== 'found') return jira;
    if (users.kind !== 'found') return users;
    const confluence = users.value?.has(one.accountId) === true ? [CONFLUENCE] : [];
    const whole = jira.value !== undefined && users.value !== undefined;
    return found({ held: [...(jira.value ?? []), ...confluence], whole });
  };
}

const wantsConfluence = ({ products }: Asked): boolean => products.includes(CONFLUENCE);
const wantsJira = ({ products }: Asked): boolean => products.some((product) => product !== CONFLUENCE);

const findInJira = (asked: readonly Asked[], { jira }: Cloud, signal: AbortSignal) =>
  lookEach(
    asked,
    ({ accountId }) => accountId,
    async ({ accountId }, until) => found((await jira.findUser(accountId, until))?.products),
    signal,
  );

// One question for all of them: when it is refused, or has to wait, that concerns the rows that ask for this product alone.
const findInOrganisation = (asked: readonly Asked[], { organisation }: Cloud, signal: AbortSignal) =>
  lookEach(
    asked.length > 0 ? [CONFLUENCE] : [],
    (product) => product,
    async (product, until) => {
      const accountIds = [...new Set(asked.map(({ accountId }) => accountId))];
      const users = await organisation?.findUsersByProduct(product, accountIds, until);
      return found(users && new Set(users.map(({ accountId }) => accountId)));
    },
    signal,
  );
