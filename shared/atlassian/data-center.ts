import * as z from 'zod';

import type { ApiClient } from './api-client.ts';
import type { Answer, DataCenter, DataCenterPage, DataCenterUser, MembersPage } from './apis.ts';
import { Refusal } from './errors.ts';

const userSchema = z
  .object({
    name: z.string().min(1),
    key: z.string().min(1).nullish().catch(undefined),
    emailAddress: z.string().min(1).nullish().catch(undefined),
    active: z.boolean().catch(true),
    groups: z
      .object({ size: z.number().optional(), items: z.array(z.object({ name: z.string() })) })
      .nullish()
      .catch(undefined),
  })
  .transform(({ name, key, emailAddress, active, groups }): DataCenterUser => {
    // A list that was cut short would make a member look like none.
    const whole = groups !== undefined && groups !== null && (groups.size ?? 0) <= groups.items.length;
    return {
      username: name,
      key: key ?? undefined,
      emailAddress: emailAddress ?? undefined,
      active,
      groups: whole ? groups.items.map((group) => group.name) : undefined,
    };
  });

const pickerSchema = z.object({ total: z.number().optional(), groups: z.array(z.object({ name: z.string() })) });

/** What a Data Center answers by itself. */
export type DataCenterMethods = Omit<DataCenter, 'target' | 'keep' | 'listings'>;

const listSchema = z
  .object({
    values: z.array(userSchema),
    isLast: z.boolean().optional().catch(undefined),
    nextCursor: z.union([z.string(), z.number()]).nullish().catch(undefined),
  })
  .transform(({ values, isLast, nextCursor }): DataCenterPage => ({
    users: values,
    next: isLast === true || nextCursor === undefined || nextCursor === null ? undefined : String(nextCursor),
  }));

const membersSchema = z
  .object({
    values: z.array(z.object({ name: z.string().min(1) })),
    isLast: z.boolean().optional().catch(undefined),
    total: z.number().optional().catch(undefined),
  })
  .transform(({ values, ...page }): MembersPage => ({ ...page, members: values.map(({ name }) => name) }));

const PICKED = 1_000;
/** The most that each list gives in one page. */
const LISTED = 2_000;
const SEARCHED = 1_000;
const MEMBERS = 50;

/** Jira Data Center's REST API v2. */
export function createDataCenter(client: ApiClient): DataCenterMethods {
  return {
    findMyself: (signal) => client.read('dcMyself', { schema: userSchema }, signal),
    listUsers: (cursor, signal) => {
      const query = { maxResults: String(LISTED), ...(cursor !== undefined && { cursor }) };
      return client.find('dcListUsers', { query, schema: listSchema }, signal);
    },
    findUsers: (username, startAt, signal) => {
      const page = { startAt: String(startAt), maxResults: String(SEARCHED) };
      const query = { username, includeInactive: 'true', ...page };
      return client.read('dcFindUsers', { query, schema: z.array(userSchema) }, signal);
    },
    listMembers: (groupname, startAt, signal) => {
      const page = { startAt: String(startAt), maxResults: String(MEMBERS) };
      const query = { groupname, includeInactiveUsers: 'true', ...page };
      return client.find('dcGroupMembers', { query, schema: membersSchema }, signal);
    },
    findUser: (username, signal) =>
      client.find('dcUser', { query: { username, expand: 'groups' }, schema: userSchema }, signal),
    groupExists: async (name, signal) => {
      const query = { query: name, maxResults: String(PICKED) };
      const { groups, total } = await client.read('dcPickGroups', { query, schema: pickerSchema }, signal);
      if (groups.some((group) => group.name === name)) return true;
      return (total ?? 0) > groups.length && (await hasMembers(client, name, signal));
    },
    addToGroup: ({ group, username }, signal) =>
      client.write('dcAddToGroup', { query: { groupname: group }, body: { name: username } }, signal),
    removeFromGroup: ({ group, username }, signal) =>
      client.write('dcRemoveFromGroup', { query: { groupname: group, username } }, signal),
    createUser: ({ username, emailAddress, displayName }, signal) =>
      client.write('dcCreateUser', { body: { name: username, emailAddress, displayName } }, signal),
    updateUser: async (username, change, signal) => {
      const { answer, json } = await client.writeAndRead('dcUpdateUser', { query: { username }, body: change }, signal);
      if (ignoresActive(change, json)) throw createActiveIgnoredError(answer);
      return answer;
    },
  };
}

const updatedSchema = z.object({ active: z.boolean() });

/** Older servers answer 200 with the user as they were (jira.atlassian.com JRASERVER-37294). */
function ignoresActive({ active }: { readonly active?: boolean | undefined }, json: unknown): boolean {
  const shown = updatedSchema.safeParse(json).data?.active;
  return active !== undefined && shown !== undefined && shown !== active;
}

const createActiveIgnoredError = ({ httpStatus, traceId }: Answer): Refusal =>
  new Refusal(
    'REQUEST_REFUSED',
    'Jira accepted the change but did not make it: this version ignores "active" (JRASERVER-37294). ' +
      'Activate or deactivate the user in the user directory, or upgrade Jira.',
    { httpStatus, traceId },
  );

/** The picker stops at a limit that administrators set; asking for a group's members answers 404 when there is no such group. */
async function hasMembers(client: ApiClient, name: string, signal: AbortSignal): Promise<boolean> {
  const query = { groupname: name, maxResults: '1' };
  try {
    return (await client.find('dcGroupMembers', { query, schema: z.unknown() }, signal)) !== undefined;
  } catch (error) {
    throw error instanceof Refusal ? explainUnreadable(error, name) : error;
  }
}

// The picker has just taken the same token, so a 401 here is about this list, as 403 is, and no reason to stop a job.
function explainUnreadable(refusal: Refusal, name: string): Refusal {
  if (refusal.code !== 'UNAUTHORIZED' && refusal.code !== 'FORBIDDEN') return refusal;
  const { httpStatus, traceId } = refusal;
  return new Refusal(
    'FORBIDDEN',
    `Whether the group ${JSON.stringify(name.slice(0, 80))} exists cannot be seen: Jira has more groups like it than it lists, ` +
      "and the token's owner may not read its members. Use the token of an administrator.",
    { httpStatus, traceId, cause: refusal },
  );
}
