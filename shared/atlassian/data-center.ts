import * as z from 'zod';

import type { ApiClient } from './api-client.ts';
import type { Clock } from '../ports.ts';
import type { Answer, DataCenter, DataCenterPage, DataCenterUser, Keep, MembersPage } from './apis.ts';
import { RateLimited, Refusal } from './errors.ts';

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
export function createDataCenter(client: ApiClient, ports: DataCenterPorts): DataCenterMethods {
  const write: ApiClient['writeAndRead'] = async (call, given, signal) => {
    await waitWhileReadOnly(client, ports, signal);
    return client.writeAndRead(call, given, signal);
  };
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
    pickGroups: async (text, signal) => {
      const query = { query: text, maxResults: String(PICKED) };
      const { groups, total = 0 } = await client.read('dcPickGroups', { query, schema: pickerSchema }, signal);
      return { names: groups.map(({ name }) => name), isWhole: total <= groups.length };
    },
    hasGroup: (name, signal) => hasMembers(client, name, signal),
    addToGroup: async ({ group, username }, signal) => {
      const query = { groupname: group };
      return (await write('dcAddToGroup', { query, body: { name: username } }, signal)).answer;
    },
    removeFromGroup: async ({ group, username }, signal) => {
      const query = { groupname: group, username };
      return (await write('dcRemoveFromGroup', { query }, signal)).answer;
    },
    createUser: async ({ username, emailAddress, displayName }, signal) => {
      const body = { name: username, emailAddress, displayName };
      return (await write('dcCreateUser', { body }, signal)).answer;
    },
    updateUser: async (username, change, signal) => {
      const { answer, json } = await write('dcUpdateUser', { query: { username }, body: change }, signal);
      if (ignoresActive(change, json)) throw createActiveIgnoredError(answer);
      return answer;
    },
  };
}

/** What a Data Center needs besides its API. */
export interface DataCenterPorts {
  readonly keep: Keep;
  readonly clock: Clock;
}

const modeSchema = z.object({ enabled: z.boolean().optional().catch(undefined) });

const READ_ONLY_MS = 60_000;

/**
 * While an administrator has put Jira into read-only mode, nothing is written: the rows wait. It binds nobody who is a system
 * administrator, as the token's owner may be, so it is asked for (Jira 11.3, and 10.3 with its updates: GET readonly-mode).
 */
async function waitWhileReadOnly(
  client: ApiClient,
  { keep, clock }: DataCenterPorts,
  signal: AbortSignal,
): Promise<void> {
  const mode = await keep('read-only mode', async () => {
    try {
      return (await client.find('dcReadOnlyMode', { schema: modeSchema }, signal)) ?? {};
    } catch (error) {
      if (error instanceof Refusal && !error.temporary) return {}; // nobody tells: then the writes' own answers do
      throw error;
    }
  });
  if (mode.enabled !== true) return;
  const notBeforeMs = clock.now().getTime() + READ_ONLY_MS;
  throw new RateLimited('Jira is in read-only mode; the change is made once that ends', { notBeforeMs, sent: false });
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
