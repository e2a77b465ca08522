import * as z from 'zod';

import { type Answer, ok } from './answer.ts';
import { bodySchema, type Call, jsonBody, queryValue } from './call.ts';
import { invited } from './invitation.ts';
import { restored, suspended } from './organisation-writes.ts';
import {
  complain,
  member,
  type PermissionRule,
  productOf,
  refuse,
  requireDirectory,
  requireOrganisation,
} from './organisation-objects.ts';
import type { Route } from './router.ts';

const DIRECTORY = '/v2/orgs/{orgId}/directories/{directoryId}';
const WRITE_SCOPES = [['write:users:admin'], ['write:directories:admin'], ['manage:org']];

/** The organisation API v2, but its searches. */
export const organisationRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/v2/orgs/{orgId}/directories',
    api: 'organisation',
    about: 'The directories of the organisation.',
    query: ['cursor', 'limit', 'accountId', 'searchTerm'],
    scopes: [['read:directories:admin']],
    handle: directories,
  },
  {
    method: 'POST',
    path: `${DIRECTORY}/users/{accountId}/suspend`,
    api: 'organisation',
    about: 'Suspends a user; roles and groups stay, billing stops. Wants a JSON body, `{}`.',
    scopes: WRITE_SCOPES,
    handle: (call) => written(call, () => suspended(call.world, member(call))),
  },
  {
    method: 'POST',
    path: `${DIRECTORY}/users/{accountId}/restore`,
    api: 'organisation',
    about: 'Restores a suspended user. Wants a JSON body, `{}`.',
    scopes: WRITE_SCOPES,
    handle: (call) => written(call, () => restored(call.world, member(call))),
  },
  {
    method: 'POST',
    path: '/v2/orgs/{orgId}/users/invite',
    api: 'organisation',
    about: 'Invites people; some may fail inside the success.',
    scopes: WRITE_SCOPES,
    handle: invite,
  },
];

const nothing = bodySchema({});

/** A write without a body of its own: v2 wants a JSON content type and an object all the same. */
function written(call: Call, write: () => Answer): Answer {
  requireDirectory(call, 'write');
  jsonBody(call, nothing, complain);
  return asV2(call, write());
}

/** Turns a success into the status that v2 has for writes. */
function asV2(call: Call, answer: Answer): Answer {
  if (answer.status !== 200) return answer;
  const status = Number(call.world.behaviour.switches.v2WriteStatus);
  const { body: _message, ...rest } = answer;
  return status === 204 ? { ...rest, status } : { ...rest, status, body: {} };
}

function directories(call: Call): Answer {
  requireOrganisation(call);
  if (call.world.behaviour.switches.v2Directory === 'absent') refuse(404, 'ADMIN-404-1', 'Not found');
  const term = queryValue(call, 'searchTerm', complain)?.toLowerCase() ?? '';
  const found = call.world.cloud.organisation.directories.filter(({ name }) => name.toLowerCase().includes(term));
  return ok({ data: found, links: {} });
}

const invitation = bodySchema({
  emails: z.array(z.string()).min(1).max(100),
  permissionRules: z.array(z.strictObject({ resource: z.string(), role: z.string() })).optional(),
  additionalGroups: z.array(z.string()).optional(),
  sendNotification: z.boolean().optional(),
  notificationText: z.string().optional(),
});

function invite(call: Call): Answer {
  requireOrganisation(call);
  const { emails, permissionRules = [], additionalGroups = [] } = jsonBody(call, invitation, complain);
  const results = emails.map((email) => inviteOne(call, email, permissionRules, additionalGroups));
  return {
    status: Number(call.world.behaviour.switches.inviteStatus),
    body: { data: results.map(({ data }) => data) },
    things: emails.map((email) => `creation/${email.toLowerCase()}`),
    effective: results.some(({ changed }) => changed),
  };
}

type Rules = readonly PermissionRule[];

interface InvitedOne {
  readonly changed: boolean;
  readonly data: unknown;
}

/** What an invitation came to for one person: an error here is a part of the whole's success. */
function inviteOne(call: Call, email: string, rules: Rules, groupIds: readonly string[]): InvitedOne {
  const { cloud } = call.world;
  const failed = (reason: string): InvitedOne => ({
    changed: false,
    data: {
      ...(cloud.byEmail(email) ? { id: cloud.byEmail(email)?.accountId } : {}),
      email,
      results: [...rules, ...groupIds.map((group) => ({ group }))].map((wish) => ({
        ...wish,
        status: 'ERROR',
        statusReason: reason,
      })),
    },
  });
  if (!/^[^\s@]+@[^\s@]+$/.test(email)) return failed('INVALID_EMAIL');
  const products = rules.map((rule) => productOf(call, rule));
  if (cloud.byEmail(email)?.accountStatus === 'inactive') return failed('INACTIVE_USER');
  const unknown = groupIds.find((groupId) => !cloud.group(groupId));
  if (unknown !== undefined) return failed('GROUP_NOT_FOUND');
  const result = invited(call.world, email, products);
  if (result.kind === 'full') return failed('LICENSE_EXCEEDED');
  const { accountId } = result.user;
  const joins = groupIds.filter((groupId) => !cloud.isMember(groupId, accountId));
  for (const groupId of joins) cloud.setMember(groupId, accountId, true);
  const results = [...rules, ...groupIds.map((group) => ({ group }))].map((wish) => ({ ...wish, status: 'INVITED' }));
  return { changed: result.changed || joins.length > 0, data: { id: accountId, email, results } };
}
