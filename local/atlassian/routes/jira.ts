import * as z from 'zod';

import { createUser, findActive, isOnSite, joinGroup, leaveGroup, siteUser } from '../engine/cloud-rules.ts';
import { isActive, type Group } from '../engine/cloud-state.ts';
import type { User } from '../engine/state.ts';
import { type Answer, because, jiraError, ok, Refused } from './answer.ts';
import {
  bodySchema,
  type Call,
  type Complaint,
  jsonBody,
  queryFlag,
  queryNumber,
  queryValue,
  type Route,
} from './call.ts';

const GROUP_SCOPES = [
  ['manage:jira-configuration'],
  ['write:group:jira', 'read:group:jira', 'read:user:jira', 'read:avatar:jira'],
];
const READ_GROUP_SCOPES = [['read:jira-user'], ['manage:jira-configuration'], ['read:group:jira']];
const READ_USER_SCOPES = [['read:jira-user'], ['manage:jira-configuration'], ['read:user:jira']];

/** Jira Cloud's REST API, and what its site says to anybody. */
export const jiraRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/group/user',
    api: 'jira',
    about: 'Adds a user to a group.',
    query: ['groupId', 'groupname'],
    scopes: GROUP_SCOPES,
    handle: addToGroup,
  },
  {
    method: 'DELETE',
    path: '/group/user',
    api: 'jira',
    about: 'Takes a user out of a group.',
    query: ['groupId', 'groupname', 'accountId'],
    scopes: [['manage:jira-configuration'], ['write:group:jira']],
    handle: removeFromGroup,
  },
  {
    method: 'GET',
    path: '/group/bulk',
    api: 'jira',
    about: 'Groups by exact names or ids.',
    query: ['groupName', 'groupId', 'startAt', 'maxResults'],
    scopes: READ_GROUP_SCOPES,
    handle: listGroups,
  },
  {
    method: 'GET',
    path: '/groups/picker',
    api: 'jira',
    about: 'Groups whose names contain a text, in the order of their names; 20 unless more are asked for.',
    query: ['query', 'exclude', 'excludeId', 'maxResults', 'caseInsensitive', 'accountId', 'userName'],
    scopes: READ_GROUP_SCOPES,
    handle: pickGroups,
  },
  {
    method: 'GET',
    path: '/group/member',
    api: 'jira',
    about: 'Members of a group, 50 a page at most; people whose access is suspended are left out.',
    query: ['groupId', 'groupname', 'includeInactiveUsers', 'startAt', 'maxResults'],
    scopes: READ_GROUP_SCOPES,
    handle: listMembers,
  },
  {
    method: 'GET',
    path: '/myself',
    api: 'jira',
    about: 'Who calls.',
    query: ['expand'],
    scopes: READ_USER_SCOPES,
    handle: getMyself,
  },
  {
    method: 'GET',
    path: '/user',
    api: 'jira',
    about: 'One user.',
    query: ['accountId', 'expand'],
    scopes: READ_USER_SCOPES,
    handle: (call) => ok(userJson(call, queriedUser(call), queryValue(call, 'expand', complain)?.split(','))),
  },
  {
    method: 'POST',
    path: '/user',
    api: 'jira',
    about: 'Creates or invites a user.',
    scopes: [['manage:jira-configuration'], ['write:user:jira']],
    handle: postUser,
  },
  {
    method: 'GET',
    path: '/user/search',
    api: 'jira',
    about: 'Active users by the beginning of their names or addresses; the first 1,000.',
    query: ['query', 'accountId', 'property', 'startAt', 'maxResults'],
    userSearch: true,
    scopes: READ_USER_SCOPES,
    handle: searchUsers,
  },
  {
    method: 'GET',
    path: '/users/search',
    api: 'jira',
    about: 'All users, inactive ones too, 1,000 a page at most.',
    query: ['startAt', 'maxResults'],
    userSearch: true,
    scopes: READ_USER_SCOPES,
    handle: listUsers,
  },
  {
    method: 'GET',
    path: '/user/bulk',
    api: 'jira',
    about: 'Users by account ids, 200 a page at most.',
    query: ['accountId', 'startAt', 'maxResults'],
    scopes: READ_USER_SCOPES,
    handle: listUsersById,
  },
  {
    method: 'GET',
    path: '/user/groups',
    api: 'jira',
    about: 'The groups of a user.',
    query: ['accountId'],
    scopes: READ_USER_SCOPES,
    handle: (call) => {
      const { accountId } = queriedUser(call);
      return ok(call.world.cloud.groupsOf(accountId, 'jira').map((group) => groupName(call, group)));
    },
  },
  {
    method: 'GET',
    path: '/_edge/tenant_info',
    api: 'site',
    about:
      'The cloudId of the site, without credentials (support.atlassian.com, “Retrieve my Atlassian site’s Cloud ID”).',
    handle: ({ world }) => ok({ cloudId: world.cloud.site.cloudId }),
  },
];

/** Jira's ErrorCollection for a request that is not as it should be. */
export const complain: Complaint = (status, problem, field) =>
  because(problem, jiraError(status, field ? [] : [problem], field ? { [field]: problem } : {}));

/** Refuses in Jira's words. */
export const refuse = (status: number, message: string): never => {
  throw new Refused(jiraError(status, [message]));
};

const member = bodySchema({ accountId: z.string().min(1).max(128) });

function addToGroup(call: Call): Answer {
  const { cloud } = call.world;
  requireSiteAdmin(call);
  const { accountId } = jsonBody(call, member, complain);
  const group = namedGroup(call);
  const user = siteUser(cloud, accountId) ?? refuse(404, NO_USER);
  const things = [`membership/${group.groupId}/${accountId}`];
  switch (joinGroup(cloud, group, user)) {
    case 'changed':
      return { status: 201, body: groupJson(call, group), things, effective: true };
    case 'unchanged':
      // Literally so: the message's place holder is never filled in (AX-17).
      return { ...jiraError(400, ["'{1}'"]), things };
    case 'external-group':
      return { ...externalGroup(call), things };
    case 'no-seat':
      return { ...jiraError(400, ['The licensed number of users has been exceeded.']), things };
  }
}

function removeFromGroup(call: Call): Answer {
  const { cloud } = call.world;
  requireSiteAdmin(call);
  const accountId = queryAccountId(call);
  const group = namedGroup(call);
  const user = siteUser(cloud, accountId) ?? refuse(404, NO_USER);
  const things = [`membership/${group.groupId}/${accountId}`];
  switch (leaveGroup(cloud, group, user)) {
    case 'changed':
      return { status: 200, things, effective: true };
    case 'external-group':
      return { ...externalGroup(call), things };
    case 'unchanged': {
      const { removeNonMember } = call.world.behaviour.switches;
      if (removeNonMember === 'success') return { status: 200, things };
      const message = `The user is not a member of the group '${group.name}'.`;
      return { ...jiraError(Number(removeNonMember), [message]), things };
    }
  }
}

/** An identity provider's group is changed there. */
const externalGroup = ({ world }: Call): Answer =>
  jiraError(Number(world.behaviour.switches.externalGroup), ['The group is managed externally and cannot be changed.']);

/** A missing privilege is reported as a user who does not exist (terraform-provider-jira #44, pycontribs/jira #975). */
const NO_USER = 'Specified user does not exist or you do not have required permissions';

/** Group changes are the site admin's. */
function requireSiteAdmin({ caller, world }: Call): void {
  if (caller.may('site-admin')) return;
  if (world.behaviour.switches.missingPrivilege === '404') refuse(404, NO_USER);
  refuse(403, 'You do not have permission to administer groups.');
}

function requireBrowse({ caller }: Call, what: 'users' | 'groups'): void {
  if (!caller.may('browse-users')) refuse(403, `Browse users and groups permission is required to view ${what}.`);
}

/** The group that exactly one of `groupId` and `groupname` names. */
function namedGroup(call: Call): Group {
  const groupId = queryValue(call, 'groupId', complain);
  const name = queryValue(call, 'groupname', complain);
  if (groupId !== undefined && name !== undefined) {
    throw new Refused(complain(400, "Only one of 'groupname' and 'groupId' may be provided."));
  }
  if (groupId !== undefined) {
    return call.world.cloud.group(groupId) ?? refuse(404, `The group with the id '${groupId}' does not exist.`);
  }
  if (!name) throw new Refused(complain(400, "Neither 'groupname' nor 'groupId' was provided."));
  return call.world.cloud.groupsNamed(name)[0] ?? refuse(404, `The group named '${name}' does not exist.`);
}

/** The account id in the query, checked as the specification has it: at most 128 characters. */
function queryAccountId(call: Call): string {
  const accountId = queryValue(call, 'accountId', complain);
  if (!accountId) throw new Refused(complain(400, "The query parameter 'accountId' is required.", 'accountId'));
  if (accountId.length > 128) throw new Refused(complain(400, 'accountId is longer than 128 characters', 'accountId'));
  return accountId;
}

/** The user in the query as Jira sees them: one who was never let onto the site is nobody. */
function queriedUser(call: Call): User {
  requireBrowse(call, 'users');
  const user = call.world.cloud.user(queryAccountId(call), 'jira');
  return user && isOnSite(user) ? user : refuse(404, NO_USER);
}

function listGroups(call: Call): Answer {
  requireBrowse(call, 'groups');
  const { cloud, behaviour } = call.world;
  const names = call.query.get('groupName') ?? [];
  const ids = call.query.get('groupId') ?? [];
  const named = [...names.flatMap(cloud.groupsNamed), ...ids.flatMap((id) => cloud.group(id) ?? [])];
  const all = names.length + ids.length === 0 ? [...cloud.everyGroup()] : [...new Set(named)];
  const startAt = queryNumber(call, 'startAt', 0, complain);
  const maxResults = Math.min(behaviour.pageSizes.groupBulk, queryNumber(call, 'maxResults', 50, complain));
  const values = all.slice(startAt, startAt + maxResults).map(({ name, groupId }) => ({ name, groupId }));
  return ok({ ...pageBean(call, { startAt, maxResults, total: all.length, given: values.length }), values });
}

/** Whoever may not browse groups finds none: no 403. */
function pickGroups(call: Call): Answer {
  const query = queryValue(call, 'query', complain) ?? '';
  const anyCase = queryFlag(call, 'caseInsensitive', complain);
  const spell = (text: string): string => (anyCase ? text.toLowerCase() : text);
  const maxResults = Math.min(1_000, queryNumber(call, 'maxResults', 20, complain));
  const all = call.caller.may('browse-users') ? [...call.world.cloud.everyGroup()] : [];
  const found = all
    .filter(({ name }) => spell(name).includes(spell(query)))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const groups = found.slice(0, maxResults).map(({ name, groupId }) => ({ name, groupId, html: name, labels: [] }));
  const header = `Showing ${groups.length} of ${found.length} matching groups`;
  return ok({ header, total: found.length, groups });
}

/** Members in the order in which they joined. */
function listMembers(call: Call): Answer {
  requireBrowse(call, 'groups');
  const { cloud } = call.world;
  const { groupId } = namedGroup(call);
  const inactive = queryFlag(call, 'includeInactiveUsers', complain);
  const all = [...cloud.membersOf(groupId, 'jira')]
    .flatMap((accountId) => cloud.user(accountId, 'jira') ?? [])
    .filter((user) => user.membershipStatus === 'active' && (inactive || isActive(user)));
  return usersPage(call, all, { most: 50, otherwise: 50 });
}

function listUsers(call: Call): Answer {
  requireBrowse(call, 'users');
  const { cloud } = call.world;
  const startAt = queryNumber(call, 'startAt', 0, complain);
  const maxResults = Math.min(1000, queryNumber(call, 'maxResults', 50, complain));
  const all = cloud.everybody().flatMap(({ accountId }) => cloud.user(accountId, 'jira') ?? []);
  const page = all.filter(isOnSite).slice(startAt, startAt + maxResults);
  return ok(page.map((user) => userJson(call, user)));
}

function listUsersById(call: Call): Answer {
  requireBrowse(call, 'users');
  const ids = call.query.get('accountId') ?? [];
  if (ids.length === 0) throw new Refused(complain(400, "The query parameter 'accountId' is required.", 'accountId'));
  const users = [...new Set(ids)].flatMap((accountId) => call.world.cloud.user(accountId, 'jira') ?? []);
  return usersPage(call, users.filter(isOnSite), { most: 200, otherwise: 10 });
}

function usersPage(
  call: Call,
  all: readonly User[],
  { most, otherwise }: { readonly most: number; readonly otherwise: number },
): Answer {
  const startAt = queryNumber(call, 'startAt', 0, complain);
  const maxResults = Math.min(most, Math.max(1, queryNumber(call, 'maxResults', otherwise, complain)));
  const values = all.slice(startAt, startAt + maxResults).map((user) => userJson(call, user));
  return ok({ ...pageBean(call, { startAt, maxResults, total: all.length, given: values.length }), values });
}

/** The account that owns the token: an API token's user may be asked about whatever else they may do. */
function getMyself(call: Call): Answer {
  const [user] = call.world.cloud.withEmail(call.caller.name, 'jira');
  return user ? ok(userJson(call, user)) : refuse(404, NO_USER);
}

/** Jira's PageBean without its values; `nextPage` repeats the request from where this page ends. */
function pageBean(call: Call, page: Readonly<Record<'startAt' | 'maxResults' | 'total' | 'given', number>>) {
  const { startAt, maxResults, total, given } = page;
  const isLast = startAt + given >= total;
  const urlAt = (at: number): string => {
    const query = [...call.query].filter(([name]) => name !== 'startAt' && name !== 'maxResults');
    const pairs = query.flatMap(([name, values]) => values.map((value) => `${name}=${encodeURIComponent(value)}`));
    return `${call.world.url}${call.path}?${[...pairs, `startAt=${at}`, `maxResults=${maxResults}`].join('&')}`;
  };
  const next = isLast ? {} : { nextPage: urlAt(startAt + given) };
  return { self: urlAt(startAt), ...next, startAt, maxResults, total, isLast };
}

/** Products that Jira's own user creation knows (its OpenAPI document). */
const JIRA_PRODUCTS = ['jira-core', 'jira-servicedesk', 'jira-product-discovery', 'jira-software'] as const;

const newUser = bodySchema({
  emailAddress: z.string().regex(/^[^\s@]+@[^\s@]+$/, 'is not an e-mail address'),
  products: z.array(z.enum(JIRA_PRODUCTS)),
});

function postUser(call: Call): Answer {
  if (!call.caller.may('site-admin')) refuse(403, 'You do not have permission to create users.');
  const { emailAddress, products } = jsonBody(call, newUser, complain);
  const things = [`creation/${emailAddress.toLowerCase()}`];
  const { createUserOfMember } = call.world.behaviour.switches;
  const created = createUser(call.world.cloud, emailAddress, products, createUserOfMember === 'gives');
  switch (created.result) {
    case 'changed':
    case 'unchanged':
      return { status: 201, body: userJson(call, created.user), things, effective: created.result === 'changed' };
    case 'no-product':
      return { ...jiraError(400, ['The user exists, has no access to Jira, and no product was requested.']), things };
    case 'no-seat':
      return { ...jiraError(400, [`The licence count of ${created.products.join(', ')} is exceeded.`]), things };
  }
}

function searchUsers(call: Call): Answer {
  const { cloud, behaviour } = call.world;
  const query = queryValue(call, 'query', complain);
  const accountId = queryValue(call, 'accountId', complain);
  if (queryValue(call, 'property', complain) !== undefined) {
    throw new Refused(complain(400, 'The simulator does not search by property.', 'property'));
  }
  if (query === undefined && accountId === undefined) {
    throw new Refused(complain(400, "One of 'query', 'accountId' and 'property' must be provided."));
  }
  if (query !== undefined && accountId !== undefined) {
    throw new Refused(complain(400, "'query' and 'accountId' cannot be used together."));
  }
  const startAt = queryNumber(call, 'startAt', 0, complain);
  const maxResults = Math.min(1000, queryNumber(call, 'maxResults', 50, complain));
  // Without the permission nobody is found: no 403.
  if (!call.caller.may('browse-users')) return ok([]);
  const byAddress = behaviour.switches.jiraEmails !== 'unsearchable';
  const found =
    query === undefined
      ? [cloud.user(accountId ?? '', 'jira')].filter((user) => user !== undefined).filter(isActive)
      : findActive(cloud, query, { limit: startAt + maxResults, byAddress });
  return ok(found.slice(startAt, startAt + maxResults).map((user) => userJson(call, user)));
}

/** Jira's User, with what `expand` asks for. */
function userJson(call: Call, user: User, expand: readonly string[] = []): Record<string, unknown> {
  const { cloud, behaviour } = call.world;
  const groups = cloud.groupsOf(user.accountId, 'jira');
  const products = user.products.filter((product) => product.startsWith('jira-'));
  const showsEmail = behaviour.switches.jiraEmails === 'shown' && user.emailHidden !== true;
  return {
    self: `${selfBase(call)}/user?accountId=${encodeURIComponent(user.accountId)}`,
    accountId: user.accountId,
    accountType: user.accountType,
    ...(showsEmail ? { emailAddress: user.email } : {}),
    displayName: user.name,
    active: isActive(user),
    timeZone: user.zoneinfo ?? 'Europe/Berlin',
    locale: user.locale ?? 'en_US',
    groups: {
      size: groups.length,
      items: expand.includes('groups') ? groups.map((group) => groupName(call, group)) : [],
    },
    applicationRoles: {
      size: products.length,
      items: expand.includes('applicationRoles') ? products.map((key) => ({ key, name: key })) : [],
    },
    expand: 'groups,applicationRoles',
  };
}

const groupName = (call: Call, { name, groupId }: Group) => ({
  name,
  groupId,
  self: `${selfBase(call)}/group?groupId=${encodeURIComponent(groupId)}`,
});

/** Jira's Group, its members left folded. */
const groupJson = (call: Call, group: Group) => ({
  ...groupName(call, group),
  users: {
    size: call.world.cloud.memberCount(group.groupId),
    items: [],
    'max-results': 50,
    'start-index': 0,
    'end-index': 0,
  },
  expand: 'users',
});

const selfBase = ({ world, path }: Call): string => `${world.url}/rest/api/${path.includes('/api/2/') ? '2' : '3'}`;
