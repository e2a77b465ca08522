import * as z from 'zod';

import { type Answer, because, jiraError, ok, Refused } from './answer.ts';
import { bodySchema, type Call, jsonBody, queryNumber, queryValue } from './call.ts';
import type { Group } from './cloud-state.ts';
import { groupIdOf } from './ids.ts';
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
  userJson,
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
    path: '/group/member',
    api: 'jira',
    about: 'Members of a group, 50 a page at most; suspended people are left out.',
    query: ['groupId', 'groupname', 'includeInactiveUsers', 'startAt', 'maxResults'],
    scopes: READ_SCOPES,
    handle: members,
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
  {
    method: 'GET',
    path: '/groups/picker',
    api: 'jira',
    about: 'Groups whose names contain a text.',
    query: ['query', 'exclude', 'excludeId', 'maxResults', 'caseInsensitive', 'accountId'],
    scopes: READ_SCOPES,
    handle: picker,
  },
  {
    method: 'POST',
    path: '/group',
    api: 'jira',
    about: 'Creates a group.',
    scopes: GROUP_SCOPES,
    handle: createGroup,
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

function members(call: Call): Answer {
  requireBrowse(call, 'groups');
  const group = namedGroup(call);
  const inactive = queryValue(call, 'includeInactiveUsers', complain) ?? 'false';
  if (inactive !== 'true' && inactive !== 'false') {
    throw new Refused(complain(400, 'includeInactiveUsers must be true or false', 'includeInactiveUsers'));
  }
  const startAt = queryNumber(call, 'startAt', 0, complain);
  const maxResults = Math.min(50, Math.max(1, queryNumber(call, 'maxResults', 50, complain)));
  const { cloud } = call.world;
  const all = [...cloud.membersOf(group.groupId, 'jira')]
    .flatMap((accountId) => cloud.user(accountId, 'jira') ?? [])
    .filter((user) => user.membershipStatus === 'active' && (inactive === 'true' || isActive(user)));
  const page = pageBean(call, all, { startAt, maxResults });
  return ok({ ...page, values: page.values.map((user) => userJson(call, user)) });
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

function picker(call: Call): Answer {
  const query = queryValue(call, 'query', complain) ?? '';
  const fold = (text: string): string =>
    queryValue(call, 'caseInsensitive', complain) === 'true' ? text.toLowerCase() : text;
  const maxResults = Math.min(queryNumber(call, 'maxResults', 20, complain), 1000);
  const excluded = new Set([...(call.query.get('exclude') ?? []), ...(call.query.get('excludeId') ?? [])]);
  const found = [...call.world.cloud.everyGroup()].filter(
    ({ name, groupId }) => fold(name).includes(fold(query)) && !excluded.has(name) && !excluded.has(groupId),
  );
  // Without the permission the list is empty, not forbidden.
  const groups = call.caller.may('browse-users') ? found.slice(0, maxResults) : [];
  return ok({
    header: `Showing ${groups.length} of ${found.length} matching groups`,
    total: found.length,
    groups: groups.map(({ name, groupId, externalSynced }) => ({
      name,
      groupId,
      html: name,
      labels: [],
      managedBy: externalSynced ? 'EXTERNAL' : 'OPEN',
    })),
  });
}

const newGroup = bodySchema({ name: z.string().min(1).max(255) });

function createGroup(call: Call): Answer {
  const { cloud, nextId } = call.world;
  requireSiteAdmin(call);
  const { name } = jsonBody(call, newGroup, complain);
  const things = [`group/${name}`];
  if (cloud.groupNamed(name)) {
    const answer = jiraError(400, ['A group or user with this name already exists.']);
    return { ...because('the name is in use', answer), things };
  }
  const group = { groupId: groupIdOf(nextId()), name, externalSynced: false, products: [] };
  cloud.putGroup(group);
  return { status: 201, body: groupJson(call, group), things, effective: true };
}
