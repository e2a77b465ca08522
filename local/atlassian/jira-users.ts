import * as z from 'zod';

import { type Answer, jiraError, ok, Refused } from './answer.ts';
import { bodySchema, type Call, jsonBody, queryNumber, queryValue } from './call.ts';
import { invited } from './invitation.ts';
import {
  complain,
  groupName,
  isActive,
  isOnSite,
  queryAccountId,
  refuse,
  requireBrowse,
  siteUser,
  userJson,
} from './jira-objects.ts';
import type { User } from './model.ts';
import type { Route } from './router.ts';

const READ_SCOPES = [['read:jira-user'], ['manage:jira-configuration'], ['read:user:jira']];
const WRITE_SCOPES = [['manage:jira-configuration'], ['write:user:jira']];

/** Jira Cloud's endpoints about users. */
export const jiraUserRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/user',
    api: 'jira',
    about: 'One user.',
    query: ['accountId', 'expand'],
    scopes: READ_SCOPES,
    handle: getUser,
  },
  {
    method: 'POST',
    path: '/user',
    api: 'jira',
    about: 'Creates or invites a user.',
    scopes: WRITE_SCOPES,
    handle: create,
  },
  {
    method: 'GET',
    path: '/user/search',
    api: 'jira',
    about: 'Active users by the beginning of their names or addresses; the first 1,000.',
    query: ['query', 'accountId', 'property', 'startAt', 'maxResults'],
    userSearch: true,
    scopes: READ_SCOPES,
    handle: search,
  },
  {
    method: 'GET',
    path: '/user/groups',
    api: 'jira',
    about: 'The groups of a user.',
    query: ['accountId'],
    scopes: READ_SCOPES,
    handle: groups,
  },
];

/** Products that Jira's own user creation knows (its OpenAPI document). */
const JIRA_PRODUCTS = ['jira-core', 'jira-servicedesk', 'jira-product-discovery', 'jira-software'] as const;

const newUser = bodySchema({
  emailAddress: z.string().regex(/^[^\s@]+@[^\s@]+$/, 'is not an e-mail address'),
  products: z.array(z.enum(JIRA_PRODUCTS)),
});

function create(call: Call): Answer {
  if (!call.caller.may('site-admin')) refuse(403, 'You do not have permission to create users.');
  const { emailAddress, products } = jsonBody(call, newUser, complain);
  const things = [`creation/${emailAddress.toLowerCase()}`];
  const present = call.world.cloud.byEmail(emailAddress);
  if (present && hasJira(present)) return { status: 201, body: userJson(call, present), things };
  if (present && products.length === 0) {
    return { ...jiraError(400, ['The user exists, has no access to Jira, and no product was requested.']), things };
  }
  const result = invited(call.world, emailAddress, products);
  if (result.kind === 'full') {
    return { ...jiraError(400, [`The licence count of ${result.products.join(', ')} is exceeded.`]), things };
  }
  return { status: 201, body: userJson(call, result.user), things, effective: result.changed };
}

const hasJira = (user: User): boolean => isOnSite(user) && user.products.some((product) => product.startsWith('jira-'));

function getUser(call: Call): Answer {
  requireBrowse(call);
  const user = siteUser(call, queryAccountId(call));
  return ok(userJson(call, user, queryValue(call, 'expand', complain)?.split(',')));
}

/** Only so many matches are searched through (Jira's specification). */
const MATCH_LIMIT = 1000;

function search(call: Call): Answer {
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
  const found = query === undefined ? byId(call, accountId ?? '') : matching(call, query, startAt + maxResults);
  return ok(found.slice(startAt, startAt + maxResults).map((user) => userJson(call, user)));
}

function byId(call: Call, accountId: string): readonly User[] {
  const user = call.world.cloud.user(accountId, 'jira');
  return user && isActive(user) ? [user] : [];
}

function matching(call: Call, query: string, limit: number): readonly User[] {
  const { cloud } = call.world;
  const prefix = query.toLowerCase();
  const found = new Map<string, User>();
  const consider = (accountId: string | undefined): void => {
    const user = cloud.user(accountId ?? '', 'jira');
    if (user && isActive(user) && matches(call, user, prefix)) found.set(user.accountId, user);
  };
  consider(cloud.byEmail(query, 'jira')?.accountId);
  for (const accountId of cloud.byPrefix(prefix.split(/\s+/)[0] ?? '')) {
    if (found.size >= Math.min(limit, MATCH_LIMIT)) break;
    consider(accountId);
  }
  return [...found.values()];
}

function matches(call: Call, user: User, prefix: string): boolean {
  const name = user.name.toLowerCase();
  if (name.startsWith(prefix) || name.split(/\s+/).some((word) => word.startsWith(prefix))) return true;
  const searchable = call.world.behaviour.switches.jiraEmails !== 'unsearchable' && !user.emailHidden;
  return searchable && user.email.toLowerCase().startsWith(prefix);
}

function groups(call: Call): Answer {
  requireBrowse(call);
  const user = siteUser(call, queryAccountId(call));
  return ok(call.world.cloud.groupsOf(user.accountId, 'jira').map((group) => groupName(call, group)));
}
