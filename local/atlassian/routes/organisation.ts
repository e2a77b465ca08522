import * as z from 'zod';

import { changeAccess, directoryGroups, directoryUser, invite } from '../engine/cloud-rules.ts';
import type { Group } from '../engine/cloud-state.ts';
import { ACCOUNT_ID, type User } from '../engine/state.ts';
import { type Answer, because, ok, organisationError, Refused } from './answer.ts';
import { bodySchema, type Call, type Complaint, jsonBody, queryValue, type Route } from './call.ts';

const DIRECTORY = '/v2/orgs/{orgId}/directories/{directoryId}';
const WRITE_SCOPES = [['write:users:admin'], ['write:directories:admin'], ['manage:org']];

/** The organisation API: v2, and v1's domains, which have no successor. */
export const organisationRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/v2/orgs/{orgId}/directories',
    api: 'organisation',
    about: 'The directories of the organisation.',
    query: ['cursor', 'limit', 'accountId', 'searchTerm'],
    scopes: [['read:directories:admin']],
    handle: listDirectories,
  },
  {
    method: 'POST',
    path: `${DIRECTORY}/users/search`,
    api: 'organisation',
    about: 'Users by exact addresses, account ids and other filters; suspended people too.',
    reads: true,
    scopes: [['read:directories:admin', 'read:users:admin'], ['read:users:admin'], ['read:accounts:admin']],
    handle: searchUsers,
  },
  {
    method: 'GET',
    path: `${DIRECTORY}/users/count`,
    api: 'organisation',
    about: 'How many users there are: of the directory, or with `-` of all, managed accounts outside of them included.',
    query: ['status', 'directoryIds'],
    scopes: [['read:directories:admin', 'read:users:admin'], ['read:users:admin']],
    handle: countUsers,
  },
  {
    method: 'POST',
    path: `${DIRECTORY}/groups/search`,
    api: 'organisation',
    about: 'Groups by exact names (in any case), ids and other filters.',
    reads: true,
    scopes: [['read:groups:admin']],
    handle: searchGroups,
  },
  {
    method: 'POST',
    path: `${DIRECTORY}/users/{accountId}/suspend`,
    api: 'organisation',
    about: 'Suspends a user; roles and groups stay, billing stops. Wants a JSON body, `{}`.',
    scopes: WRITE_SCOPES,
    handle: (call) => setAccess(call, 'suspended'),
  },
  {
    method: 'POST',
    path: `${DIRECTORY}/users/{accountId}/restore`,
    api: 'organisation',
    about: 'Restores a suspended user. Wants a JSON body, `{}`.',
    scopes: WRITE_SCOPES,
    handle: (call) => setAccess(call, 'active'),
  },
  {
    method: 'POST',
    path: '/v2/orgs/{orgId}/users/invite',
    api: 'organisation',
    about: 'Invites people; some may fail inside the success.',
    scopes: WRITE_SCOPES,
    handle: inviteAll,
  },
  {
    method: 'GET',
    path: '/v1/orgs/{orgId}/domains',
    api: 'organisation',
    about: 'Domains and their claims; `links.next` is a whole URL.',
    query: ['cursor'],
    scopes: [['read:domains:admin']],
    handle: listDomains,
  },
];

/** The organisation API's answer to a request that is not as it should be. */
const complain: Complaint = (status, problem) =>
  because(
    problem,
    status === 415
      ? organisationError(415, 'ADMIN-UAM-415-1', 'Unsupported media type')
      : organisationError(400, 'ADMIN-400-24', 'Invalid request body', problem),
  );

const refuse = (status: number, code: string, title: string): never => {
  throw new Refused(organisationError(status, code, title));
};

/** Refuses another organisation's id. */
function requireOrganisation({ params, world }: Call): void {
  if (params['orgId'] !== world.cloud.organisation.orgId) refuse(404, 'ADMIN-404-2', 'Organization not found');
}

/** Refuses an unknown directory; `-` stands for all, in reads only. */
function requireDirectory(call: Call, access: 'read' | 'write'): void {
  requireOrganisation(call);
  if (call.world.behaviour.switches.v2Directory === 'absent') refuse(404, 'ADMIN-404-1', 'Not found');
  const directoryId = call.params['directoryId'];
  if (directoryId === '-' && access === 'read') return;
  const known = call.world.cloud.organisation.directories.some((directory) => directory.directoryId === directoryId);
  if (!known) throw new Refused(because('no such directory', organisationError(404, 'ADMIN-404-1', 'Not found')));
}

function listDirectories(call: Call): Answer {
  requireOrganisation(call);
  if (call.world.behaviour.switches.v2Directory === 'absent') refuse(404, 'ADMIN-404-1', 'Not found');
  const term = queryValue(call, 'searchTerm', complain)?.toLowerCase() ?? '';
  const accountId = queryValue(call, 'accountId', complain);
  const { cloud } = call.world;
  const user = accountId === undefined ? undefined : directoryUser(cloud, accountId);
  const found = cloud.organisation.directories
    .filter(({ name }) => name.toLowerCase().includes(term))
    .filter(({ directoryId }) => accountId === undefined || (user && directoryOf(call, user) === directoryId));
  return ok({ data: found, links: {} });
}

const directoryOf = ({ world }: Call, user: User): string | undefined =>
  user.directoryId ?? world.cloud.organisation.directories[0]?.directoryId;

/** v1's pages have a size that nobody may choose. */
const DOMAINS_PAGE = 100;

function listDomains(call: Call): Answer {
  requireOrganisation(call);
  const { cloud, url } = call.world;
  const self = `${url}${call.path}`;
  const cursor = queryValue(call, 'cursor', complain);
  const at = cursor === undefined ? 0 : readCursor(cursor).at;
  const all = cloud.organisation.domains;
  const data = all.slice(at, at + DOMAINS_PAGE).map(({ name, type, status }, index) => ({
    id: `domain-${at + index + 1}`,
    type: 'domains',
    attributes: { name, claim: { type, status } },
    links: { self: `${self}/domain-${at + index + 1}` },
  }));
  const nextAt = at + DOMAINS_PAGE;
  const next = nextAt < all.length ? { next: `${self}?cursor=${writeCursor({ at: nextAt, search: {} })}` } : {};
  return ok({ data, links: { self, ...next } });
}

function setAccess(call: Call, wanted: 'active' | 'suspended'): Answer {
  requireDirectory(call, 'write');
  jsonBody(call, bodySchema({}), complain);
  const accountId = call.params['accountId'] ?? '';
  if (!ACCOUNT_ID.test(accountId)) {
    throw new Refused(complain(400, 'the account id does not fit [a-zA-Z0-9_|:-]{1,128}'));
  }
  const user = directoryUser(call.world.cloud, accountId) ?? refuse(404, 'ADMIN-404-8', 'User not found');
  if (directoryOf(call, user) !== call.params['directoryId'])
    refuse(404, 'ADMIN-UAM-404-1', 'The user is not in this directory');
  const things = [`${wanted === 'active' ? 'restore' : 'suspend'}/${accountId}`];
  switch (changeAccess(call.world.cloud, user, wanted)) {
    case 'changed':
      return { ...written(call), things, effective: true };
    case 'unchanged':
      return { ...unchanged(call, wanted), things };
    case 'no-seat':
      return { ...organisationError(409, 'ADMIN-409-3', 'Licence limit exceeded'), things };
  }
}

/** A write that was taken: Atlassian's documents leave the status open. */
function written({ world }: Call): Answer {
  const status = Number(world.behaviour.switches.v2WriteStatus);
  return status === 204 ? { status } : { status, body: {} };
}

/** Atlassian does not say what a write of what is so already answers: a switch does. */
function unchanged(call: Call, wanted: 'active' | 'suspended'): Answer {
  const { reSuspend, reRestore } = call.world.behaviour.switches;
  const [choice, title] =
    wanted === 'suspended' ? [reSuspend, 'User is already suspended'] : [reRestore, 'User is not suspended'];
  return choice === 'success' ? written(call) : organisationError(Number(choice), `ADMIN-${choice}-4`, title);
}

const invitation = bodySchema({
  emails: z.array(z.string()).min(1).max(25),
  permissionRules: z.array(z.strictObject({ resource: z.string(), role: z.string() })).optional(),
  additionalGroups: z.array(z.string()).optional(),
  sendNotification: z.boolean().optional(),
  notificationText: z.string().optional(),
});

function inviteAll(call: Call): Answer {
  requireOrganisation(call);
  const { emails, permissionRules = [], additionalGroups = [] } = jsonBody(call, invitation, complain);
  const products = permissionRules.map((rule) => productOf(call, rule));
  const { inviteStatus, inviteShape } = call.world.behaviour.switches;
  const invited = emails.map((email) => {
    const one = inviteOne(call, { email, products, groupIds: additionalGroups });
    const outcome = one.error === undefined ? { status: 'INVITED' } : { status: 'ERROR', statusReason: one.error };
    const roleAssignmentResult = permissionRules.map((rule) => ({ ...rule, ...outcome }));
    const groupAssignmentResult = additionalGroups.map((groupId) => ({ groupId, ...outcome }));
    const flat = [...roleAssignmentResult, ...groupAssignmentResult];
    const results = inviteShape === 'flat' ? flat : [{ roleAssignmentResult, groupAssignmentResult }];
    return { ...one, data: { id: one.accountId, email, results } };
  });
  return {
    status: invited.some(({ error }) => error !== undefined) ? 206 : Number(inviteStatus),
    body: { data: invited.map(({ data }) => data) },
    things: emails.map((email) => `creation/${email.toLowerCase()}`),
    effective: invited.some(({ changed }) => changed),
  };
}

interface PermissionRule {
  readonly resource: string;
  readonly role: string;
}

/** `ari:cloud:<product>::site/<cloudId>`, with a role that gives access. */
function productOf({ world: { cloud } }: Call, { resource, role }: PermissionRule): string {
  const [, product = '', cloudId] = /^ari:cloud:([a-z-]+)::site\/(.+)$/.exec(resource) ?? [];
  if (cloudId !== cloud.site.cloudId) refuse(400, 'ADMIN-UAM-400-1', `Bad request: no such resource ${resource}`);
  if (!/^atlassian\/[a-z-]+$/.test(role)) refuse(400, 'ADMIN-UAM-400-3', 'Invalid role for resource');
  if (!cloud.isLicensed(product)) refuse(400, 'ADMIN-UAM-400-4', 'Product not licensed');
  return product;
}

interface Invitation {
  readonly email: string;
  readonly products: readonly string[];
  readonly groupIds: readonly string[];
}

interface InvitedOne {
  readonly accountId?: string | undefined;
  readonly changed: boolean;
  readonly error?: string;
}

/** An error here is a part of the whole's success. */
function inviteOne({ world: { cloud } }: Call, { email, products, groupIds }: Invitation): InvitedOne {
  const [present] = cloud.withEmail(email);
  const failed = (error: string): InvitedOne => ({ accountId: present?.accountId, changed: false, error });
  if (!/^[^\s@]+@[^\s@]+$/.test(email)) return failed('INVALID_EMAIL');
  if (groupIds.some((groupId) => !cloud.group(groupId))) return failed('GROUP_NOT_FOUND');
  const invited = invite(cloud, email, products);
  if (invited.result === 'inactive') return failed('INACTIVE_USER');
  if (invited.result === 'no-seat') return failed('LICENSE_EXCEEDED');
  const { accountId } = invited.user;
  const joins = groupIds.filter((groupId) => !cloud.isMember(groupId, accountId));
  for (const groupId of joins) cloud.setMember(groupId, accountId, true);
  return { accountId, changed: invited.result === 'changed' || joins.length > 0 };
}

/** Values of one filter, at most so many: more are answered 400. */
const list = (most: number) => z.array(z.string()).max(most).optional();
/** Roles on products, sites and the organisation itself. */
const roles = z
  .array(z.string().regex(/^atlassian\/[a-z-]+$/, 'must be an Atlassian role'))
  .max(10)
  .optional();
const paging = { cursor: z.string().optional(), limit: z.number().int().min(1).max(100).optional() };

const userFilters = {
  accountIds: list(10),
  emails: list(100),
  searchTerm: z.string().optional(),
  groupIds: list(10),
  resourceIds: z
    .array(z.string().regex(/^ari:cloud:[a-z-]+::site\/[^/]+$/, 'must be the ARI of a product'))
    .max(20)
    .optional(),
  roleIds: roles,
  expand: z.array(z.literal('groups')).optional(),
};
const groupFilters = { groupNames: list(100), groupIds: list(10), roleIds: roles, searchTerm: z.string().optional() };
const userSearch = bodySchema({ ...paging, ...userFilters });
const groupSearch = bodySchema({ ...paging, ...groupFilters });

type UserSearch = z.infer<z.ZodObject<typeof userFilters>>;

function searchUsers(call: Call): Answer {
  const { cloud } = call.world;
  const { cursor, limit = 50, ...asked } = jsonBody(call, userSearch, complain);
  requireDirectory(call, 'read');
  const { at, search } = startOf(asked, cursor, userSearch.loose);
  if (search.searchTerm !== undefined && search.emails !== undefined) {
    throw new Refused(complain(400, 'searchTerm and emails cannot be used together'));
  }
  const seen = (user: User): User | undefined => {
    const one = cloud.user(user.accountId, 'organisation');
    return one && fits(call, one, search) ? one : undefined;
  };
  const { page, next } = take(candidates(call, search), { at, size: pageSize(call, limit) }, seen);
  return ok({ data: page.map((user) => userJson(call, user, search.expand)), links: links(cursor, next, search) });
}

/** Whoever may be meant, by the narrowest index; as the organisation sees them by now. */
function candidates({ world: { cloud } }: Call, { emails, accountIds, groupIds }: UserSearch): readonly User[] {
  const side = 'organisation';
  const several = (found: readonly User[]): readonly User[] => [
    ...new Map(found.map((user) => [user.accountId, user])).values(),
  ];
  const seen = (accountId: string): User | readonly User[] => cloud.user(accountId, side) ?? [];
  if (emails) return several(emails.flatMap((email) => cloud.withEmail(email, side)));
  if (accountIds) return several(accountIds.flatMap(seen));
  if (groupIds) return several(groupIds.flatMap((groupId) => [...cloud.membersOf(groupId, side)].flatMap(seen)));
  return cloud.everybody();
}

const fits = ({ world: { cloud } }: Call, user: User, search: UserSearch): boolean =>
  (search.accountIds?.includes(user.accountId) ?? true) &&
  `${user.name} ${user.email}`.toLowerCase().includes(search.searchTerm?.toLowerCase() ?? '') &&
  (search.groupIds?.some((groupId) => cloud.isMember(groupId, user.accountId, 'organisation')) ?? true) &&
  hasRole(user, search, cloud.site.cloudId);

/** Roles that are not on a product. */
const rolesOf = ({ orgAdmin, siteAdmin }: User): readonly string[] => [
  ...(orgAdmin ? ['atlassian/org-admin'] : []),
  ...(siteAdmin ? ['atlassian/site-admin'] : []),
];

/** Whoever may use a product here may use it as `atlassian/user`: on the resources and in the roles that are asked for. */
function hasRole(user: User, { resourceIds, roleIds }: UserSearch, cloudId: string): boolean {
  if (resourceIds === undefined && roleIds === undefined) return true;
  if (resourceIds === undefined && rolesOf(user).some((role) => roleIds?.includes(role))) return true;
  if (roleIds !== undefined && !roleIds.includes('atlassian/user')) return false;
  return user.products.some((key) => resourceIds?.includes(`ari:cloud:${key}::site/${cloudId}`) ?? true);
}

function countUsers(call: Call): Answer {
  requireDirectory(call, 'read');
  const { cloud } = call.world;
  const statuses = call.query.get('status') ?? [];
  const all = cloud.everybody().flatMap(({ accountId }) => cloud.user(accountId, 'organisation') ?? []);
  return ok({ count: all.filter((user) => statuses.length === 0 || statuses.includes(statusOf(user))).length });
}

function searchGroups(call: Call): Answer {
  const { cursor, limit = 20, ...asked } = jsonBody(call, groupSearch, complain);
  requireDirectory(call, 'read');
  const { at, search } = startOf(asked, cursor, groupSearch.loose);
  if (search.groupNames && (search.searchTerm !== undefined || search.groupIds)) {
    throw new Refused(complain(400, 'groupNames cannot be used with searchTerm or groupIds'));
  }
  const matches = (group: Group): boolean =>
    (search.roleIds?.some((role) => group.roles.includes(role)) ?? true) &&
    (search.groupIds?.includes(group.groupId) ?? true) &&
    group.name.toLowerCase().includes(search.searchTerm?.toLowerCase() ?? '');
  const { cloud } = call.world;
  const named = search.groupNames ? directoryGroups(cloud, search.groupNames) : [...cloud.everyGroup()];
  const { page, next } = take(named, { at, size: pageSize(call, limit) }, (one) => (matches(one) ? one : undefined));
  return ok({ data: page.map((group) => groupJson(call, group)), links: links(cursor, next, search) });
}

const pageSize = ({ world }: Call, limit: number): number => Math.min(limit, world.behaviour.pageSizes.organisation);

/** Up to `size` that fit, from position `at` on, and the position behind them if more may follow. */
function take<T>(
  all: readonly T[],
  { at, size }: { readonly at: number; readonly size: number },
  fitting: (one: T) => T | undefined,
) {
  const page: T[] = [];
  let next = at;
  for (; next < all.length && page.length < size; next += 1) {
    const one = all[next];
    const fit = one === undefined ? undefined : fitting(one);
    if (fit !== undefined) page.push(fit);
  }
  return { page, next: next < all.length ? next : undefined };
}

/** A cursor carries its own search: with it, what else was sent is ignored. */
function startOf<Search>(asked: Search, cursor: string | undefined, schema: z.ZodType<Search>) {
  if (cursor === undefined) return { at: 0, search: asked };
  const { at, search } = readCursor(cursor);
  const parsed = schema.safeParse(search);
  return parsed.success ? { at, search: parsed.data } : refuse(400, 'ADMIN-400-1', 'Invalid page cursor');
}

function links(cursor: string | undefined, next: number | undefined, search: unknown) {
  return {
    ...(cursor === undefined ? {} : { self: cursor }),
    ...(next === undefined ? {} : { next: writeCursor({ at: next, search }) }),
  };
}

/** Where the next page of a search begins, and what was searched for. */
const cursorSchema = z.object({ at: z.number().int().min(0), search: z.unknown() });

/** An opaque text, as v2 hands out: no URL, and nothing that a client could read. */
const writeCursor = (cursor: z.infer<typeof cursorSchema>): string =>
  Buffer.from(JSON.stringify(cursor)).toString('base64url');

/** Reads a cursor of ours; anything else is ADMIN-400-1. */
function readCursor(text: string): z.infer<typeof cursorSchema> {
  try {
    return cursorSchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch {
    const answer = organisationError(400, 'ADMIN-400-1', 'Invalid page cursor');
    throw new Refused(because('send links.next as it was given', answer));
  }
}

/** One word for what accountStatus and membershipStatus say together. */
function statusOf(user: User): 'active' | 'suspended' | 'not_invited' | 'deactivated' | 'for_deletion' {
  if (user.forDeletion) return 'for_deletion';
  if (user.accountStatus !== 'active') return 'deactivated';
  if (user.membershipStatus === 'suspended') return 'suspended';
  return user.membershipStatus === 'no_membership' ? 'not_invited' : 'active';
}

/** The v2 API's User, with what `expand` asks for. */
function userJson({ world: { cloud } }: Call, user: User, expand: readonly string[] = []): Record<string, unknown> {
  const groups = expand.includes('groups') ? cloud.groupsOf(user.accountId, 'organisation') : undefined;
  return {
    accountId: user.accountId,
    accountType: user.accountType,
    status: statusOf(user),
    accountStatus: user.accountStatus,
    membershipStatus: user.membershipStatus,
    addedToOrg: user.addedToOrg ?? '2024-01-15T09:00:00.000Z',
    name: user.name,
    nickname: user.nickname ?? user.name,
    email: user.email,
    emailVerified: true,
    claimStatus: user.claimStatus,
    platformRoles: rolesOf(user),
    managementSource: user.managementSource,
    mfaEnabled: false,
    ...(groups ? { groups: groups.map(({ groupId, name }) => ({ id: groupId, name })) } : {}),
    ...(user.forDeletion ? { forDeletion: true } : {}),
  };
}

/** The v2 API's Group. */
const groupJson = ({ world: { cloud } }: Call, group: Group): Record<string, unknown> => ({
  id: group.groupId,
  name: group.name,
  description: group.description ?? '',
  directoryId: cloud.organisation.directories[0]?.directoryId,
  managementAccess: { deletable: !group.externalSynced, modifiable: !group.externalSynced, readable: true },
  externalSynced: group.externalSynced,
  managedBy: group.externalSynced ? 'external' : 'admins',
});
