import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Jira, Organisation, UserManagement } from '../../shared/atlassian/apis.ts';
import { createApiClients, type ApiClient } from '../../shared/atlassian/api-client.ts';
import { createDataCenter } from '../../shared/atlassian/data-center.ts';
import { NoAnswer, Refusal } from '../../shared/atlassian/errors.ts';
import { createHttp, type Http } from '../../shared/atlassian/http.ts';
import { createJira } from '../../shared/atlassian/jira-cloud.ts';
import { createOrganisation, createUserManagement } from '../../shared/atlassian/organisation.ts';
import { loopbackServer, type LoopbackServer, type Received } from '../shared/atlassian/loopback-server.ts';

let server: LoopbackServer;
let http: Http;
beforeAll(async () => {
  // An answer that no client can make sense of, so that each sends one request and no more.
  server = await loopbackServer((_, response) => void response.writeHead(400).end());
  http = createHttp({ responseLimitBytes: 1_000, connections: 4 });
});
afterAll(async () => {
  await http.close();
  await server.close();
});

function openClient(): ApiClient {
  const unlimited = { acquire: async () => undefined, recordAnswer: () => undefined, recordRefusal: () => 0 };
  const clients = createApiClients({
    http,
    rateLimiters: { find: () => unlimited },
    clock: { now: () => new Date() },
    deadlineMs: Infinity,
    beforeCall: async () => undefined,
    answered: new Set(),
    isKnown: async () => true,
  });
  return clients.open({
    target: 'acme',
    baseUrl: `${server.url}/context`,
    authorization: 'Bearer key',
    secrets: [],
    checks: 'baseUrl',
  });
}

const jira = (): Jira => createJira(openClient());
const dataCenter = () =>
  createDataCenter(openClient(), { keep: async () => ({ enabled: false }) as never, clock: { now: () => new Date() } });
const userManagement = (): UserManagement => createUserManagement(openClient());
const organisation = (ids = { orgId: 'org', directoryId: 'dir' }): Organisation =>
  createOrganisation({
    client: openClient(),
    orgId: ids.orgId,
    findDirectoryForReads: async () => ids.directoryId,
    findDirectoryOf: async () => ids.directoryId,
    findCloudId: async () => 'cloud',
  });

interface Place {
  readonly call: string;
  readonly send: (cell: string, signal: AbortSignal) => Promise<unknown>;
  /** Where the cell must be found in what was sent, decoded. */
  readonly found: (sent: Sent) => unknown;
  /** Path segments that the server sees, the cell's place as `*`. */
  readonly path: string;
}

interface Sent {
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  readonly body: ReturnType<typeof JSON.parse>;
}

const segment =
  (index: number) =>
  ({ segments }: Sent) =>
    segments[index];
const query = (name: string) => (sent: Sent) => sent.query.get(name);

/** Every call into which a cell goes, and where it goes. */
const PLACES: readonly Place[] = [
  {
    call: 'find users',
    send: (cell, signal) => jira().findUsers(cell, signal),
    found: query('query'),
    path: 'rest/api/3/user/search',
  },
  {
    call: 'user',
    send: (cell, signal) => jira().findUser(cell, signal),
    found: query('accountId'),
    path: 'rest/api/3/user',
  },
  {
    call: 'users by ids',
    send: (cell, signal) => jira().findUsersById([cell], signal),
    found: query('accountId'),
    path: 'rest/api/3/user/bulk',
  },
  {
    call: "a group's members",
    send: (cell, signal) => jira().listMembers(cell, 0, signal),
    found: query('groupId'),
    path: 'rest/api/3/group/member',
  },
  {
    call: "user's groups",
    send: (cell, signal) => jira().findGroupsOfUser(cell, signal),
    found: query('accountId'),
    path: 'rest/api/3/user/groups',
  },
  {
    call: 'groups by name',
    send: (cell, signal) => jira().findGroupsByName([cell], signal),
    found: query('groupName'),
    path: 'rest/api/3/group/bulk',
  },
  {
    call: 'groups by id',
    send: (cell, signal) => jira().findGroupsById([cell], signal),
    found: query('groupId'),
    path: 'rest/api/3/group/bulk',
  },
  {
    call: 'add to group, the group',
    send: (cell, signal) => jira().addToGroup({ groupId: cell, accountId: 'a' }, signal),
    found: query('groupId'),
    path: 'rest/api/3/group/user',
  },
  {
    call: 'add to group, the account',
    send: (cell, signal) => jira().addToGroup({ groupId: 'g', accountId: cell }, signal),
    found: ({ body }) => body.accountId,
    path: 'rest/api/3/group/user',
  },
  {
    call: 'remove from group',
    send: (cell, signal) => jira().removeFromGroup({ groupId: 'g', accountId: cell }, signal),
    found: query('accountId'),
    path: 'rest/api/3/group/user',
  },
  {
    call: 'create a user',
    send: (cell, signal) => jira().createUser({ emailAddress: cell, products: [] }, signal),
    found: ({ body }) => body.emailAddress,
    path: 'rest/api/3/user',
  },
  {
    call: 'create a user, a product',
    send: (cell, signal) => jira().createUser({ emailAddress: 'a@b.example', products: [cell] }, signal),
    found: ({ body }) => body.products[0],
    path: 'rest/api/3/user',
  },
  {
    call: 'users by e-mail',
    send: (cell, signal) => organisation().findUsersByEmail([cell], { groups: true }, signal),
    found: ({ body }) => body.emails[0],
    path: 'admin/v2/orgs/org/directories/dir/users/search',
  },
  {
    call: 'users by id',
    send: (cell, signal) => organisation().findUsersById([cell], { groups: false }, signal),
    found: ({ body }) => body.accountIds[0],
    path: 'admin/v2/orgs/org/directories/dir/users/search',
  },
  {
    call: 'users of a product',
    send: (cell, signal) => organisation().findUsersByProduct('confluence', [cell], signal),
    found: ({ body }) => body.emails[0],
    path: 'admin/v2/orgs/org/directories/dir/users/search',
  },
  {
    call: 'users of a group',
    send: (cell, signal) => organisation().findUsersByGroup(cell, signal),
    found: ({ body }) => body.groupIds[0],
    path: 'admin/v2/orgs/org/directories/dir/users/search',
  },
  {
    call: "the organisation's groups",
    send: (cell, signal) => organisation().findGroupsByName([cell], signal),
    found: ({ body }) => body.groupNames[0],
    path: 'admin/v2/orgs/org/directories/dir/groups/search',
  },
  {
    call: 'suspend',
    send: (cell, signal) => organisation().suspend(cell, signal),
    found: segment(7),
    path: 'admin/v2/orgs/org/directories/dir/users/*/suspend',
  },
  {
    call: 'restore',
    send: (cell, signal) => organisation().restore(cell, signal),
    found: segment(7),
    path: 'admin/v2/orgs/org/directories/dir/users/*/restore',
  },
  {
    call: 'an organisation of the secret',
    send: (cell, signal) => organisation({ orgId: cell, directoryId: 'dir' }).suspend('a', signal),
    found: segment(3),
    path: 'admin/v2/orgs/*/directories/dir/users/a/suspend',
  },
  {
    call: 'a directory that Atlassian named',
    send: (cell, signal) => organisation({ orgId: 'org', directoryId: cell }).suspend('a', signal),
    found: segment(5),
    path: 'admin/v2/orgs/org/directories/*/users/a/suspend',
  },
  {
    call: 'invite',
    send: (cell, signal) => organisation().invite({ email: cell, products: ['confluence'] }, signal),
    found: ({ body }) => body.emails[0],
    path: 'admin/v2/orgs/org/users/invite',
  },
  {
    call: 'profile',
    send: (cell, signal) => userManagement().findProfile(cell, signal),
    found: segment(1),
    path: 'users/*/manage/profile',
  },
  {
    call: 'set e-mail, the account',
    send: (cell, signal) => userManagement().setEmail(cell, 'a@b.example', signal),
    found: segment(1),
    path: 'users/*/manage/email',
  },
  {
    call: 'set e-mail, the address',
    send: (cell, signal) => userManagement().setEmail('a', cell, signal),
    found: ({ body }) => body.email,
    path: 'users/a/manage/email',
  },
  {
    call: 'deactivate, the account',
    send: (cell, signal) => userManagement().disable(cell, undefined, signal),
    found: segment(1),
    path: 'users/*/manage/lifecycle/disable',
  },
  {
    call: 'deactivate, the message',
    send: (cell, signal) => userManagement().disable('a', cell, signal),
    found: ({ body }) => body.message,
    path: 'users/a/manage/lifecycle/disable',
  },
  {
    call: 'reactivate',
    send: (cell, signal) => userManagement().enable(cell, signal),
    found: segment(1),
    path: 'users/*/manage/lifecycle/enable',
  },
  {
    call: 'Data Center: user',
    send: (cell, signal) => dataCenter().findUser(cell, signal),
    found: query('username'),
    path: 'rest/api/2/user',
  },
  {
    call: 'Data Center: whether a group is there',
    send: (cell, signal) => dataCenter().hasGroup(cell, signal),
    found: query('groupname'),
    path: 'rest/api/2/group/member',
  },
  {
    call: 'Data Center: group',
    send: (cell, signal) => dataCenter().pickGroups(cell, signal),
    found: query('query'),
    path: 'rest/api/2/groups/picker',
  },
  {
    call: 'Data Center: add to group, the group',
    send: (cell, signal) => dataCenter().addToGroup({ group: cell, username: 'u' }, signal),
    found: query('groupname'),
    path: 'rest/api/2/group/user',
  },
  {
    call: 'Data Center: find users',
    send: (cell, signal) => dataCenter().findUsers(cell, 0, signal),
    found: query('username'),
    path: 'rest/api/2/user/search',
  },
  {
    call: "Data Center: a group's members",
    send: (cell, signal) => dataCenter().listMembers(cell, 0, signal),
    found: query('groupname'),
    path: 'rest/api/2/group/member',
  },
  {
    call: 'Data Center: add to group, the user',
    send: (cell, signal) => dataCenter().addToGroup({ group: 'g', username: cell }, signal),
    found: ({ body }) => body.name,
    path: 'rest/api/2/group/user',
  },
  {
    call: 'Data Center: remove from group, the group',
    send: (cell, signal) => dataCenter().removeFromGroup({ group: cell, username: 'u' }, signal),
    found: query('groupname'),
    path: 'rest/api/2/group/user',
  },
  {
    call: 'Data Center: remove from group, the user',
    send: (cell, signal) => dataCenter().removeFromGroup({ group: 'g', username: cell }, signal),
    found: query('username'),
    path: 'rest/api/2/group/user',
  },
  {
    call: 'Data Center: create, the name',
    send: (cell, signal) =>
      dataCenter().createUser({ username: 'u', emailAddress: 'a@b.example', displayName: cell }, signal),
    found: ({ body }) => body.displayName,
    path: 'rest/api/2/user',
  },
  {
    call: 'Data Center: change, the user',
    send: (cell, signal) => dataCenter().updateUser(cell, { active: false }, signal),
    found: query('username'),
    path: 'rest/api/2/user',
  },
  {
    call: 'Data Center: change, the address',
    send: (cell, signal) => dataCenter().updateUser('u', { emailAddress: cell }, signal),
    found: ({ body }) => body.emailAddress,
    path: 'rest/api/2/user',
  },
];

const HOSTILE = [
  '../',
  '..',
  '.',
  '/',
  '//',
  '\\',
  '?',
  '&',
  '=',
  '#',
  ';',
  '%',
  '%2e',
  '%2f',
  '%00',
  '+',
  ' ',
  '@',
  ':',
  '"',
  '{',
  '}',
  '\r\n',
  '\n',
  '\0',
  '\u0085',
  '\u2028',
  'é',
  '👩',
  '\uD800',
  '\uFFFF',
  'x',
  'http://evil.example/',
  '\r\nX-Evil: 1',
];
const cell = fc.oneof(
  fc.array(fc.constantFrom(...HOSTILE), { minLength: 1, maxLength: 5 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }),
);

/** Sends a cell; `undefined` when the client refused to send it at all. */
async function sendOnce(place: Place, text: string): Promise<Received | undefined> {
  const before = server.received.length;
  await place.send(text, AbortSignal.timeout(10_000)).catch((error: unknown) => {
    if (!(error instanceof Refusal || error instanceof NoAnswer)) throw error;
  });
  expect(server.received.length - before).toBeLessThanOrEqual(1);
  return server.received[before];
}

/** The headers of a request into which no cell may come. */
const HEADERS = [
  'accept',
  'authorization',
  'connection',
  'content-length',
  'content-type',
  'host',
  'transfer-encoding',
  'user-agent',
  'x-atlassian-token',
];
const STEPS = ['', '.', '..'];

describe('promise 11: a cell reaches Atlassian as one value, whatever it holds', () => {
  it.each(PLACES)('$call', async (place) => {
    await fc.assert(
      fc.asyncProperty(cell, async (text) => {
        const meant = text.toWellFormed();

        const received = await sendOnce(place, text);

        // Only what would be a step in a path is never sent.
        if (!received) {
          expect(place.path).toContain('*');
          expect(STEPS).toContain(text);
          return;
        }
        const [path = '', search = ''] = received.url.split('?');
        const segments = path.split('/').slice(2).map(decodeURIComponent);
        const body: unknown = received.body === '' ? undefined : JSON.parse(received.body);
        const sent = { segments, query: new URLSearchParams(search), body };
        const found = place.found(sent);
        expect(typeof found === 'string' ? found.toWellFormed() : found).toBe(meant);
        expect(path.startsWith('/context/')).toBe(true);
        expect(segments.map((part, index) => (place.path.split('/')[index] === '*' ? '*' : part)).join('/')).toBe(
          place.path,
        );
        expect(received.url).toMatch(/^[!-~]+$/);
        expect(Object.keys(received.headers).filter((name) => !HEADERS.includes(name))).toEqual([]);
        expect(received.headers['authorization']).toBe('Bearer key');
      }),
      { numRuns: 60, examples: STEPS.map((step) => [step]) },
    );
  });

  it('is tried for every call that takes one', () => {
    const takesNoCell: readonly string[] = [
      'listVerifiedDomains',
      'listUsers',
      'findMyself',
      'findAdmins',
      'findAdminGroups',
      'countActiveUsers',
    ];
    const methods = [jira(), organisation(), userManagement(), dataCenter()].flatMap((api) => Object.keys(api));
    const sources = PLACES.map(({ send }) => String(send)).join('\n');

    expect(
      [...new Set(methods)].filter((name) => !takesNoCell.includes(name) && !sources.includes(`.${name}(`)),
    ).toEqual([]);
  });
});
