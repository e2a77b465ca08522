import * as z from 'zod';

import { type Answer, because, ok, organisationError, Refused } from './answer.ts';
import { bodySchema, type Call, jsonBody, queryValue } from './call.ts';
import { readCursor, writeCursor } from './cursor.ts';
import { invited } from './invitation.ts';
import { joined, left, restored, suspended } from './organisation-writes.ts';
import { complain, member, pathGroup, productOf, refuse, requireOrganisation } from './organisation-objects.ts';
import type { Route } from './router.ts';

const WRITE_SCOPES = [['write:users:admin'], ['write:directories:admin'], ['manage:org']];
const DIRECTORY = '/v1/orgs/{orgId}/directory';

/** The organisation API v1: reads that stay, and writes that Atlassian ends after June 30, 2026. */
export const organisationV1Routes: readonly Route[] = [
  {
    method: 'GET',
    path: '/v1/orgs',
    api: 'organisation',
    about: 'The organisations of the key.',
    query: ['cursor'],
    scopes: [['read:orgs:admin']],
    handle: organisations,
  },
  {
    method: 'GET',
    path: '/v1/orgs/{orgId}/users',
    api: 'organisation',
    about: 'Managed accounts; `links.next` is a whole URL.',
    query: ['cursor'],
    scopes: [['read:accounts:admin']],
    handle: managedUsers,
  },
  {
    method: 'GET',
    path: '/v1/orgs/{orgId}/domains',
    api: 'organisation',
    about: 'Domains and their claims; `links.next` is a whole URL.',
    query: ['cursor'],
    scopes: [['read:domains:admin']],
    handle: domains,
  },
  {
    method: 'GET',
    path: `${DIRECTORY}/users/{accountId}/last-active-dates`,
    api: 'organisation',
    about: 'When somebody last used which product.',
    query: ['cursor'],
    scopes: [['read:accounts:admin']],
    handle: lastActive,
  },
  {
    method: 'POST',
    path: `${DIRECTORY}/users/{accountId}/suspend-access`,
    api: 'organisation',
    about: 'Suspends a user (ends June 30, 2026).',
    scopes: WRITE_SCOPES,
    handle: (call) => ending(call, () => suspended(call.world, member(call))),
  },
  {
    method: 'POST',
    path: `${DIRECTORY}/users/{accountId}/restore-access`,
    api: 'organisation',
    about: 'Restores a suspended user (ends June 30, 2026).',
    scopes: WRITE_SCOPES,
    handle: (call) => ending(call, () => restored(call.world, member(call))),
  },
  {
    method: 'DELETE',
    path: `${DIRECTORY}/users/{accountId}`,
    api: 'organisation',
    about: 'Takes a user out of the organisation (ends June 30, 2026).',
    scopes: WRITE_SCOPES,
    handle: (call) => ending(call, () => removed(call)),
  },
  {
    method: 'POST',
    path: `${DIRECTORY}/groups/{groupId}/memberships`,
    api: 'organisation',
    about: 'Adds a user (`account_id`) to a group (ends June 30, 2026).',
    scopes: WRITE_SCOPES,
    handle: (call) => ending(call, () => addMember(call)),
  },
  {
    method: 'DELETE',
    path: `${DIRECTORY}/groups/{groupId}/memberships/{accountId}`,
    api: 'organisation',
    about: 'Takes a user out of a group (ends June 30, 2026).',
    scopes: WRITE_SCOPES,
    handle: (call) => ending(call, () => left(call.world, pathGroup(call), member(call))),
  },
  {
    method: 'POST',
    path: '/v1/orgs/{orgId}/users/invite',
    api: 'organisation',
    about: 'Invites one person (ends June 30, 2026).',
    scopes: WRITE_SCOPES,
    handle: (call) => ending(call, () => invite(call)),
  },
];

/** v1 writes stop working once the sunset is on. */
function ending(call: Call, write: () => Answer): Answer {
  if (call.world.behaviour.switches.v1Sunset === 'on') {
    const gone = organisationError(410, 'ADMIN-410-1', 'Gone', 'This API has been removed');
    throw new Refused(because('v1 ended on June 30, 2026; use v2', gone));
  }
  requireOrganisation(call);
  return write();
}

function removed(call: Call): Answer {
  const user = member(call);
  call.world.cloud.removeFromSite(user);
  return { status: 204, things: [`removal/${user.accountId}`], effective: true };
}

const membership = bodySchema({ account_id: z.string().min(1).max(128) });

function addMember(call: Call): Answer {
  const { account_id: accountId } = jsonBody(call, membership, complain);
  return joined(call.world, pathGroup(call), member(call, accountId));
}

const invitation = bodySchema({
  email: z.string().regex(/^[^\s@]+@[^\s@]+$/),
  permissionRule: z.strictObject({ resource: z.string(), role: z.string() }).optional(),
  sendNotification: z.boolean().optional(),
  notificationText: z.string().optional(),
});

function invite(call: Call): Answer {
  const { email, permissionRule } = jsonBody(call, invitation, complain);
  const products = permissionRule ? [productOf(call, permissionRule)] : [];
  const things = [`creation/${email.toLowerCase()}`];
  if (call.world.cloud.byEmail(email)?.accountStatus === 'inactive') {
    return { ...organisationError(400, 'ADMIN-UAM-400-2', 'Inactive user'), things };
  }
  const result = invited(call.world, email, products);
  if (result.kind === 'full') return { ...organisationError(409, 'ADMIN-UAM-409-1', 'Licence limit'), things };
  return { status: 202, body: [result.user.accountId], things, effective: result.changed };
}

function organisations(call: Call): Answer {
  const { orgId, name } = call.world.cloud.organisation;
  return ok({ data: [{ id: orgId, type: 'orgs', attributes: { name }, links: { self: selfOf(call) } }], links: {} });
}

/** v1 pages have a size that nobody may choose. */
const PAGE = 100;

function managedUsers(call: Call): Answer {
  requireOrganisation(call);
  const { cloud, url } = call.world;
  const managed = cloud.everybody().filter(({ claimStatus }) => claimStatus === 'managed');
  const { at, next } = page(call, managed.length);
  const users = managed.slice(at, at + PAGE).flatMap(({ accountId }) => cloud.user(accountId, 'organisation') ?? []);
  const data = users.map((user) => ({
    account_id: user.accountId,
    account_type: user.accountType,
    account_status: user.accountStatus,
    name: user.name,
    picture: `${url}/avatar.png`,
    email: user.email,
    access_billable: user.membershipStatus === 'active' && user.products.length > 0,
    last_active: '2026-01-15T09:00:00.000Z',
    product_access: user.products.map((key) => ({ key, name: key, url, last_active: '2026-01-15' })),
    links: { self: `${url}/users/${encodeURIComponent(user.accountId)}/manage/profile` },
  }));
  return ok({ data, meta: { total: managed.length }, links: { self: selfOf(call), ...next } });
}

function domains(call: Call): Answer {
  requireOrganisation(call);
  const all = call.world.cloud.organisation.domains;
  const { at, next } = page(call, all.length);
  const data = all.slice(at, at + PAGE).map(({ name, type, status }, index) => ({
    id: `domain-${at + index + 1}`,
    type: 'domains',
    attributes: { name, claim: { type, status } },
    links: { self: `${selfOf(call)}/domain-${at + index + 1}` },
  }));
  return ok({ data, links: { self: selfOf(call), ...next } });
}

/** v1 gives whole URLs for the pages. */
function page(call: Call, total: number): { readonly at: number; readonly next: { readonly next?: string } } {
  const cursor = queryValue(call, 'cursor', complain);
  const at = cursor === undefined ? 0 : readCursor(cursor).at;
  if (at + PAGE >= total) return { at, next: {} };
  return { at, next: { next: `${selfOf(call)}?cursor=${writeCursor({ at: at + PAGE, search: {} })}` } };
}

const selfOf = ({ world, path }: Call): string => `${world.url}${path}`;

function lastActive(call: Call): Answer {
  requireOrganisation(call);
  const user = call.world.cloud.user(call.params['accountId'] ?? '', 'organisation');
  if (!user) return refuse(404, 'ADMIN-404-8', 'User not found');
  const accesses = user.products.map((key) => ({ key, last_active: '2026-01-15' }));
  return ok({ data: { product_access: accesses, added_to_org: '2024-01-15' }, links: {} });
}
