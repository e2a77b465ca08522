import * as z from 'zod';

import type { DataCenterGroup } from '../engine/data-center.ts';
import type { DataCenterUser } from '../engine/state.ts';
import { type Answer, jiraError, ok, Refused } from './answer.ts';
import { bodySchema, type Call, jsonBody, queryFlag, queryNumber, queryValue, type Route } from './call.ts';
import { complain, refuse } from './jira.ts';

/** Jira Data Center, under the context path /jira. */
export const dataCenterRoutes: readonly Route[] = [
  route('POST', '/group/user', 'Adds a user to a group.', ['groupname'], admin(addToGroup)),
  route('DELETE', '/group/user', 'Takes a user out of a group.', ['groupname', 'username'], admin(removeFromGroup)),
  route(
    'GET',
    '/group/member',
    'Members of a group, 50 a page at most.',
    ['groupname', 'includeInactiveUsers', 'startAt', 'maxResults'],
    admin(listMembers),
  ),
  route('GET', '/groups/picker', 'Groups whose names contain a text.', ['query', 'exclude', 'maxResults'], pickGroups),
  route(
    'GET',
    '/readonly-mode',
    'Whether Jira is in read-only mode (Jira 11.3, and 10.3 with its updates).',
    [],
    (call) => {
      const { dataCenterReadOnlyMode: mode } = call.world.behaviour.switches;
      return mode === 'absent' ? noResource('readonly-mode') : ok({ enabled: mode === 'on', message: '', endTime: '' });
    },
  ),
  route('GET', '/user', 'One user.', ['username', 'key', 'includeDeleted', 'expand'], (call) =>
    ok(userJson(call, queriedUser(call, 'dataCenter'), queryValue(call, 'expand', complain)?.split(','))),
  ),
  route('GET', '/myself', 'Who calls.', ['expand'], (call) => {
    const user = call.world.dataCenter.user(call.caller.name, 'dataCenter');
    return user ? ok(userJson(call, user)) : refuse(404, 'The user does not exist');
  }),
  route(
    'GET',
    '/user/list',
    'All users, each once, inactive ones too, 2,000 a page at most (Jira 11.0, and 10.3 with its updates).',
    ['cursor', 'maxResults'],
    listUsers,
  ),
  route(
    'GET',
    '/user/search',
    'Users by the beginning of usernames, names or addresses; `.` finds all. A page holds 1,000 at most; of Jira 10 and later nobody sees more than the first 100.',
    ['username', 'startAt', 'maxResults', 'includeActive', 'includeInactive'],
    searchUsers,
  ),
  route('POST', '/user', 'Creates a user.', [], admin(createUser)),
  route('PUT', '/user', 'Changes what is given of a user.', ['username', 'key'], admin(updateUser)),
];

function route(
  method: Route['method'],
  path: string,
  about: string,
  query: readonly string[],
  handle: Route['handle'],
): Route {
  return { method, path, api: 'data-center', about, query, handle };
}

/** Lets administrators through only. Jira's read-only mode does not bind them: they are trusted to respect it. */
function admin(handle: Route['handle']): Route['handle'] {
  return (call) => (call.caller.may('site-admin') ? handle(call) : jiraError(403, ['You are not an administrator.']));
}

/** What a server says of a path that it does not have. */
const noResource = (path: string): Answer => ({
  status: 404,
  body: { message: `null for uri: ${path}`, 'status-code': 404 },
});

function namedGroup(call: Call): DataCenterGroup {
  const name = queryValue(call, 'groupname', complain);
  if (!name) return refuse(400, 'Group name is empty.');
  return call.world.dataCenter.group(name) ?? refuse(404, `The group named '${name}' does not exist.`);
}

/** The user of this name as they are now, for a write. */
const userNamed = (call: Call, username: string): DataCenterUser =>
  call.world.dataCenter.user(username) ?? refuse(404, `The user named '${username}' does not exist`);

/** The user whom exactly one of `username` and `key` names; for a read as it sees them by now. */
function queriedUser(call: Call, side?: 'dataCenter'): DataCenterUser {
  const username = queryValue(call, 'username', complain);
  const key = queryValue(call, 'key', complain);
  if ((username === undefined) === (key === undefined)) {
    throw new Refused(complain(400, 'Exactly one of username and key must be provided.'));
  }
  const { dataCenter } = call.world;
  return username === undefined
    ? (dataCenter.userByKey(key ?? '', side) ?? refuse(404, `The user with the key '${key}' does not exist`))
    : (dataCenter.user(username, side) ?? refuse(404, `The user named '${username}' does not exist`));
}

const readOnly = ({ world }: Call): Answer =>
  jiraError(Number(world.behaviour.switches.dataCenterReadOnly), ['The directory is read-only.']);

const thingOf = (group: string, username: string): string =>
  `data-center/membership/${group}/${username.toLowerCase()}`;

const member = bodySchema({ name: z.string().min(1) });

function addToGroup(call: Call): Answer {
  const { name: username } = jsonBody(call, member, complain);
  const group = namedGroup(call);
  const user = userNamed(call, username);
  const things = [thingOf(group.name, user.username)];
  switch (call.world.dataCenter.joinGroup(group, user)) {
    case 'changed':
      return { status: 201, body: groupJson(call, group), things, effective: true };
    case 'unchanged':
      return {
        ...jiraError(400, [`Cannot add user. '${user.username}' is already a member of '${group.name}'`]),
        things,
      };
    case 'read-only':
      return { ...readOnly(call), things };
  }
}

function removeFromGroup(call: Call): Answer {
  const group = namedGroup(call);
  const username = queryValue(call, 'username', complain);
  if (!username) throw new Refused(complain(400, 'username is empty', 'username'));
  const user = userNamed(call, username);
  const things = [thingOf(group.name, user.username)];
  switch (call.world.dataCenter.leaveGroup(group, user)) {
    case 'changed':
      return { status: 200, body: groupJson(call, group), things, effective: true };
    case 'unchanged': {
      const message = `Cannot remove user '${user.username}' from group '${group.name}' since user is not a member of '${group.name}'`;
      return { ...jiraError(400, [message]), things };
    }
    case 'read-only':
      return { ...readOnly(call), things };
  }
}

function groupJson({ world }: Call, { name }: DataCenterGroup) {
  const size = world.dataCenter.memberCount(name);
  return {
    name,
    self: `${world.url}/jira/rest/api/2/group?groupname=${encodeURIComponent(name)}`,
    users: { size, items: [], 'max-results': 50, 'start-index': 0, 'end-index': 0 },
    expand: 'users',
  };
}

function userJson({ world }: Call, user: DataCenterUser, expand: readonly string[] = []) {
  const groups = world.dataCenter.groupsOf(user.username, 'dataCenter').map((name) => ({ name }));
  const roles = user.applicationKeys.map((key) => ({ key, name: key }));
  const folded = <T>(name: string, items: readonly T[]) => ({
    size: items.length,
    items: expand.includes(name) && world.behaviour.switches.dataCenterExpand === 'honoured' ? items : [],
  });
  return {
    self: `${world.url}/jira/rest/api/2/user?username=${encodeURIComponent(user.username)}`,
    key: user.key,
    name: user.username,
    emailAddress: user.emailAddress,
    displayName: user.displayName,
    active: user.active,
    deleted: false,
    timeZone: 'Europe/Berlin',
    groups: folded('groups', groups),
    applicationRoles: folded('applicationRoles', roles),
    expand: 'groups,applicationRoles',
  };
}

function listMembers(call: Call): Answer {
  const group = namedGroup(call);
  const inactive = queryFlag(call, 'includeInactiveUsers', complain);
  const startAt = queryNumber(call, 'startAt', 0, complain);
  const maxResults = Math.min(50, Math.max(1, queryNumber(call, 'maxResults', 50, complain)));
  const members = call.world.dataCenter.membersOf(group.name, 'dataCenter');
  const all = members.filter((user) => inactive || user.active);
  const values = all.slice(startAt, startAt + maxResults).map((user) => userJson(call, user));
  const isLast = startAt + values.length >= all.length;
  return ok({ startAt, maxResults, total: all.length, isLast, values });
}

/** Most users of one page, which also is the page's size when nobody asks for another. */
const LISTED = 2000;

function listUsers(call: Call): Answer {
  const { dataCenter, behaviour } = call.world;
  if (behaviour.switches.dataCenterUserList === 'absent') return noResource('user/list');
  const at = queryNumber(call, 'cursor', 0, complain);
  const maxResults = Math.min(LISTED, Math.max(1, queryNumber(call, 'maxResults', LISTED, complain)));
  const all = [...dataCenter.everybody()].flatMap(({ username }) => dataCenter.user(username, 'dataCenter') ?? []);
  const values = all.slice(at, at + maxResults).map((user) => userJson(call, user));
  const next = at + values.length;
  const isLast = next >= all.length;
  return ok({ maxResults, isLast, values, ...(isLast ? {} : { nextCursor: String(next) }) });
}

/** What Jira 10 and later show of a search, whatever page is asked for (JRASERVER-78660). */
const SEARCHED = 100;

function searchUsers(call: Call): Answer {
  const { dataCenter, behaviour } = call.world;
  const { dataCenterUserSearch } = behaviour.switches;
  const query = queryValue(call, 'username', complain);
  if (!query) throw new Refused(complain(400, 'The username query parameter was not provided', 'username'));
  const wanted = query.toLowerCase();
  const active = queryFlag(call, 'includeActive', complain, true);
  const inactive = queryFlag(call, 'includeInactive', complain);
  const startAt = queryNumber(call, 'startAt', 0, complain);
  const maxResults = Math.min(1000, queryNumber(call, 'maxResults', 50, complain));
  const begins = (text: string): boolean => text.toLowerCase().startsWith(wanted);
  const found = [...dataCenter.everybody()]
    .flatMap(({ username }) => dataCenter.user(username, 'dataCenter') ?? [])
    .filter(
      (user) =>
        (user.active ? active : inactive) &&
        (query === '.' ||
          begins(user.username) ||
          begins(user.emailAddress) ||
          user.displayName.split(/\s+/).some(begins)),
    );
  const shown = dataCenterUserSearch === 'whole' ? found : found.slice(0, SEARCHED);
  return ok(shown.slice(startAt, startAt + maxResults).map((user) => userJson(call, user)));
}

function pickGroups(call: Call): Answer {
  const query = (queryValue(call, 'query', complain) ?? '').toLowerCase();
  const excluded = call.query.get('exclude') ?? [];
  const maxResults = Math.min(1000, queryNumber(call, 'maxResults', 20, complain));
  const found = [...call.world.dataCenter.everyGroup()].filter(
    ({ name }) => name.toLowerCase().includes(query) && !excluded.includes(name),
  );
  const groups = found.slice(0, maxResults).map(({ name }) => ({ name, html: name, labels: [] }));
  return ok({ header: `Showing ${groups.length} of ${found.length} matching groups`, total: found.length, groups });
}

const newUser = bodySchema({
  name: z.string().min(1),
  emailAddress: z.string().min(1),
  displayName: z.string().min(1),
  password: z.string().optional(),
  applicationKeys: z.array(z.string()).optional(),
  notification: z.union([z.boolean(), z.enum(['true', 'false'])]).optional(),
  active: z.boolean().optional(),
});

function createUser(call: Call): Answer {
  const { name: username, emailAddress, displayName, ...given } = jsonBody(call, newUser, complain);
  const { applicationKeys = [], active = true } = given;
  const things = [`data-center/creation/${username.toLowerCase()}`];
  if (!/^[^\s@]+@[^\s@]+$/.test(emailAddress)) {
    return { ...jiraError(400, [], { emailAddress: 'The email address format is incorrect.' }), things };
  }
  const user = { username, emailAddress, displayName, applicationKeys, active };
  if (call.world.dataCenter.createUser(user) === 'username-taken') {
    return { ...jiraError(400, [], { username: 'A user with that username already exists.' }), things };
  }
  return { status: 201, body: userJson(call, userNamed(call, username)), things, effective: true };
}

const userChange = bodySchema({
  name: z.string().min(1).optional(),
  emailAddress: z.string().min(1).optional(),
  displayName: z.string().min(1).optional(),
  password: z.string().optional(),
  active: z.boolean().optional(),
});

function updateUser(call: Call): Answer {
  const { dataCenter, behaviour } = call.world;
  const { name, emailAddress, displayName, active } = jsonBody(call, userChange, complain);
  if (name !== undefined) throw new Refused(complain(400, 'the simulator renames nobody', 'name'));
  const user = queriedUser(call);
  const things = [`data-center/user/${user.username.toLowerCase()}`];
  const honoured = behaviour.switches.dataCenterActive === 'honoured';
  const next = {
    emailAddress: emailAddress ?? user.emailAddress,
    displayName: displayName ?? user.displayName,
    active: honoured ? (active ?? user.active) : user.active,
  };
  const result = dataCenter.updateUser(user, next);
  if (result === 'read-only') return { ...readOnly(call), things };
  return { ...ok(userJson(call, { ...user, ...next })), things, effective: result === 'changed' };
}
