import * as z from 'zod';

import { type Answer, ok, Refused } from './answer.ts';
import { bodySchema, type Call, jsonBody } from './call.ts';
import type { Group } from './cloud-state.ts';
import { readCursor, writeCursor } from './cursor.ts';
import { domainOf } from './invitation.ts';
import type { User } from './model.ts';
import { complain, groupJson, refuse, requireDirectory, statusOf, userJson } from './organisation-objects.ts';
import type { Route } from './router.ts';

/** Values in one filter; what POST takes is not documented. */
const POST_FILTER = 100;

const list = z.array(z.string()).max(POST_FILTER).optional();
const paging = { cursor: z.string().optional(), limit: z.number().int().min(1).optional() };

const userFilters = {
  accountIds: list,
  directoryIds: list,
  groupIds: list,
  resourceIds: z.array(z.string().regex(/^ari:cloud:[a-z-]+::site\/[^/]+$/, 'must be the ARI of a product')).optional(),
  roleIds: z.array(z.string().regex(/^atlassian\/[a-z-]+$/, 'must be an Atlassian role')).optional(),
  claimStatus: z.enum(['managed', 'unmanaged']).optional(),
  status: z.array(z.enum(['active', 'suspended', 'not_invited', 'deactivated', 'for_deletion'])).optional(),
  accountStatus: z.array(z.enum(['active', 'inactive', 'closed'])).optional(),
  membershipStatus: z.array(z.enum(['active', 'suspended', 'no_membership'])).optional(),
  emailDomains: list,
  searchTerm: z.string().optional(),
  emails: list,
  expand: z.array(z.enum(['platformRoles', 'counts.resources', 'productAccess', 'groups'])).optional(),
};
const groupFilters = {
  searchTerm: z.string().optional(),
  groupNames: list,
  groupIds: list,
  accountIds: list,
  directoryIds: list,
  expand: z.array(z.enum(['counts.resources', 'counts.users'])).optional(),
};
const userSearch = bodySchema({ ...paging, ...userFilters });
const groupSearch = bodySchema({ ...paging, ...groupFilters });

type UserSearch = z.infer<z.ZodObject<typeof userFilters>>;
type GroupSearch = z.infer<z.ZodObject<typeof groupFilters>>;

const USERS = '/v2/orgs/{orgId}/directories/{directoryId}/users';
const GROUPS = '/v2/orgs/{orgId}/directories/{directoryId}/groups';

const USER_SCOPES = [['read:directories:admin', 'read:users:admin'], ['read:users:admin'], ['read:accounts:admin']];
const GROUP_SCOPES = [['read:groups:admin']];

/** The v2 directory API's searches. */
export const organisationSearchRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: `${USERS}/search`,
    api: 'organisation',
    about: 'Users by exact addresses, account ids and other filters; suspended people too.',
    reads: true,
    scopes: USER_SCOPES,
    handle: (call) => {
      const { cursor, limit = 50, ...search } = jsonBody(call, userSearch, complain);
      return users(call, search, { cursor, limit });
    },
  },
  {
    method: 'POST',
    path: `${GROUPS}/search`,
    api: 'organisation',
    about: 'Groups by exact names (in any case), ids and other filters.',
    reads: true,
    scopes: GROUP_SCOPES,
    handle: (call) => {
      const { cursor, limit = 20, ...search } = jsonBody(call, groupSearch, complain);
      return groups(call, search, { cursor, limit });
    },
  },
];

interface Paging {
  readonly cursor: string | undefined;
  readonly limit: number;
}

function users(call: Call, asked: UserSearch, paging: Paging): Answer {
  requireDirectory(call, 'read');
  const { at, search } = start(asked, paging, userSearch.loose);
  if (search.searchTerm !== undefined && search.emails !== undefined) {
    throw new Refused(complain(400, 'searchTerm and emails cannot be used together'));
  }
  const { page, next } = take(usersAsked(call, search), at, pageSize(call, paging), (user) => fits(call, user, search));
  return ok({
    data: page.map((user) => userJson(call, user, search.expand)),
    links: links(paging, next, search),
  });
}

/** Whoever may be meant, by the narrowest index; as the organisation sees them by now. */
function usersAsked({ world: { cloud } }: Call, search: UserSearch): readonly User[] {
  const several = (found: readonly (User | undefined)[]): readonly User[] => [
    ...new Map(found.flatMap((user) => (user ? [[user.accountId, user] as const] : []))).values(),
  ];
  const seen = (accountId: string): User | undefined => cloud.user(accountId, 'organisation');
  if (search.emails) return several(search.emails.map((email) => cloud.byEmail(email, 'organisation')));
  if (search.accountIds) return several(search.accountIds.map(seen));
  if (search.groupIds) {
    return several(search.groupIds.flatMap((groupId) => [...cloud.membersOf(groupId, 'organisation')].map(seen)));
  }
  return cloud.everybody();
}

function fits({ world: { cloud } }: Call, present: User, search: UserSearch): User | undefined {
  const user = cloud.user(present.accountId, 'organisation');
  if (!user) return undefined;
  const term = search.searchTerm?.toLowerCase() ?? '';
  const wanted =
    among(search.accountIds, user.accountId) &&
    among(search.status, statusOf(user)) &&
    among(search.accountStatus, user.accountStatus) &&
    among(search.membershipStatus, user.membershipStatus) &&
    among(search.emailDomains, domainOf(user.email)) &&
    (search.claimStatus === undefined || search.claimStatus === user.claimStatus) &&
    `${user.name} ${user.email}`.toLowerCase().includes(term) &&
    (search.groupIds?.some((groupId) => cloud.isMember(groupId, user.accountId, 'organisation')) ?? true) &&
    hasRole(user, search, cloud.site.cloudId);
  return wanted ? user : undefined;
}

/** Whoever may use a product here may use it as `atlassian/user`: on the resources and in the roles that are asked for. */
function hasRole(user: User, { resourceIds, roleIds }: UserSearch, cloudId: string): boolean {
  if (resourceIds === undefined && roleIds === undefined) return true;
  if (roleIds?.includes('atlassian/org-admin') && user.orgAdmin && resourceIds === undefined) return true;
  if (roleIds !== undefined && !roleIds.includes('atlassian/user')) return false;
  return user.products.some((key) => among(resourceIds, `ari:cloud:${key}::site/${cloudId}`));
}

function groups(call: Call, asked: GroupSearch, paging: Paging): Answer {
  requireDirectory(call, 'read');
  const { at, search } = start(asked, paging, groupSearch.loose);
  if (search.groupNames && (search.searchTerm !== undefined || search.groupIds)) {
    throw new Refused(complain(400, 'groupNames cannot be used with searchTerm or groupIds'));
  }
  const names = search.groupNames && new Set(search.groupNames.map((name) => name.toLowerCase()));
  const matches = (group: Group): boolean =>
    (names?.has(group.name.toLowerCase()) ?? true) &&
    among(search.groupIds, group.groupId) &&
    group.name.toLowerCase().includes(search.searchTerm?.toLowerCase() ?? '') &&
    (search.accountIds?.some((id) => call.world.cloud.isMember(group.groupId, id, 'organisation')) ?? true);
  const every = [...call.world.cloud.everyGroup()];
  const { page, next } = take(every, at, pageSize(call, paging), (group) => (matches(group) ? group : undefined));
  return ok({ data: page.map((group) => groupJson(call, group, search.expand)), links: links(paging, next, search) });
}

const among = <T extends string>(wanted: readonly T[] | undefined, value: T): boolean =>
  wanted === undefined || wanted.includes(value);

/** Up to `size` that fit, from position `at` on, and the position behind them if more may follow. */
function take<T>(all: readonly T[], at: number, size: number, fitting: (one: T) => T | undefined) {
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
function start<Search>(asked: Search, { cursor }: Paging, schema: z.ZodType<Search>): { at: number; search: Search } {
  if (cursor === undefined) return { at: 0, search: asked };
  const read = readCursor(cursor);
  const parsed = schema.safeParse(read.search);
  return parsed.success ? { at: read.at, search: parsed.data } : refuse(400, 'ADMIN-400-1', 'Invalid page cursor');
}

function links({ cursor }: Paging, next: number | undefined, search: unknown) {
  return {
    ...(cursor === undefined ? {} : { self: cursor }),
    ...(next === undefined ? {} : { next: writeCursor({ at: next, search }) }),
  };
}

function pageSize(call: Call, { limit }: Paging): number {
  const most = call.world.behaviour.pageSizes.organisation;
  if (limit > 100) throw new Refused(complain(400, 'limit must be between 1 and 100'));
  return Math.min(limit, most);
}
