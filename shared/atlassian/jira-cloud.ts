import * as z from 'zod';

import type { ApiClient } from './api-client.ts';
import type { Group, Jira, JiraUser, MembersPage } from './apis.ts';
import { splitIntoChunks, type Query } from './endpoints.ts';
import { Refusal } from './errors.ts';
import { watchPages } from './pages.ts';

const userSchema = z
  .object({
    accountId: z.string().min(1),
    active: z.boolean().catch(true),
    accountType: z.string().optional().catch(undefined),
    emailAddress: z.string().min(1).optional().catch(undefined),
    applicationRoles: z
      .object({ size: z.number(), items: z.array(z.object({ key: z.string() })) })
      .optional()
      .catch(undefined),
  })
  .transform(({ applicationRoles: roles, ...user }): JiraUser => {
    // Roles are folded away unless they are asked for: a list that is not whole says nothing.
    const whole = roles !== undefined && roles.items.length >= roles.size;
    return { ...user, products: whole ? roles.items.map(({ key }) => key) : undefined };
  });

const groupSchema = z.object({ groupId: z.string().min(1), name: z.string() });

const createdSchema = z.object({ accountId: z.string().min(1) });
const pickerSchema = z.object({ groups: z.array(groupSchema) });
/** Groups that look like one name; a server may show fewer. */
const PICKED = 100;

/** Users in one GET users/search, and accounts in one GET user/bulk; the most that each takes. */
const USERS_A_PAGE = 1_000;
const USERS_A_CALL = 200;
const MEMBERS_A_PAGE = 50;
/** Names in one GET group/bulk; the API's own page size. */
const GROUPS_A_CALL = 50;
/** Keeps a query of long names well under what servers take. */
const QUERY_CHARACTERS = 6_000;

/** Jira Cloud's platform REST API v3. */
export function createJira(client: ApiClient): Jira {
  return {
    findUsers: (text, signal) => searchUsers(client, text, signal),
    findUser: (accountId, signal) =>
      client.find('user', { query: { accountId, expand: 'applicationRoles' }, schema: userSchema }, signal),
    findUsersById: async (accountIds, signal) => {
      const chunks = splitIntoChunks(accountIds, { count: USERS_A_CALL, characters: QUERY_CHARACTERS });
      return (await Promise.all(chunks.map((chunk) => readUsers(client, chunk, signal)))).flat();
    },
    listUsers: (startAt, signal) => {
      const query = { startAt: String(startAt), maxResults: String(USERS_A_PAGE) };
      return client.read('listUsers', { query, schema: z.array(userSchema) }, signal);
    },
    findMyself: (signal) => client.read('myself', { schema: userSchema }, signal),
    listMembers: (groupId, startAt, signal) => {
      const page = { startAt: String(startAt), maxResults: String(MEMBERS_A_PAGE) };
      const query = { groupId, includeInactiveUsers: 'true', ...page };
      return client.find('groupMembers', { query, schema: membersSchema }, signal);
    },
    findGroupsOfUser: (accountId, signal) =>
      client.find('groupsOfUser', { query: { accountId }, schema: z.array(groupSchema) }, signal),
    findGroupsByName: (names, signal) => readGroups(client, { by: 'groupName', values: names }, signal),
    findGroupsById: (groupIds, signal) => readGroups(client, { by: 'groupId', values: groupIds }, signal),
    pickGroups: async (text, signal) => {
      const query = { query: text, maxResults: String(PICKED), caseInsensitive: 'true' };
      return (await client.read('pickGroups', { query, schema: pickerSchema }, signal)).groups;
    },
    addToGroup: ({ groupId, accountId }, signal) =>
      client.write('addToGroup', { query: { groupId }, body: { accountId } }, signal),
    removeFromGroup: ({ groupId, accountId }, signal) =>
      client.write('removeFromGroup', { query: { groupId, accountId } }, signal),
    createUser: async ({ emailAddress, products }, signal) => {
      try {
        const { answer, json } = await client.writeAndRead('createUser', { body: { emailAddress, products } }, signal);
        return { ...answer, accountId: createdSchema.safeParse(json).data?.accountId };
      } catch (error) {
        throw products.length === 0 && error instanceof Refusal ? explainNoProduct(error) : error;
      }
    },
  };
}

/** Jira refuses so an account that is there without access to Jira (its REST API, "Create user"). */
function explainNoProduct(refusal: Refusal): Refusal {
  const { code, httpStatus, traceId, message } = refusal;
  if (code !== 'REQUEST_REFUSED' || httpStatus !== 400) return refusal;
  const hint = 'If the account exists and has no access to Jira, this is since the row asks for no product; name one.';
  return new Refusal(code, `${message} ${hint}`, { httpStatus, traceId, cause: refusal });
}

/** User searches answer for the first thousand matches at most (Jira REST API, "Find users"). */
const SEARCH_LIMIT = 1_000;
/** A server may give fewer than were asked for, but a page shorter than its default size is the last one. */
const DEFAULT_PAGE = 50;

/** A search answers with a bare array: asks for everything at once, and goes on by what came back. */
async function searchUsers(client: ApiClient, text: string, signal: AbortSignal): Promise<readonly JiraUser[]> {
  const found: JiraUser[] = [];
  const check = watchPages<JiraUser>({ call: 'findUsers', idOf: ({ accountId }) => accountId });
  while (found.length < SEARCH_LIMIT) {
    const query = { query: text, startAt: String(found.length), maxResults: String(SEARCH_LIMIT) };
    const users = await client.read('findUsers', { query, schema: z.array(userSchema) }, signal);
    found.push(...users);
    check(users, users.length < DEFAULT_PAGE);
    if (users.length < DEFAULT_PAGE) break;
  }
  return found;
}

async function readGroups(
  client: ApiClient,
  { by, values }: { readonly by: 'groupName' | 'groupId'; readonly values: readonly string[] },
  signal: AbortSignal,
): Promise<readonly Group[]> {
  const chunks = splitIntoChunks(values, { count: GROUPS_A_CALL, characters: QUERY_CHARACTERS });
  const found = await Promise.all(chunks.map((chunk) => readGroupPages(client, { [by]: chunk }, signal)));
  return found.flat();
}

async function readUsers(
  client: ApiClient,
  accountIds: readonly string[],
  signal: AbortSignal,
): Promise<readonly JiraUser[]> {
  const query = { accountId: accountIds, maxResults: String(USERS_A_CALL) };
  const { values } = await client.read('users', { query, schema: z.object({ values: z.array(userSchema) }) }, signal);
  return values;
}

const membersSchema = z
  .object({
    values: z.array(z.object({ accountId: z.string().min(1) })),
    isLast: z.boolean().optional().catch(undefined),
    total: z.number().optional().catch(undefined),
  })
  .transform(({ values, ...page }): MembersPage => ({ ...page, members: values.map(({ accountId }) => accountId) }));

/** Jira's PageBean; what is unreadable besides the values counts as absent. */
const groupPageSchema = z.object({
  values: z.array(groupSchema),
  isLast: z.boolean().optional().catch(undefined),
  total: z.number().optional().catch(undefined),
});

/** Advances by what came back. */
async function readGroupPages(client: ApiClient, names: Query, signal: AbortSignal): Promise<readonly Group[]> {
  const found: Group[] = [];
  const most = 2 * Object.values(names).flat().length;
  const check = watchPages<Group>({ call: 'groups', idOf: ({ groupId }) => groupId, most });
  for (;;) {
    const query = { ...names, startAt: String(found.length), maxResults: String(GROUPS_A_CALL) };
    const { values, isLast, total } = await client.read('groups', { query, schema: groupPageSchema }, signal);
    found.push(...values);
    const ends = values.length === 0 || (isLast ?? found.length >= (total ?? 0));
    check(values, ends);
    if (ends) return found;
  }
}
