import * as z from 'zod';

import {
  type CloudRecord,
  type DataCenterRecord,
  type State,
  type StateInput,
  stateSchema,
  type User,
  uuid,
} from '../engine/state.ts';
import { ADMIN, DATA_CENTER_GROUPS, DATA_CENTER_PEOPLE, GROUPS, PEOPLE } from './default-people.ts';

const count = z.number().int().min(0).max(2_000_000);

/** What `PUT /_simulator/state` takes in place of a whole state: the default people, or so many generated ones. */
export const seedSchema = z.union([
  z.literal('default'),
  z.strictObject({
    users: count,
    groups: count.default(1),
    /** Of how many groups each user is a member. */
    groupsPerUser: count.default(1),
    domain: z.string().min(1).default('example.com'),
    dataCenterUsers: count.default(0),
    dataCenterGroups: count.default(0),
  }),
]);

export type Seed = z.input<typeof seedSchema>;

/** The state that a seed stands for; the same seed gives the same state, credentials and ids always. */
export function seededState(seed: Seed): State {
  const parsed = seedSchema.parse(seed);
  return parsed === 'default' ? stateSchema.parse(defaultState()) : generated(parsed);
}

/** The site's, organisation's and directory's ids in every seed, so that targets stay good when the state is replaced. */
export const IDS = {
  orgId: '3f1c2a44-0000-4000-8000-00000000e0a1',
  directoryId: '7d9e5b10-0000-4000-8000-00000000d1a1',
  cloudId: 'c10d0000-0000-4000-8000-00000000c1a1',
} as const;

const JIRA_TOKEN = 'simulator-api-token';
const ORGANISATION_KEY = 'simulator-org-api-key';
const DATA_CENTER_TOKEN = 'simulator-personal-access-token';

/** Every kind of credential that Atlassian tells apart. None of them opens anything but this server. */
export const CREDENTIALS: {
  readonly cloud: CloudRecord['credentials'];
  readonly dataCenter: DataCenterRecord['credentials'];
} = {
  cloud: {
    jira: [
      { email: ADMIN.email, token: JIRA_TOKEN, permissions: ['site-admin', 'browse-users'] },
      {
        email: ADMIN.email,
        token: 'simulator-scoped-token',
        scopes: ['manage:jira-configuration', 'read:jira-user'],
        permissions: ['site-admin', 'browse-users'],
      },
      { email: ADMIN.email, token: 'simulator-read-token', scopes: ['read:jira-user'], permissions: ['browse-users'] },
      { email: 'anna.schmidt@example.com', token: 'simulator-plain-token', permissions: [] },
    ],
    organisation: [
      { key: ORGANISATION_KEY },
      {
        key: 'simulator-scoped-org-api-key',
        scopes: ['read:users:admin', 'read:groups:admin', 'read:domains:admin', 'read:directories:admin', 'manage:org'],
      },
    ],
  },
  dataCenter: [
    { token: DATA_CENTER_TOKEN, username: 'admin', admin: true },
    { password: 'simulator-password', username: 'admin', admin: true },
    { token: 'simulator-plain-personal-token', username: 'anna', admin: false },
  ],
};

/** The secrets of the targets `cloud` and `data-center`, as `rollcall/<target>` holds them in JSON. */
export interface SimulatorTargets {
  readonly cloud: {
    readonly type: 'cloud';
    readonly siteUrl: string;
    readonly email: string;
    readonly apiToken: string;
    readonly orgId: string;
    readonly orgApiKey: string;
    readonly directoryId: string;
    readonly apiUrl: string;
  };
  readonly 'data-center': { readonly type: 'data-center'; readonly baseUrl: string; readonly token: string };
}

export const targetsAt = (url: string): SimulatorTargets => ({
  cloud: {
    type: 'cloud',
    siteUrl: url,
    email: ADMIN.email,
    apiToken: JIRA_TOKEN,
    orgId: IDS.orgId,
    orgApiKey: ORGANISATION_KEY,
    directoryId: IDS.directoryId,
    apiUrl: url,
  },
  'data-center': { type: 'data-center', baseUrl: `${url}/jira`, token: DATA_CENTER_TOKEN },
});

const SITE = { cloudId: IDS.cloudId, name: 'example' };
const LICENCES = {
  'jira-software': null,
  'jira-core': null,
  'jira-servicedesk': null,
  'jira-product-discovery': 0,
  confluence: null,
};

const defaultState = (): StateInput => ({
  cloud: {
    organisation: organisationOf('example.com'),
    site: SITE,
    licences: LICENCES,
    credentials: CREDENTIALS.cloud,
    users: [...PEOPLE],
    groups: GROUPS.map(({ about: _about, ...group }) => group),
  },
  dataCenter: {
    credentials: CREDENTIALS.dataCenter,
    users: DATA_CENTER_PEOPLE.map(({ about: _about, ...user }) => user),
    groups: DATA_CENTER_GROUPS.map(({ about: _about, ...group }) => group),
  },
});

/** The domain is verified, example.net is claimed and not verified. */
const organisationOf = (domain: string): State['cloud']['organisation'] => ({
  orgId: IDS.orgId,
  name: 'example',
  directories: [{ directoryId: IDS.directoryId, name: 'example' }],
  domains: [
    { name: domain, type: 'dns', status: 'verified' },
    { name: 'example.net', type: 'http', status: 'unverified' },
  ],
});

type Numbers = Exclude<z.output<typeof seedSchema>, string>;

function generated({ users, groups, groupsPerUser, domain, dataCenterUsers, dataCenterGroups }: Numbers): State {
  const people = Array.from({ length: users }, (_, at) => person(at + 1, domain));
  const members = (group: number): string[] => {
    const ids: string[] = [];
    // Person n is in the groups n, n + 1, … counted round.
    for (let shift = 0; shift < Math.min(groupsPerUser, groups); shift += 1) {
      for (let at = (((group - 1 - shift) % groups) + groups) % groups; at < users; at += groups) {
        ids.push(people[at]?.accountId ?? '');
      }
    }
    return ids;
  };
  const dataCenterPeople = Array.from({ length: dataCenterUsers }, (_, at) => dataCenterPerson(at + 1, domain));
  const admin = { ...person(0, domain), accountId: ADMIN.accountId, email: ADMIN.email, name: 'Ada Admin' };
  return {
    cloud: {
      organisation: organisationOf(domain),
      site: SITE,
      licences: LICENCES,
      credentials: CREDENTIALS.cloud,
      users: [admin, ...people],
      groups: Array.from({ length: groups }, (_, at) => ({
        groupId: uuid('60000000', at + 1),
        name: `group-${padded(at + 1, 3)}`,
        externalSynced: false,
        products: [],
        roles: [],
        members: members(at + 1),
      })),
    },
    dataCenter: {
      credentials: CREDENTIALS.dataCenter,
      users: [{ ...dataCenterPerson(0, domain), username: 'admin', emailAddress: ADMIN.email }, ...dataCenterPeople],
      groups: Array.from({ length: dataCenterGroups }, (_, at) => ({
        name: `group-${padded(at + 1, 3)}`,
        readOnly: false,
        members: [],
      })),
    },
  };
}

const PRODUCTS = ['jira-software'];

const padded = (n: number, digits: number): string => String(n).padStart(digits, '0');

/** user00001@example.com and so on: lean, because there may be very many. */
const person = (n: number, domain: string): User => ({
  accountId: `712020:${uuid('a0000000', n)}`,
  email: `user${padded(n, 5)}@${domain}`,
  name: `User ${padded(n, 5)}`,
  accountType: 'atlassian',
  accountStatus: 'active',
  membershipStatus: 'active',
  claimStatus: 'managed',
  managementSource: 'invited',
  products: PRODUCTS,
});

const dataCenterPerson = (n: number, domain: string): State['dataCenter']['users'][number] => ({
  username: `user${padded(n, 5)}`,
  key: `JIRAUSER${10_000 + n}`,
  emailAddress: `user${padded(n, 5)}@${domain}`,
  displayName: `User ${padded(n, 5)}`,
  active: true,
  readOnly: false,
  applicationKeys: ['jira-software'],
});
