import { Refusal } from './errors.ts';

/** The four APIs, each with its own authentication, paths and words for errors. */
export type Api = 'jira' | 'organisation' | 'user-management' | 'data-center';

export interface Endpoint {
  readonly api: Api;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Placeholders in braces; with the method it names the budget that the call is paced by. */
  readonly path: string;
  /** A look-up may be tried again at once; a write is answered for row by row. */
  readonly access: 'read' | 'write';
  /** Calls a second to begin with, of all workers together. */
  readonly perSecond: number;
  /** For messages: "the call to …". */
  readonly to: string;
}

/**
 * Where Jira Cloud publishes a number it stands here (developer.atlassian.com, "Rate limiting": GET and POST 100 a second,
 * PUT and DELETE 50, GET user 150). The user searches share a limit without a published size, and so do the organisation
 * and user-management APIs altogether: they begin modestly and feel their way up.
 */
const JIRA_READ = 100;
const JIRA_USER = 150;
const JIRA_POST = 100;
const JIRA_DELETE = 50;
const UNPUBLISHED = 20;
const DATA_CENTER = 100;

const ORG_V2 = '/admin/v2/orgs/{orgId}';
const ORG_V1 = '/admin/v1/orgs/{orgId}';
const DIRECTORY = `${ORG_V2}/directories/{directoryId}`;
const MANAGE = '/users/{accountId}/manage';

/** Every call there is, with the paths of Atlassian's REST API references. */
export const ENDPOINTS = {
  findUsers: read('jira', 'GET', '/rest/api/3/user/search', UNPUBLISHED, 'find users'),
  user: read('jira', 'GET', '/rest/api/3/user', JIRA_USER, 'read a user'),
  groupsOfUser: read('jira', 'GET', '/rest/api/3/user/groups', JIRA_READ, "read a user's groups"),
  groups: read('jira', 'GET', '/rest/api/3/group/bulk', JIRA_READ, 'read groups'),
  tenant: read('jira', 'GET', '/_edge/tenant_info', JIRA_READ, "read the site's cloud id"),
  addToGroup: write('jira', 'POST', '/rest/api/3/group/user', JIRA_POST, 'add a user to a group'),
  removeFromGroup: write('jira', 'DELETE', '/rest/api/3/group/user', JIRA_DELETE, 'remove a user from a group'),
  createUser: write('jira', 'POST', '/rest/api/3/user', JIRA_POST, 'create a user'),

  directories: read('organisation', 'GET', `${ORG_V2}/directories`, UNPUBLISHED, "read the organisation's directories"),
  searchUsers: read(
    'organisation',
    'POST',
    `${DIRECTORY}/users/search`,
    UNPUBLISHED,
    "search the organisation's users",
  ),
  searchGroups: read(
    'organisation',
    'POST',
    `${DIRECTORY}/groups/search`,
    UNPUBLISHED,
    "search the organisation's groups",
  ),
  domains: read('organisation', 'GET', `${ORG_V1}/domains`, UNPUBLISHED, "read the organisation's domains"),
  suspend: write('organisation', 'POST', `${DIRECTORY}/users/{accountId}/suspend`, UNPUBLISHED, 'suspend a user'),
  restore: write('organisation', 'POST', `${DIRECTORY}/users/{accountId}/restore`, UNPUBLISHED, 'restore a user'),
  suspendV1: write(
    'organisation',
    'POST',
    `${ORG_V1}/directory/users/{accountId}/suspend-access`,
    UNPUBLISHED,
    'suspend a user',
  ),
  restoreV1: write(
    'organisation',
    'POST',
    `${ORG_V1}/directory/users/{accountId}/restore-access`,
    UNPUBLISHED,
    'restore a user',
  ),
  invite: write('organisation', 'POST', `${ORG_V2}/users/invite`, UNPUBLISHED, 'invite a user'),

  profile: read('user-management', 'GET', `${MANAGE}/profile`, UNPUBLISHED, "read an account's profile"),
  setEmail: write('user-management', 'PUT', `${MANAGE}/email`, UNPUBLISHED, "change an account's e-mail address"),
  disable: write('user-management', 'POST', `${MANAGE}/lifecycle/disable`, UNPUBLISHED, 'deactivate an account'),
  enable: write('user-management', 'POST', `${MANAGE}/lifecycle/enable`, UNPUBLISHED, 'reactivate an account'),

  dcUser: read('data-center', 'GET', '/rest/api/2/user', DATA_CENTER, 'read a user'),
  dcPickGroups: read('data-center', 'GET', '/rest/api/2/groups/picker', DATA_CENTER, 'find a group'),
  dcGroupMembers: read('data-center', 'GET', '/rest/api/2/group/member', DATA_CENTER, "read a group's members"),
  dcAddToGroup: write('data-center', 'POST', '/rest/api/2/group/user', DATA_CENTER, 'add a user to a group'),
  dcRemoveFromGroup: write(
    'data-center',
    'DELETE',
    '/rest/api/2/group/user',
    DATA_CENTER,
    'remove a user from a group',
  ),
  dcCreateUser: write('data-center', 'POST', '/rest/api/2/user', DATA_CENTER, 'create a user'),
  dcUpdateUser: write('data-center', 'PUT', '/rest/api/2/user', DATA_CENTER, 'change a user'),
} as const satisfies Record<string, Endpoint>;

export type Call = keyof typeof ENDPOINTS;

/**
 * The budget that a call is paced by: its endpoint class and method; on Data Center one for all, because its limit is a
 * bucket for each user (Atlassian's "Improving instance stability with rate limiting").
 */
export const nameBudget = ({ api, method, path }: Endpoint): string =>
  api === 'data-center' ? api : `${method} ${path}`;

function read(api: Api, method: 'GET' | 'POST', path: string, perSecond: number, to: string): Endpoint {
  return { api, method, path, access: 'read', perSecond, to };
}

function write(api: Api, method: Endpoint['method'], path: string, perSecond: number, to: string): Endpoint {
  return { api, method, path, access: 'write', perSecond, to };
}

export type Query = readonly (readonly [name: string, value: string])[];

/** A path template filled in, and its query: every value percent-encoded, so no cell can leave its place. Throws Refusal for a value that is no path segment. */
export function fillPath(template: string, values: Readonly<Record<string, string>>, query: Query = []): string {
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeSegment(values[name] ?? ''));
  return query.length === 0 ? path : `${path}?${query.map(([name, value]) => `${name}=${encode(value)}`).join('&')}`;
}

function encodeSegment(value: string): string {
  // Percent-encoding does not keep these three from being read as a step in the path.
  if (value === '' || value === '.' || value === '..') {
    throw new Refusal('REQUEST_REFUSED', `"${value}" is no id at Atlassian; nothing was sent. Correct the id.`);
  }
  return encode(value);
}

/** A lone surrogate has no encoding: it becomes U+FFFD, which no id or name contains. */
const encode = (value: string): string => encodeURIComponent(value.toWellFormed());

/** What stands before each value in a query, at the longest. */
const LONGEST_NAME = '&groupName=';

/** Splits what is asked for into calls that stay under a number of values and a length of their encoded query. */
export function splitIntoChunks(
  values: readonly string[],
  limits: { readonly count: number; readonly characters?: number },
): readonly (readonly string[])[] {
  const chunks: string[][] = [];
  let room = 0;
  for (const value of new Set(values)) {
    const length = LONGEST_NAME.length + encode(value).length;
    const last = chunks.at(-1);
    if (last === undefined || last.length >= limits.count || room < length) {
      chunks.push([value]);
      room = (limits.characters ?? Infinity) - length;
    } else {
      last.push(value);
      room -= length;
    }
  }
  return chunks;
}
