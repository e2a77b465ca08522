import { type StateInput, uuid } from '../engine/state.ts';

type UserInput = StateInput['cloud']['users'][number];
type GroupInput = StateInput['cloud']['groups'][number];

/** Whose tokens the targets carry. */
export const ADMIN = { email: 'admin@example.com', accountId: '5b10a2844c20165700ede21a' } as const;

/** Colleagues with nothing special about them. */
const COLLEAGUES = `
  Anna Schmidt, Ben Okafor, Carla Rossi, Dmitri Volkov, Elena Petrova, Farid Haddad, Grace Kim, Hugo Martin,
  Ines Alvarez, Jonas Weber, Keiko Tanaka, Liam Murphy, Maya Patel, Nils Larsen, Olga Nowak, Pedro Santos,
  Quinn Baker, Rosa Jimenez, Stefan Braun, Tariq Aziz, Uma Reddy, Viktor Horvat, Wen Li, Xenia Papas,
  Yusuf Demir, Zoe Dubois, Arthur Novak, Bianca Costa, Cedric Lambert, Daria Popescu, Emil Sorensen,
  Freya Lind, Gina Ferrari`
  .split(',')
  .map((name) => name.trim());

const PRODUCTS = ['jira-software', 'confluence'];

const colleague = (name: string, n: number): UserInput => ({
  accountId: n % 2 === 0 ? `5b10ac8d82e05b22cc7d${(0x4e00 + n).toString(16)}` : `712020:${uuid('1a2b3c4d', n)}`,
  email: emailOf(name),
  name,
  products: PRODUCTS,
});

const emailOf = (name: string): string => `${name.toLowerCase().replace(' ', '.')}@example.com`;

/** People on whom a change fails, or who are in another state than the others; what each is for is in the documentation. */
export const PARTICULAR: readonly (UserInput & { readonly about: string })[] = [
  {
    about: 'Owns the API token, organisation admin',
    accountId: ADMIN.accountId,
    email: ADMIN.email,
    name: 'Ada Admin',
    orgAdmin: true,
    products: PRODUCTS,
  },
  {
    about: 'Provisioned by SCIM: address and lifecycle are changed at the identity provider',
    accountId: `712020:${uuid('5c1a0000', 1)}`,
    email: 'sofia.scim@example.com',
    name: 'Sofia Scim',
    managementSource: 'synced',
    products: PRODUCTS,
  },
  {
    about: 'Guest of another company, not managed; Jira hides the address',
    accountId: 'qm:90e5c4a0-partner|guest-1',
    email: 'gus.guest@partner.example',
    name: 'Gus Guest',
    claimStatus: 'unmanaged',
    emailHidden: true,
    products: ['jira-software'],
  },
  {
    about: 'Suspended',
    accountId: '5b10ac8d82e05b22cc7dff01',
    email: 'susan.suspended@example.com',
    name: 'Susan Suspended',
    membershipStatus: 'suspended',
    products: PRODUCTS,
  },
  {
    about: 'Deactivated',
    accountId: '5b10ac8d82e05b22cc7dff02',
    email: 'dan.deactivated@example.com',
    name: 'Dan Deactivated',
    accountStatus: 'inactive',
    products: PRODUCTS,
  },
  {
    about: 'Single sign-on: a SAML policy forbids a change of address',
    accountId: '5b10ac8d82e05b22cc7dff03',
    email: 'sam.saml@example.com',
    name: 'Sam Saml',
    lock: 'authPolicy.saml',
    products: PRODUCTS,
  },
  {
    about: 'Managed account that was never invited to the site',
    accountId: `712020:${uuid('5c1a0000', 2)}`,
    email: 'nora.newcomer@example.com',
    name: 'Nora Newcomer',
    membershipStatus: 'no_membership',
  },
];

export const PEOPLE: readonly UserInput[] = [
  ...PARTICULAR.map(({ about: _about, ...user }) => user),
  ...COLLEAGUES.map(colleague),
];

const idOf = (name: string): string => {
  const found = PEOPLE.find((person) => person.name === name);
  if (!found) throw new Error(`nobody in the default seed is called ${name}`);
  return found.accountId;
};

/** The default groups, each with what it is there for. */
export const GROUPS: readonly (GroupInput & { readonly about: string })[] = [
  group(1, 'engineering', 'Plain', { members: ['Anna Schmidt', 'Ben Okafor', 'Carla Rossi'].map(idOf) }),
  group(2, 'Support Team', 'A space in the name', { members: ['Elena Petrova'].map(idOf) }),
  group(3, 'R&D', 'An ampersand in the name', { members: ['Grace Kim'].map(idOf) }),
  group(4, 'C++ Guild', 'Plus signs in the name'),
  group(5, 'Ops/On-call', 'A slash in the name'),
  group(6, 'Team #1', 'A hash in the name'),
  group(7, 'jira-software-users', 'Gives access to jira-software', {
    products: ['jira-software'],
    members: COLLEAGUES.map(idOf),
  }),
  group(8, 'idp-everyone', 'Synchronised from an identity provider: not to be changed here', {
    externalSynced: true,
    members: [idOf('Sofia Scim')],
  }),
  group(9, 'discovery', 'Gives access to jira-product-discovery, of which no seat is left', {
    products: ['jira-product-discovery'],
  }),
  group(10, 'org-admins', 'Makes its members organisation admins', {
    roles: ['atlassian/org-admin'],
    members: [ADMIN.accountId, idOf('Emil Sorensen')],
  }),
];

function group(n: number, name: string, about: string, more: Partial<GroupInput> = {}) {
  return { about, groupId: uuid('276f955c', n), name, ...more };
}

type DataCenterInput = StateInput['dataCenter'];

export const DATA_CENTER_PEOPLE: readonly (DataCenterInput['users'][number] & { readonly about: string })[] = [
  dataCenterUser('admin', 'Ada Admin', 'Owns the personal access token'),
  dataCenterUser('anna', 'Anna Schmidt', 'Nothing special'),
  dataCenterUser('ben', 'Ben Okafor', 'Nothing special'),
  dataCenterUser('carla', 'Carla Rossi', 'Nothing special'),
  dataCenterUser('dmitri', 'Dmitri Volkov', 'Nothing special'),
  dataCenterUser('grace.kim@example.com', 'Grace Kim', 'Username is an address'),
  dataCenterUser('eva', 'Eva Gone', 'Inactive', { active: false }),
  dataCenterUser('ldap.lena', 'Lena Ldap', 'In a read-only directory', { readOnly: true }),
];

function dataCenterUser(
  username: string,
  displayName: string,
  about: string,
  more: Partial<DataCenterInput['users'][number]> = {},
) {
  const emailAddress = username.includes('@') ? username : `${username}@dc.example.com`;
  return { about, username, key: `JIRAUSER10${username.length}-${username}`, emailAddress, displayName, ...more };
}

export const DATA_CENTER_GROUPS: readonly (DataCenterInput['groups'][number] & { readonly about: string })[] = [
  { about: 'Everybody', name: 'jira-software-users', members: ['admin', 'anna', 'ben', 'carla', 'dmitri'] },
  { about: 'A space in the name', name: 'Release Managers', members: ['carla'] },
  { about: 'In a read-only directory', name: 'ldap-staff', readOnly: true, members: ['ldap.lena'] },
  { about: 'Administers Jira', name: 'jira-administrators', members: ['admin', 'grace.kim@example.com'] },
];
