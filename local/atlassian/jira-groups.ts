import * as z from 'zod';

import { type Answer, jiraError, ok } from './answer.ts';
import { bodySchema, type Call, jsonBody, queryNumber } from './call.ts';
import type { Group } from './cloud-state.ts';
import {
  complain,
  groupJson,
  isActive,
  namedGroup,
  pageBean,
  queryAccountId,
  refuse,
  requireBrowse,
  requireSiteAdmin,
  siteUser,
  writableUser,
} from './jira-objects.ts';
import type { Route } from './router.ts';

const GROUP_SCOPES = [
  ['manage:jira-configuration'],
  ['write:group:jira', 'read:group:jira', 'read:user:jira', 'read:avatar:jira'],
];
const READ_SCOPES = [['read:jira-user'], ['manage:jira-configuration'], ['read:group:jira']];

/** Jira Cloud's endpoints about groups. */
export const jiraGroupRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/group/user',
    api: 'jira',
    about: 'Adds a user to a group.',
    query: ['groupId', 'groupname'],
    scopes: GROUP_SCOPES,
    handle: addUser,
  },
  {
    method: 'DELETE',
    path: '/group/user',
    api: 'jira',
    about: 'Takes a user out of a group.',
    query: ['groupId', 'groupname', 'accountId'],
    scopes: [['manage:jira-configuration'], ['write:group:jira']],
    handle: removeUser,
  },
  {
    method: 'GET',
    path: '/group/bulk',
    api: 'jira',
    about: 'Groups by exact names or ids.',
    query: ['groupName', 'groupId', 'startAt', 'maxResults'],
    scopes: READ_SCOPES,
    handle: bulk,
  },
];

const member = bodySchema({ accountId: z.string().min(1).max(128) });

function addUser(call: Call): Answer {
  const { cloud } = call.world;
  requireSiteAdmin(call);
  const { accountId } = jsonBody(call, member, complain);
  const group = namedGroup(call);
  requireLocal(call, group);
  const user = writableUser(call, accountId);
  const things = [`membership/${group.groupId}/${accountId}`];
  // Literally so: the message's place holder is never filled in (AX-17).
  if (cloud.isMember(group.groupId, accountId)) return { ...jiraError(400, ["'{1}'"]), things };
  const products = [...new Set([...user.products, ...group.products])];
  const gained = products.slice(user.products.length);
  if (isActive(user) && cloud.seats.full(gained).length > 0) {
    return { ...jiraError(400, ['The licensed number of users has been exceeded.']), things };
  }
  if (gained.length > 0) cloud.putUser({ ...user, products });
  cloud.setMember(group.groupId, accountId, true);
  return { status: 201, body: groupJson(call, group), things, effective: true };
}

function removeUser(call: Call): Answer {
  const { cloud, behaviour } = call.world;
  requireSiteAdmin(call);
  const accountId = queryAccountId(call);
  const group = namedGroup(call);
  requireLocal(call, group);
  siteUser(call, accountId);
  const things = [`membership/${group.groupId}/${accountId}`];
  if (!cloud.isMember(group.groupId, accountId)) {
    const { removeNonMember } = behaviour.switches;
    if (removeNonMember === 'success') return { status: 200, things };
    return {
      ...jiraError(Number(removeNonMember), [`The user is not a member of the group '${group.name}'.`]),
      things,
    };
  }
  cloud.setMember(group.groupId, accountId, false);
  return { status: 200, things, effective: true };
}

/** An identity provider's group is changed there. */
function requireLocal({ world }: Call, group: Group): void {
  if (group.externalSynced) {
    refuse(Number(world.behaviour.switches.externalGroup), 'The group is managed externally and cannot be changed.');
  }
}

function bulk(call: Call): Answer {
  requireBrowse(call, 'groups');
  const { cloud, behaviour } = call.world;
  const names = call.query.get('groupName') ?? [];
  const ids = call.query.get('groupId') ?? [];
  const named = [...names.map(cloud.groupNamed), ...ids.map(cloud.group)].flatMap((group) => group ?? []);
  const all = names.length + ids.length === 0 ? [...cloud.everyGroup()] : [...new Set(named)];
  const startAt = queryNumber(call, 'startAt', 0, complain);
  const maxResults = Math.min(behaviour.pageSizes.groupBulk, queryNumber(call, 'maxResults', 50, complain));
  const page = pageBean(call, all, { startAt, maxResults });
  return ok({ ...page, values: page.values.map(({ name, groupId }) => ({ name, groupId })) });
}
