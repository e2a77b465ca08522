import * as z from 'zod';

import { ADMIN, CREDENTIALS, IDS } from './credentials.ts';
import { DATA_CENTER_GROUPS, DATA_CENTER_PEOPLE, GROUPS, PEOPLE } from './default-people.ts';
import { uuid } from './ids.ts';
import { type State, type StateInput, stateSchema, type User } from './model.ts';

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
        members: members(at + 1),
      })),
    },
    dataCenter: {
      credentials: CREDENTIALS.dataCenter,
      users: Array.from({ length: dataCenterUsers }, (_, at) => dataCenterPerson(at + 1, domain)),
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
