import * as z from 'zod';

import type { ApiClient, CallArguments } from './api-client.ts';
import type { Answer, Group, Organisation, OrganisationUser, UserManagement } from './apis.ts';
import { splitIntoChunks, type Call, type Query } from './endpoints.ts';
import { NoAnswer, Refusal } from './errors.ts';
import { watchPages } from './pages.ts';

const text = z.string().min(1).nullish().catch(undefined);

const groupIdSchema = z.union([z.string(), z.object({ id: z.string() }), z.object({ groupId: z.string() })]);

/** All of a user's fields are optional; `groups` comes only when it is asked for. */
const userSchema = z
  .object({
    accountId: z.string().min(1),
    email: text,
    accountStatus: text,
    membershipStatus: text,
    claimStatus: text,
    managementSource: text,
    groups: z.array(groupIdSchema).optional().catch(undefined),
  })
  .transform(({ accountId, groups, ...rest }): OrganisationUser => ({
    accountId,
    email: rest.email ?? undefined,
    accountStatus: rest.accountStatus ?? undefined,
    membershipStatus: rest.membershipStatus ?? undefined,
    claimStatus: rest.claimStatus ?? undefined,
    managementSource: rest.managementSource ?? undefined,
    groupIds: groups?.map((group) => (typeof group === 'string' ? group : 'id' in group ? group.id : group.groupId)),
  }));

const groupSchema = z
  .object({
    id: z.string().min(1),
    name: z.string(),
    externalSynced: z.boolean().nullish().catch(undefined),
    managedBy: text,
  })
  .transform(({ id, name, externalSynced, managedBy }): Group => {
    const known = typeof externalSynced === 'boolean' || typeof managedBy === 'string';
    return { groupId: id, name, external: known ? externalSynced === true || managedBy === 'external' : undefined };
  });

const domainSchema = z.object({
  attributes: z.object({
    name: z.string(),
    claim: z.object({ status: z.string() }).nullish().catch(undefined),
  }),
});

const assignmentSchema = z.object({
  resource: z.string().nullish().catch(undefined),
  status: z.string().nullish(),
  statusReason: z.string().nullish().catch(undefined),
});
const assignmentsSchema = z.array(assignmentSchema).nullish().catch(undefined);

/** What became of an invitation, by roles and groups as it is documented (organisation REST API v2), or in one list as others have seen it. */
const invitedSchema = z.object({
  data: z.array(
    z.object({
      results: z
        .array(
          z.union([
            z
              .object({ roleAssignmentResult: assignmentsSchema, groupAssignmentResult: assignmentsSchema })
              .refine(
                ({ roleAssignmentResult, groupAssignmentResult }) => roleAssignmentResult ?? groupAssignmentResult,
              )
              .transform((one) => [...(one.roleAssignmentResult ?? []), ...(one.groupAssignmentResult ?? [])]),
            assignmentSchema.transform((one) => [one]),
          ]),
        )
        .nullish(),
    }),
  ),
});

/** The most values that one search takes of each kind, and people on one of its pages (organisation REST API v2). */
const VALUES_A_CALL = { emails: 100, accountIds: 10, groupNames: 100, groupIds: 10, roleIds: 10 } as const;
const PAGE = 100;

const USER_ROLE = 'atlassian/user';
/** Roles with which somebody may use a product as an invitation would let them; guests and customers may not (organisation REST API v2). */
const ACCESS_ROLES = [USER_ROLE, 'atlassian/admin'];
/** Roles whose holders administer the whole organisation, or a whole site of it (organisation REST API v2). */
const ADMIN_ROLES = ['atlassian/org-admin', 'atlassian/site-admin'];

export interface OrganisationOptions {
  readonly client: ApiClient;
  readonly orgId: string;
  readonly findDirectoryForReads: (signal: AbortSignal) => Promise<string>;
  /** The directory that a person is in. */
  readonly findDirectoryOf: (accountId: string, signal: AbortSignal) => Promise<string>;
  /** The site whose products an invitation gives. */
  readonly findCloudId: (signal: AbortSignal) => Promise<string>;
}

/** Atlassian's organisation API: the v2 directory, and v1 where that has no successor. */
export function createOrganisation(options: OrganisationOptions): Organisation {
  const { client, orgId, findCloudId } = options;
  return {
    findUsersByEmail: (values, { groups }, signal) =>
      search(options, { ...USERS, by: 'emails', values, also: groups ? EXPAND_GROUPS : {} }, signal),
    findUsersById: (values, { groups }, signal) =>
      search(options, { ...USERS, by: 'accountIds', values, also: groups ? EXPAND_GROUPS : {} }, signal),
    findUsersByProduct: async (product, values, signal) => {
      if (values.length === 0) return [];
      const also = { resourceIds: [nameResource(product, await findCloudId(signal))], roleIds: ACCESS_ROLES };
      return search(options, { ...USERS, by: 'emails', values, also }, signal);
    },
    findAdmins: (signal) => search(options, { ...USERS, by: 'roleIds', values: ADMIN_ROLES, also: {} }, signal),
    findAdminGroups: (signal) => search(options, { ...GROUPS, by: 'roleIds', values: ADMIN_ROLES, also: {} }, signal),
    findUsersByGroup: (groupId, signal) =>
      search(options, { ...USERS, by: 'groupIds', values: [groupId], also: {} }, signal),
    countActiveUsers: async (signal) => {
      const path = { orgId, directoryId: await options.findDirectoryForReads(signal) };
      const schema = z.object({ count: z.int().nonnegative() });
      return (await client.read('countUsers', { path, query: { status: 'active' }, schema }, signal)).count;
    },
    findGroupsByName: (values, signal) => search(options, { ...GROUPS, by: 'groupNames', values, also: {} }, signal),
    findGroupsById: (values, signal) => search(options, { ...GROUPS, by: 'groupIds', values, also: {} }, signal),
    listVerifiedDomains: async (signal) => {
      const domains = await readList(
        client,
        { call: 'domains', orgId, item: domainSchema, idOf: ({ attributes }) => attributes.name },
        signal,
      );
      return domains
        .filter(({ attributes }) => attributes.claim?.status === 'verified')
        .map(({ attributes }) => attributes.name.toLowerCase());
    },
    suspend: (accountId, signal) => changeAccess(options, 'suspend', accountId, signal),
    restore: (accountId, signal) => changeAccess(options, 'restore', accountId, signal),
    invite: async ({ email, products }, signal) => {
      const site = await findCloudId(signal);
      const permissionRules = products.map((product) => ({ resource: nameResource(product, site), role: USER_ROLE }));
      const body = { emails: [email], permissionRules };
      const { answer, json } = await client.writeAndRead('invite', { path: { orgId }, body }, signal);
      return checkInvited(answer, json);
    },
  };
}

/** The directories of an organisation by their ids, or those that a person is in. */
export async function readDirectories(
  client: ApiClient,
  { orgId, accountId }: { readonly orgId: string; readonly accountId?: string },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const item = z.object({ directoryId: z.string().min(1) });
  const query: Query = accountId === undefined ? {} : { accountId };
  const list = {
    call: 'directories',
    orgId,
    item,
    query,
    idOf: (one: z.infer<typeof item>) => one.directoryId,
  } as const;
  const found = await readList(client, list, signal);
  return found.map(({ directoryId }) => directoryId);
}

const USERS = { call: 'searchUsers', item: userSchema, idOf: ({ accountId }: OrganisationUser) => accountId } as const;
const GROUPS = { call: 'searchGroups', item: groupSchema, idOf: ({ groupId }: Group) => groupId } as const;
const EXPAND_GROUPS = { expand: ['groups'] };

interface Search<Item> {
  readonly call: 'searchUsers' | 'searchGroups';
  readonly item: z.ZodType<Item>;
  readonly idOf: (item: Item) => string;
  /** The field of the body that holds the values. */
  readonly by: keyof typeof VALUES_A_CALL;
  readonly values: readonly string[];
  /** What the body holds besides. */
  readonly also: Readonly<Record<string, unknown>>;
}

async function search<Item>(
  { client, orgId, findDirectoryForReads }: OrganisationOptions,
  { call, item, idOf, by, values, also }: Search<Item>,
  signal: AbortSignal,
): Promise<readonly Item[]> {
  if (values.length === 0) return [];
  const path = { orgId, directoryId: await findDirectoryForReads(signal) };
  const found = await Promise.all(
    splitIntoChunks(values, { count: VALUES_A_CALL[by] }).map((chunk) => {
      const prepare = (cursor?: string) => ({ path, body: { [by]: chunk, limit: PAGE, ...also, cursor } });
      const most = names(call, by) ? 2 * chunk.length : undefined;
      return readPages({ client, call, item, idOf, most, prepare }, signal);
    }),
  );
  return found.flat();
}

/** Whether each value names one thing; names of groups that differ in their case may be more, and a group's id finds its members. */
const names = (call: Search<unknown>['call'], by: Search<unknown>['by']): boolean =>
  by !== 'roleIds' && !(call === 'searchUsers' && by === 'groupIds');

function readList<Item>(
  client: ApiClient,
  {
    call,
    orgId,
    item,
    idOf,
    query = {},
  }: Pick<Pages<Item>, 'call' | 'item' | 'idOf'> & {
    readonly orgId: string;
    readonly query?: Query;
  },
  signal: AbortSignal,
): Promise<readonly Item[]> {
  const prepare = (cursor?: string): CallArguments => ({
    path: { orgId },
    query: cursor === undefined ? query : { ...query, cursor },
  });
  return readPages({ client, call, item, idOf, prepare }, signal);
}

interface Pages<Item> {
  readonly client: ApiClient;
  readonly call: Call;
  readonly item: z.ZodType<Item>;
  readonly idOf: (item: Item) => string;
  /** The most items that can be meant. */
  readonly most?: number | undefined;
  readonly prepare: (cursor: string | undefined) => CallArguments;
}

/** `{data, links: {next}}`, where `next` is a whole URL (v1) or a bare cursor (v2). Only its cursor is used, never its host. */
async function readPages<Item>(
  { client, call, item, idOf, most, prepare }: Pages<Item>,
  signal: AbortSignal,
): Promise<readonly Item[]> {
  const schema = z.object({
    data: z.array(item).optional().default([]),
    links: z.object({ next: z.string().nullish() }).nullish(),
  });
  const found: Item[] = [];
  const check = watchPages({ call, idOf, most });
  let cursor: string | undefined;
  do {
    const { data, links } = await client.read(call, { ...prepare(cursor), schema }, signal);
    found.push(...data);
    cursor = readCursor(links?.next ?? undefined);
    check(data, cursor === undefined);
  } while (cursor !== undefined);
  return found;
}

function readCursor(next: string | undefined): string | undefined {
  if (next === undefined || next === '') return undefined;
  const query = /\?(.*)$/.exec(next)?.[1];
  return (query === undefined ? next : new URLSearchParams(query).get('cursor')) ?? undefined;
}

/** A site's product as the organisation API names it (its ARI). */
const nameResource = (product: string, cloudId: string): string => `ari:cloud:${product}::site/${cloudId}`;

/** Atlassian answers 415 to a request without a JSON body. */
async function changeAccess(
  { client, orgId, findDirectoryOf }: OrganisationOptions,
  call: 'suspend' | 'restore',
  accountId: string,
  signal: AbortSignal,
): Promise<Answer> {
  const path = { orgId, accountId, directoryId: await findDirectoryOf(accountId, signal) };
  return client.write(call, { path, body: {} }, signal);
}

/** An invitation is answered person by person and product by product, inside one success. */
function checkInvited(answer: Answer, json: unknown): Answer {
  const { httpStatus, traceId } = answer;
  const results = invitedSchema.safeParse(json).data?.data.flatMap((person) => (person.results ?? []).flat()) ?? [];
  const failed = results.find(({ status }) => status === 'ERROR');
  if (failed === undefined && results.length > 0 && results.every(({ status }) => status === 'INVITED')) return answer;
  if (failed === undefined)
    throw new NoAnswer(
      'Atlassian accepted the invitation without saying whether it was sent; the change may have been made.',
    );
  const reason = failed.statusReason ?? 'no reason given';
  const code = /licen[cs]e|seat|limit|quota/i.test(reason) ? 'LICENCE_LIMIT' : 'REQUEST_REFUSED';
  const given = results.filter(({ status }) => status === 'INVITED').map(({ resource }) => productOf(resource));
  const rest = given.length === 0 ? '' : ` The person was invited all the same, and got ${given.join(', ')}.`;
  throw new Refusal(
    code,
    `Atlassian did not invite the user to ${productOf(failed.resource)}: "${reason.slice(0, 300)}".${rest}`,
    { httpStatus, traceId },
  );
}

/** The product in a resource's name (its ARI). */
const productOf = (resource: string | null | undefined): string =>
  /^ari:cloud:([a-z-]+)::/.exec(resource ?? '')?.[1] ?? 'a product';

/** Atlassian's user-management API, for the accounts that the organisation manages. */
export function createUserManagement(client: ApiClient): UserManagement {
  return {
    findProfile: (accountId, signal) => client.find('profile', { path: { accountId }, schema: profileSchema }, signal),
    setEmail: (accountId, email, signal) => client.write('setEmail', { path: { accountId }, body: { email } }, signal),
    disable: (accountId, message, signal) => {
      const body = message === undefined ? {} : { message };
      return client.write('disable', { path: { accountId }, body }, signal);
    },
    enable: (accountId, signal) => client.write('enable', { path: { accountId } }, signal),
  };
}

const profileSchema = z
  .object({ account: z.object({ email: text, account_status: z.string().nullish().catch(undefined) }) })
  .transform(({ account }) => ({
    email: account.email ?? undefined,
    accountStatus: account.account_status ?? undefined,
  }));
