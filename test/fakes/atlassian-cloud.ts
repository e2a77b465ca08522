import type {
  Answer,
  Cloud,
  Group,
  GroupMember,
  Jira,
  JiraUser,
  Organisation,
  OrganisationUser,
  UserManagement,
} from '../../shared/atlassian/apis.ts';
import { Refusal } from '../../shared/atlassian/errors.ts';
import type { CloudTarget } from '../../shared/target.ts';
import { type FakeCall, type Intercept, type Watch, watched } from './atlassian-watch.ts';

/** A person as the fake keeps them; what is left out is an active, managed person with no groups and no products. */
export interface FakePerson {
  readonly accountId: string;
  readonly email: string;
  /** Jira hides the address. */
  readonly hidden?: boolean;
  readonly accountStatus?: string;
  readonly membershipStatus?: string;
  readonly claimStatus?: string;
  readonly managementSource?: string;
  readonly products?: readonly string[];
  readonly groupIds?: readonly string[];
}

export interface FakeCloudOptions {
  readonly users?: readonly FakePerson[];
  readonly groups?: readonly Group[];
  readonly domains?: readonly string[];
  /** False: a target without organisation keys. */
  readonly organisation?: boolean;
  readonly target?: Partial<CloudTarget>;
  readonly intercept?: Intercept;
}

export interface FakeCloud {
  readonly apis: Cloud;
  readonly state: CloudState;
  /** Every call that reached the fake, in order. */
  readonly calls: readonly FakeCall[];
}

interface CloudState {
  readonly users: Map<string, Required<FakePerson>>;
  readonly groups: Map<string, Group>;
  readonly domains: string[];
}

/** A Cloud site and its organisation in memory, strongly consistent; it answers writes as Atlassian does once they are classified. */
export function fakeCloud(options: FakeCloudOptions = {}): FakeCloud {
  const site = cloudSite(options);
  const calls: FakeCall[] = [];
  const watch: Watch = { calls, intercept: options.intercept, changes: site.changes };
  const target: CloudTarget = { ...TARGET, ...options.target };
  const jira = watched('jira.', jiraOf(site), watch);
  if (options.organisation === false) {
    const { orgId: _orgId, orgApiKey: _orgApiKey, ...keyless } = target;
    return { apis: { target: keyless, jira }, state: site.state, calls };
  }
  const organisation = watched('organisation.', organisationOf(site), watch);
  const userManagement = watched('userManagement.', userManagementOf(site), watch);
  return { apis: { target, jira, organisation, userManagement }, state: site.state, calls };
}

const TARGET: CloudTarget = {
  type: 'cloud',
  name: 'acme',
  siteUrl: 'https://acme.example.net',
  email: 'admin@acme.example',
  apiToken: 'fake-token',
  orgId: 'org-1',
  orgApiKey: 'fake-key',
  apiUrl: 'https://api.example.com',
};

type Site = ReturnType<typeof cloudSite>;

function cloudSite({ users = [], groups = [], domains = ['acme.example'] }: FakeCloudOptions) {
  let changes = 0;
  const state: CloudState = {
    users: new Map(users.map((user) => [user.accountId, whole(user)])),
    groups: new Map(groups.map((group) => [group.groupId, group])),
    domains: [...domains],
  };
  const person = (accountId: string): Required<FakePerson> =>
    state.users.get(accountId) ?? refuse('USER_NOT_FOUND', 404);
  return {
    state,
    changes: () => changes,
    person,
    byEmail: (email: string) => [...state.users.values()].filter((user) => same(user.email, email)),
    /** Sets what is given; false when it was so already. */
    set: (accountId: string, change: Partial<FakePerson>): boolean => {
      const present = person(accountId);
      const next = { ...present, ...change };
      if (JSON.stringify(next) === JSON.stringify(present)) return false;
      state.users.set(accountId, next);
      changes += 1;
      return true;
    },
    add: (user: FakePerson): void => {
      state.users.set(user.accountId, whole(user));
      changes += 1;
    },
  };
}

function jiraOf(site: Site): Jira {
  const groups = () => [...site.state.groups.values()].map(({ groupId, name }) => ({ groupId, name }));
  const setMember = ({ groupId, accountId }: GroupMember, wanted: boolean): boolean => {
    const group = site.state.groups.get(groupId) ?? refuse('GROUP_NOT_FOUND', 404);
    if (group.external) refuse('GROUP_EXTERNAL', 403);
    const others = site.person(accountId).groupIds.filter((id) => id !== groupId);
    return site.set(accountId, { groupIds: wanted ? [...others, groupId].toSorted() : others });
  };
  return {
    findUsers: async (query) =>
      [...site.state.users.values()]
        .filter((user) => isActive(user) && user.email.toLowerCase().startsWith(query.toLowerCase()))
        .map(jiraUser),
    findUser: async (accountId) => {
      const user = site.state.users.get(accountId);
      return user && { ...jiraUser(user), products: user.products };
    },
    findGroupsOfUser: async (accountId) => {
      const user = site.state.users.get(accountId);
      return user && groups().filter(({ groupId }) => user.groupIds.includes(groupId));
    },
    findGroupsByName: async (names) => groups().filter(({ name }) => names.includes(name)),
    findGroupsById: async (groupIds) => groups().filter(({ groupId }) => groupIds.includes(groupId)),
    addToGroup: async (member) => (setMember(member, true) ? answer(201) : alreadySo(400)),
    removeFromGroup: async (member) => (setMember(member, false) ? answer(200) : alreadySo(400)),
    createUser: async ({ emailAddress, products }) => {
      grant(site, emailAddress, products);
      return answer(201);
    },
  };
}

function organisationOf(site: Site): Organisation {
  const users = () => [...site.state.users.values()];
  return {
    findUsersByEmail: async (emails, { groups }) =>
      users()
        .filter((user) => emails.some((email) => same(email, user.email)))
        .map((user) => organisationUser(user, groups)),
    findUsersById: async (accountIds, { groups }) =>
      users()
        .filter((user) => accountIds.includes(user.accountId))
        .map((user) => organisationUser(user, groups)),
    findUsersByProduct: async (product, accountIds) =>
      users()
        .filter((user) => accountIds.includes(user.accountId) && user.products.includes(product))
        .map((user) => organisationUser(user, false)),
    findGroupsByName: async (names) => [...site.state.groups.values()].filter(({ name }) => names.includes(name)),
    findGroupsById: async (ids) => [...site.state.groups.values()].filter(({ groupId }) => ids.includes(groupId)),
    listVerifiedDomains: async () => site.state.domains,
    suspend: async (accountId) => settled(site.set(accountId, { membershipStatus: 'suspended' })),
    restore: async (accountId) => settled(site.set(accountId, { membershipStatus: 'active' })),
    invite: async ({ email, products }) => {
      grant(site, email, products);
      return answer(200);
    },
  };
}

function userManagementOf(site: Site): UserManagement {
  const managed = (accountId: string): Required<FakePerson> => {
    const person = site.person(accountId);
    return person.claimStatus === 'managed' ? person : refuse('USER_NOT_MANAGED', 403);
  };
  return {
    findProfile: async (accountId) => {
      const user = site.state.users.get(accountId);
      return user && { email: user.email, accountStatus: user.accountStatus };
    },
    setEmail: async (accountId, email) => {
      if (managed(accountId).managementSource === 'synced') refuse('SCIM_MANAGED', 403);
      if (!site.state.domains.includes(email.split('@')[1]?.toLowerCase() ?? '')) refuse('DOMAIN_NOT_VERIFIED', 403);
      if (site.byEmail(email).some((user) => user.accountId !== accountId)) refuse('EMAIL_IN_USE', 400);
      return settled(site.set(accountId, { email }));
    },
    disable: async (accountId) => settled(site.set(managed(accountId).accountId, { accountStatus: 'inactive' })),
    enable: async (accountId) => settled(site.set(managed(accountId).accountId, { accountStatus: 'active' })),
  };
}

function grant(site: Site, email: string, products: readonly string[]): void {
  const [user] = site.byEmail(email);
  if (user) {
    site.set(user.accountId, { products: [...new Set([...user.products, ...products])].toSorted() });
  } else {
    site.add({ accountId: `new:${site.state.users.size + 1}`, email, products: products.toSorted() });
  }
}

const whole = (user: FakePerson): Required<FakePerson> => ({
  hidden: false,
  accountStatus: 'active',
  membershipStatus: 'active',
  claimStatus: 'managed',
  managementSource: 'invited',
  products: [],
  groupIds: [],
  ...user,
});

const isActive = (user: Required<FakePerson>): boolean =>
  user.accountStatus === 'active' && user.membershipStatus === 'active';

const jiraUser = (user: Required<FakePerson>): JiraUser => ({
  accountId: user.accountId,
  active: isActive(user),
  ...(user.hidden ? {} : { emailAddress: user.email }),
});

const organisationUser = (user: Required<FakePerson>, groups: boolean): OrganisationUser => ({
  accountId: user.accountId,
  email: user.email,
  accountStatus: user.accountStatus,
  membershipStatus: user.membershipStatus,
  claimStatus: user.claimStatus,
  managementSource: user.managementSource,
  ...(groups ? { groupIds: user.groupIds } : {}),
});

const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

const answer = (httpStatus: number): Answer => ({ status: 'changed', httpStatus, traceId: 'fake-trace' });

const alreadySo = (httpStatus: number): Answer => ({ status: 'unchanged', httpStatus, traceId: 'fake-trace' });

const settled = (effective: boolean): Answer => (effective ? answer(204) : alreadySo(204));

function refuse(code: Refusal['code'], httpStatus: number): never {
  throw new Refusal(code, `The fake refuses with ${code}`, { httpStatus, traceId: 'fake-trace' });
}
