import * as z from 'zod';

import { inChunks, type Query } from './request-path.ts';
import type { Group, GroupMember, Jira, JiraUser } from './apis.ts';
import type { ApiClient } from './api-client.ts';
import { readArrayPages, readBeanPages } from './pages.ts';
import { parse } from './parsing.ts';

const userSchema = z
  .object({
    accountId: z.string().min(1),
    active: z.boolean().catch(true),
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

/** Names in one GET group/bulk; the API's own page size. */
const GROUPS_A_CALL = 50;
/** Keeps a query of long names well under what servers take. */
const QUERY_CHARACTERS = 6_000;

/** Jira Cloud's platform REST API v3. */
export function createJira(client: ApiClient): Jira {
  const groupsBy = async (name: string, values: readonly string[], signal: AbortSignal): Promise<readonly Group[]> => {
    const chunks = inChunks(values, { count: GROUPS_A_CALL, characters: QUERY_CHARACTERS });
    const found = await Promise.all(
      chunks.map((chunk) => {
        const query: Query = chunk.map((value) => [name, value] as const);
        return readBeanPages({ client, call: 'groups', query, item: groupSchema, pageSize: GROUPS_A_CALL }, signal);
      }),
    );
    return found.flat();
  };

  return {
    findUsers: (text, signal) =>
      readArrayPages<JiraUser>({ client, call: 'findUsers', query: [['query', text]], item: userSchema }, signal),
    user: async (accountId, signal) => {
      const query: Query = [
        ['accountId', accountId],
        ['expand', 'applicationRoles'],
      ];
      const json = await client.read('user', { query, missing: 'undefined' }, signal);
      return json === undefined ? undefined : parse('user', userSchema, json);
    },
    groupsOfUser: async (accountId, signal) => {
      const query: Query = [['accountId', accountId]];
      const json = await client.read('groupsOfUser', { query, missing: 'undefined' }, signal);
      return json === undefined ? undefined : parse('groupsOfUser', z.array(groupSchema), json);
    },
    groupsByName: (names, signal) => groupsBy('groupName', names, signal),
    groupsById: (groupIds, signal) => groupsBy('groupId', groupIds, signal),
    addToGroup: ({ groupId, accountId }, signal) =>
      client.write('addToGroup', { query: [['groupId', groupId]], body: { accountId } }, signal),
    removeFromGroup: (member, signal) => client.write('removeFromGroup', { query: memberQuery(member) }, signal),
    createUser: ({ emailAddress, products }, signal) =>
      client.write('createUser', { body: { emailAddress, products } }, signal),
  };
}

const memberQuery = ({ groupId, accountId }: GroupMember): Query => [
  ['groupId', groupId],
  ['accountId', accountId],
];
