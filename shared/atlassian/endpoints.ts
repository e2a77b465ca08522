import { Refusal } from './errors.ts';

/** The four APIs, each with its own authentication, paths and words for errors. */
export type Api = 'jira' | 'organisation' | 'user-management' | 'data-center';

/** One REST endpoint, as it is called, limited and named in messages. */
export interface Endpoint {
  readonly api: Api;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Placeholders in braces; with the method it names the budget that limits the rate of the call. */
  readonly path: string;
  /** A look-up may be tried again at once; a write only row by row. */
  readonly access: 'read' | 'write';
  /** Calls a second to begin with, of all workers together. */
  readonly perSecond: number;
  /** For messages: "when asked to …". */
  readonly to: string;
  /** Of a write: the answers by which Atlassian confirms it, as its documents and those who have seen them say. */
  readonly confirmedBy?: readonly Confirmation[] | undefined;
}

/** A status, with JSON in the body or with nothing. */
export interface Confirmation {
  readonly status: number;
  readonly body: 'json' | 'none';
}

const CREATED: readonly Confirmation[] = [{ status: 201, body: 'json' }];
const EMPTY: readonly Confirmation[] = [{ status: 204, body: 'none' }];
/** Of v2's suspend and restore 204 was measured, and Atlassian says nothing; the API that they replace answered with a message. */
const UNDOCUMENTED: readonly Confirmation[] = [...EMPTY, { status: 200, body: 'json' }, { status: 202, body: 'json' }];
const REMOVED: readonly Confirmation[] = [{ status: 200, body: 'none' }, { status: 200, body: 'json' }, ...EMPTY];
/** Some of an invitation may have failed inside each of them. */
const INVITED: readonly Confirmation[] = [200, 202, 206, 207].map((status) => ({ status, body: 'json' }));

/**
 * Where Jira Cloud publishes a number it stands here (developer.atlassian.com, "Rate limiting": GET and POST 100 a second,
 * PUT and DELETE 50, GET user 150). The user searches share a limit without a published size, and so do the organisation
 * and user-management APIs altogether: they begin modestly and feel their way up.
 */
const UNPUBLISHED = 20;
const JIRA_USER = 150;
const JIRA_DELETE = 50;
const PER_SECOND: Readonly<Record<Api, number>> = {
  jira: 100,
  organisation: UNPUBLISHED,
  'user-management': UNPUBLISHED,
  'data-center': 100,
};

const ORG_V2 = '/admin/v2/orgs/{orgId}';
const ORG_V1 = '/admin/v1/orgs/{orgId}';
const DIRECTORY = `${ORG_V2}/directories/{directoryId}`;
const MANAGE = '/users/{accountId}/manage';

/** Every call there is, with the paths of Atlassian's REST API references. */
export const ENDPOINTS = {
  findUsers: read('find users', 'jira', 'GET', '/rest/api/3/user/search', UNPUBLISHED),
  listUsers: read('list all users', 'jira', 'GET', '/rest/api/3/users/search', UNPUBLISHED),
  users: read('read users', 'jira', 'GET', '/rest/api/3/user/bulk'),
  myself: read('read whose token it is', 'jira', 'GET', '/rest/api/3/myself'),
  user: read('read a user', 'jira', 'GET', '/rest/api/3/user', JIRA_USER),
  groupsOfUser: read("read a user's groups", 'jira', 'GET', '/rest/api/3/user/groups'),
  groups: read('read groups', 'jira', 'GET', '/rest/api/3/group/bulk'),
  pickGroups: read('find groups', 'jira', 'GET', '/rest/api/3/groups/picker'),
  groupMembers: read("read a group's members", 'jira', 'GET', '/rest/api/3/group/member'),
  tenant: read("read the site's cloud id", 'jira', 'GET', '/_edge/tenant_info'),
  addToGroup: write('add a user to a group', 'jira', 'POST', '/rest/api/3/group/user', CREATED),
  removeFromGroup: write(
    'remove a user from a group',
    'jira',
    'DELETE',
    '/rest/api/3/group/user',
    REMOVED,
    JIRA_DELETE,
  ),
  createUser: write('create a user', 'jira', 'POST', '/rest/api/3/user', CREATED),

  directories: read("read the organisation's directories", 'organisation', 'GET', `${ORG_V2}/directories`),
  searchUsers: read("search the organisation's users", 'organisation', 'POST', `${DIRECTORY}/users/search`),
  searchGroups: read("search the organisation's groups", 'organisation', 'POST', `${DIRECTORY}/groups/search`),
  countUsers: read("count the organisation's users", 'organisation', 'GET', `${DIRECTORY}/users/count`),
  domains: read("read the organisation's domains", 'organisation', 'GET', `${ORG_V1}/domains`),
  suspend: write('suspend a user', 'organisation', 'POST', `${DIRECTORY}/users/{accountId}/suspend`, UNDOCUMENTED),
  restore: write('restore a user', 'organisation', 'POST', `${DIRECTORY}/users/{accountId}/restore`, UNDOCUMENTED),
  invite: write('invite a user', 'organisation', 'POST', `${ORG_V2}/users/invite`, INVITED),

  profile: read("read an account's profile", 'user-management', 'GET', `${MANAGE}/profile`),
  setEmail: write("change an account's e-mail address", 'user-management', 'PUT', `${MANAGE}/email`, EMPTY),
  disable: write('deactivate an account', 'user-management', 'POST', `${MANAGE}/lifecycle/disable`, EMPTY),
  enable: write('reactivate an account', 'user-management', 'POST', `${MANAGE}/lifecycle/enable`, EMPTY),

  dcUser: read('read a user', 'data-center', 'GET', '/rest/api/2/user'),
  dcMyself: read('read whose token it is', 'data-center', 'GET', '/rest/api/2/myself'),
  dcListUsers: read('list all users', 'data-center', 'GET', '/rest/api/2/user/list'),
  dcFindUsers: read('find users', 'data-center', 'GET', '/rest/api/2/user/search'),
  dcReadOnlyMode: read('tell whether it is in read-only mode', 'data-center', 'GET', '/rest/api/2/readonly-mode'),
  dcPickGroups: read('find a group', 'data-center', 'GET', '/rest/api/2/groups/picker'),
  dcGroupMembers: read("read a group's members", 'data-center', 'GET', '/rest/api/2/group/member'),
  dcAddToGroup: write('add a user to a group', 'data-center', 'POST', '/rest/api/2/group/user', CREATED),
  dcRemoveFromGroup: write('remove a user from a group', 'data-center', 'DELETE', '/rest/api/2/group/user', REMOVED),
  dcCreateUser: write('create a user', 'data-center', 'POST', '/rest/api/2/user', CREATED),
  dcUpdateUser: write('change a user', 'data-center', 'PUT', '/rest/api/2/user', [{ status: 200, body: 'json' }]),
} as const satisfies Record<string, Endpoint>;

/** The name of an endpoint. */
export type Call = keyof typeof ENDPOINTS;

/**
 * The budget that limits the rate of a call: its endpoint class and method; on Data Center one for all, because its limit is a
 * bucket for each user (Atlassian's "Improving instance stability with rate limiting").
 */
export const nameBudget = ({ api, method, path }: Endpoint): string =>
  api === 'data-center' ? api : `${method} ${path}`;

function read(to: string, api: Api, method: 'GET' | 'POST', path: string, perSecond = PER_SECOND[api]): Endpoint {
  return { api, method, path, access: 'read', perSecond, to };
}

function write(
  to: string,
  api: Api,
  method: Endpoint['method'],
  path: string,
  confirmedBy: readonly Confirmation[],
  perSecond = PER_SECOND[api],
): Endpoint {
  return { api, method, path, access: 'write', perSecond, to, confirmedBy };
}

/** A name that is given several times has a list of values. */
export type Query = Readonly<Record<string, string | readonly string[]>>;

/** A path template filled in, and its query: every value percent-encoded, so no cell can leave its place. Throws Refusal for a value that is no path segment. */
export function fillPath(template: string, values: Readonly<Record<string, string>>, query: Query = {}): string {
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeSegment(values[name] ?? ''));
  const pairs = Object.entries(query).flatMap(([name, value]) => [value].flat().map((one) => `${name}=${encode(one)}`));
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`;
}

function encodeSegment(value: string): string {
  // Percent-encoding does not keep these three from being read as a step in the path.
  if (value === '' || value === '.' || value === '..') {
    throw new Refusal('REQUEST_REFUSED', `"${value}" is not an Atlassian id; nothing was sent. Correct the id.`);
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
