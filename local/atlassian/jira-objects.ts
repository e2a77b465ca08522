import { because, jiraError, Refused } from './answer.ts';
import { type Call, type Complaint, queryValue } from './call.ts';
import type { Group } from './cloud-state.ts';
import type { User } from './model.ts';

/** Jira's ErrorCollection for a request that is not as it should be. */
export const complain: Complaint = (status, problem, field) =>
  because(problem, jiraError(status, field ? [] : [problem], field ? { [field]: problem } : {}));

/** Refuses in Jira's words. */
export const refuse = (status: number, message: string): never => {
  throw new Refused(jiraError(status, [message]));
};

/** A missing privilege is reported as a user who does not exist (terraform-provider-jira #44, pycontribs/jira #975). */
const NO_USER = 'Specified user does not exist or you do not have required permissions';

/** Group changes are the site admin's. */
export function requireSiteAdmin({ caller, world }: Call): void {
  if (caller.may('site-admin')) return;
  if (world.behaviour.switches.missingPrivilege === '404') refuse(404, NO_USER);
  refuse(403, 'You do not have permission to administer groups.');
}

export function requireBrowse({ caller }: Call, what = 'users'): void {
  if (!caller.may('browse-users')) refuse(403, `Browse users and groups permission is required to view ${what}.`);
}

/** The group that exactly one of `groupId` and `groupname` names. */
export function namedGroup(call: Call): Group {
  const groupId = queryValue(call, 'groupId', complain);
  const name = queryValue(call, 'groupname', complain);
  if (groupId !== undefined && name !== undefined) {
    throw new Refused(complain(400, "Only one of 'groupname' and 'groupId' may be provided."));
  }
  if (groupId !== undefined) {
    return call.world.cloud.group(groupId) ?? refuse(404, `The group with the id '${groupId}' does not exist.`);
  }
  if (!name) throw new Refused(complain(400, "Neither 'groupname' nor 'groupId' was provided."));
  return call.world.cloud.groupNamed(name) ?? refuse(404, `The group named '${name}' does not exist.`);
}

/** The user as Jira sees them: one who was never let onto the site is nobody. */
export function siteUser(call: Call, accountId: string): User {
  const user = call.world.cloud.user(accountId, 'jira');
  return user && isOnSite(user) ? user : refuse(404, NO_USER);
}

/** The same user as they are now: what Jira sees may lag, and must not be written back. */
export function writableUser(call: Call, accountId: string): User {
  const seen = siteUser(call, accountId);
  return call.world.cloud.user(accountId) ?? seen;
}

/** The account id in the query, checked as the specification has it: at most 128 characters. */
export function queryAccountId(call: Call): string {
  const accountId = queryValue(call, 'accountId', complain);
  if (!accountId) throw new Refused(complain(400, "The query parameter 'accountId' is required.", 'accountId'));
  if (accountId.length > 128) throw new Refused(complain(400, 'accountId is longer than 128 characters', 'accountId'));
  return accountId;
}

export const isOnSite = (user: User): boolean =>
  user.accountStatus !== 'closed' && user.membershipStatus !== 'no_membership';

export const isActive = (user: User): boolean => user.accountStatus === 'active' && user.membershipStatus === 'active';

/** Whether Jira shows this account's address to the caller. */
const showsEmail = (call: Call, user: User): boolean =>
  call.world.behaviour.switches.jiraEmails === 'shown' && user.emailHidden !== true;

/** Jira's User, with what `expand` asks for. */
export function userJson(call: Call, user: User, expand: readonly string[] = []): Record<string, unknown> {
  const groups = call.world.cloud.groupsOf(user.accountId, 'jira');
  const products = user.products.filter((product) => product.startsWith('jira-'));
  return {
    self: `${selfBase(call)}/user?accountId=${encodeURIComponent(user.accountId)}`,
    accountId: user.accountId,
    accountType: user.accountType,
    ...(showsEmail(call, user) ? { emailAddress: user.email } : {}),
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

export const groupName = (call: Call, { name, groupId }: Group) => ({
  name,
  groupId,
  self: `${selfBase(call)}/group?groupId=${encodeURIComponent(groupId)}`,
});

/** Jira's Group, its members left folded. */
export const groupJson = (call: Call, group: Group) => ({
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

export interface Page {
  readonly startAt: number;
  readonly maxResults: number;
}

/** Jira's PageBean over all values; `nextPage` repeats the request from where this page ends. */
export function pageBean<T>(call: Call, all: readonly T[], { startAt, maxResults }: Page) {
  const values = all.slice(startAt, startAt + maxResults);
  const nextAt = startAt + values.length;
  const isLast = nextAt >= all.length;
  const page = (at: number): string => {
    const query = [...call.query].filter(([name]) => name !== 'startAt' && name !== 'maxResults');
    const pairs = query.flatMap(([name, given]) => given.map((value) => `${name}=${encodeURIComponent(value)}`));
    return `${call.world.url}${call.path}?${[...pairs, `startAt=${at}`, `maxResults=${maxResults}`].join('&')}`;
  };
  return {
    self: page(startAt),
    ...(isLast ? {} : { nextPage: page(nextAt) }),
    startAt,
    maxResults,
    total: all.length,
    isLast,
    values,
  };
}
