import * as rules from '../../local/atlassian/engine/cloud-rules.ts';
import { createCloud, isActive, type CloudState, type Group } from '../../local/atlassian/engine/cloud-state.ts';
import { stateSchema, type User } from '../../local/atlassian/engine/state.ts';
import type {
  Answer,
  Cloud,
  Group as PortGroup,
  GroupMember,
  Jira,
  JiraUser,
  Organisation,
  OrganisationUser,
  UserManagement,
} from '../../shared/atlassian/apis.ts';
import { createCloudListings, createListingCache, type ListingOptions } from '../../shared/atlassian/listings.ts';
import type { CloudTarget } from '../../shared/target.ts';
import {
  askAlways,
  createWatch,
  enginePorts,
  type FakeCall,
  type FakeLag,
  type Intercept,
  membersPage,
  refuse,
  type Watch,
} from './atlassian-watch.ts';

/** A person as a test writes them; what is left out is an active, managed person with no groups and no products. */
export interface FakePerson {
  readonly accountId: string;
  readonly email: string;
  /** Jira hides the address. */
  readonly hidden?: boolean;
  readonly accountStatus?: string;
  readonly membershipStatus?: string;
  readonly claimStatus?: string;
  readonly managementSource?: string;
  readonly orgAdmin?: boolean;
  readonly products?: readonly string[];
  readonly groupIds?: readonly string[];
}

export interface FakeCloudOptions {
  readonly users?: readonly FakePerson[];
  readonly groups?: readonly (PortGroup & { readonly roles?: readonly string[] })[];
  readonly domains?: readonly string[];
  /** False: a target without organisation keys. */
  readonly organisation?: boolean;
  readonly target?: Partial<CloudTarget>;
  readonly intercept?: Intercept;
  readonly lag?: FakeLag | undefined;
  readonly listings?: ListingOptions | undefined;
}

export interface FakeCloud {
  readonly apis: Cloud;
  /** How things are now, whatever the reads show. */
  readonly state: { readonly users: ReadonlyMap<string, Required<FakePerson>> };
  /** Every call that reached the fake, in order. */
  readonly calls: readonly FakeCall[];
}

/** A Cloud site and its organisation in memory: the simulator's engine behind the port, answering as the client does once answers are classified. */
export function fakeCloud(options: FakeCloudOptions = {}): FakeCloud {
  const cloud = createCloud(recordOf(options), enginePorts(options.lag));
  const target: CloudTarget = { ...TARGET, ...options.target };
  const state = {
    get users() {
      return new Map(cloud.everybody().map((user) => [user.accountId, personOf(cloud, user)]));
    },
  };
  return { ...cloudPort(cloud, { ...options, target }), state };
}

/** The port over an engine. */
export function cloudPort(
  cloud: CloudState,
  {
    target,
    organisation,
    intercept,
    listings,
  }: Pick<FakeCloudOptions, 'organisation' | 'intercept' | 'listings'> & { readonly target: CloudTarget },
): Pick<FakeCloud, 'apis' | 'calls'> {
  const watch = createWatch(intercept);
  const jira = watch.over('jira.', jiraOf(cloud, target.email, watch));
  const common = {
    jira,
    keep: askAlways,
    listings: listings && createCloudListings(jira, { ...listings, cache: createListingCache() }),
  };
  if (organisation === false) {
    const { orgId: _orgId, orgApiKey: _orgApiKey, ...keyless } = target;
    return { apis: { target: keyless, ...common }, calls: watch.calls };
  }
  return {
    apis: {
      target,
      ...common,
      organisation: watch.over('organisation.', organisationOf(cloud, watch)),
      userManagement: watch.over('userManagement.', userManagementOf(cloud, watch)),
    },
    calls: watch.calls,
  };
}

const TARGET: CloudTarget = {
  type: 'cloud',
  name: 'acme',
  secretName: 'rollcall/acme',
  siteUrl: 'https://acme.example.net',
  email: 'admin@acme.example',
  apiToken: 'fake-token',
  orgId: 'org-1',
  orgApiKey: 'fake-key',
  apiUrl: 'https://api.example.com',
};

const PRODUCTS = ['jira-software', 'jira-core', 'jira-servicedesk', 'jira-product-discovery', 'confluence'];

function recordOf({ users = [], groups = [], domains = ['acme.example'] }: FakeCloudOptions) {
  return stateSchema.shape.cloud.parse({
    organisation: {
      orgId: 'org-1',
      name: 'acme',
      directories: [{ directoryId: 'directory-1', name: 'acme' }],
      domains: domains.map((name) => ({ name, status: 'verified' })),
    },
    site: { cloudId: 'cloud-1', name: 'acme' },
    licences: Object.fromEntries(PRODUCTS.map((product) => [product, null])),
    credentials: { jira: [], organisation: [] },
    // Named as they are addressed, so that Jira finds a hidden address by the name that is the same.
    users: users.map(({ hidden, groupIds: _groupIds, ...user }) => ({
      ...user,
      name: user.email,
      emailHidden: hidden,
    })),
    groups: groups.map(({ groupId, name, external = false, roles = [] }) => ({
      groupId,
      name,
      externalSynced: external,
      roles,
      members: users.filter(({ groupIds = [] }) => groupIds.includes(groupId)).map(({ accountId }) => accountId),
    })),
  });
}

const personOf = (cloud: CloudState, user: User): Required<FakePerson> => ({
  accountId: user.accountId,
  email: user.email,
  hidden: user.emailHidden ?? false,
  accountStatus: user.accountStatus,
  membershipStatus: user.membershipStatus,
  claimStatus: user.claimStatus,
  managementSource: user.managementSource ?? '',
  orgAdmin: user.orgAdmin ?? false,
  products: user.products,
  groupIds: cloud.groupsOf(user.accountId).map(({ groupId }) => groupId),
});

function jiraOf(cloud: CloudState, email: string, { settle }: Watch): Jira {
  const seen = (accountId: string): User | undefined => {
    const user = cloud.user(accountId, 'jira');
    return user && rules.isOnSite(user) ? user : undefined;
  };
  const named = ({ groupId, accountId }: GroupMember): readonly [Group, User] => [
    cloud.group(groupId) ?? refuse('GROUP_NOT_FOUND', 404),
    rules.siteUser(cloud, accountId) ?? refuse('USER_NOT_FOUND', 404),
  ];
  const membership = (result: ReturnType<typeof rules.joinGroup>, httpStatus: number): Answer => {
    if (result === 'external-group') return refuse('GROUP_EXTERNAL', 403);
    if (result === 'no-seat') return refuse('LICENCE_LIMIT', 400);
    return settle(result, result === 'changed' ? httpStatus : 400);
  };
  return {
    findUsers: async (query) => rules.findActive(cloud, query, { limit: 1000, byAddress: true }).map(jiraUser),
    findUser: async (accountId) => {
      const user = seen(accountId);
      return user && { ...jiraUser(user), products: user.products.filter((product) => product.startsWith('jira-')) };
    },
    findUsersById: async (accountIds) => accountIds.flatMap((accountId) => seen(accountId) ?? []).map(jiraUser),
    listUsers: async (startAt) => {
      const everybody = cloud.everybody().flatMap(({ accountId }) => seen(accountId) ?? []);
      return everybody.slice(startAt, startAt + 1_000).map(jiraUser);
    },
    // Most tests have no need of them: then it is somebody besides.
    findMyself: async () => {
      const [user] = cloud.withEmail(email, 'jira');
      return user ? jiraUser(user) : { accountId: 'token-owner', active: true, emailAddress: email };
    },
    listMembers: async (groupId, startAt) => {
      if (!cloud.group(groupId)) return undefined;
      const all = [...cloud.membersOf(groupId, 'jira')].filter(
        (accountId) => cloud.user(accountId, 'jira')?.membershipStatus === 'active',
      );
      return membersPage(all, startAt);
    },
    findGroupsOfUser: async (accountId) => seen(accountId) && cloud.groupsOf(accountId, 'jira').map(jiraGroup),
    findGroupsByName: async (names) => names.flatMap(cloud.groupsNamed).map(jiraGroup),
    findGroupsById: async (groupIds) => groupIds.flatMap((groupId) => cloud.group(groupId) ?? []).map(jiraGroup),
    pickGroups: async (text) =>
      [...cloud.everyGroup()].filter(({ name }) => name.toLowerCase().includes(text.toLowerCase())).map(jiraGroup),
    addToGroup: async (member) => membership(rules.joinGroup(cloud, ...named(member)), 201),
    removeFromGroup: async (member) => membership(rules.leaveGroup(cloud, ...named(member)), 200),
    createUser: async ({ emailAddress, products }) => {
      const created = rules.createUser(cloud, emailAddress, products);
      if (created.result === 'no-seat') return refuse('LICENCE_LIMIT', 400);
      if (created.result === 'no-product') return refuse('REQUEST_REFUSED', 400);
      // 201 is also the answer for one who has access already.
      return { ...settle(created.result, 201), status: 'changed', accountId: created.user.accountId };
    },
  };
}

function organisationOf(cloud: CloudState, { settle }: Watch): Organisation {
  const side = 'organisation';
  const byId = (accountIds: readonly string[]): readonly User[] =>
    accountIds.flatMap((accountId) => cloud.user(accountId, side) ?? []);
  const shown =
    (groups: boolean) =>
    (user: User): OrganisationUser => ({
      accountId: user.accountId,
      email: user.email,
      accountStatus: user.accountStatus,
      membershipStatus: user.membershipStatus,
      claimStatus: user.claimStatus,
      managementSource: user.managementSource ?? undefined,
      ...(groups ? { groupIds: cloud.groupsOf(user.accountId, side).map(({ groupId }) => groupId) } : {}),
    });
  const changeAccess = (accountId: string, wanted: 'active' | 'suspended'): Answer => {
    const user = rules.directoryUser(cloud, accountId) ?? refuse('USER_NOT_FOUND', 404);
    const result = rules.changeAccess(cloud, user, wanted);
    return result === 'no-seat' ? refuse('LICENCE_LIMIT', 409) : settle(result, 204);
  };
  return {
    findUsersByEmail: async (emails, { groups }) =>
      [...new Set(emails.flatMap((email) => cloud.withEmail(email, side)))].map(shown(groups)),
    findUsersById: async (accountIds, { groups }) => byId(accountIds).map(shown(groups)),
    findUsersByProduct: async (product, emails) =>
      emails
        .flatMap((email) => cloud.withEmail(email, side))
        .filter(({ products }) => products.includes(product))
        .map(shown(false)),
    findAdmins: async () =>
      cloud
        .everybody()
        .filter(({ orgAdmin, siteAdmin }) => orgAdmin === true || siteAdmin === true)
        .map(shown(false)),
    findAdminGroups: async () =>
      [...cloud.everyGroup()].filter(({ roles }) => roles.some((role) => ADMIN_ROLES.has(role))).map(directoryGroup),
    findUsersByGroup: async (groupId) => byId([...cloud.membersOf(groupId, side)]).map(shown(false)),
    countActiveUsers: async () => cloud.everybody().filter(isActive).length,
    findGroupsByName: async (names) => rules.directoryGroups(cloud, names).map(directoryGroup),
    findGroupsById: async (groupIds) => groupIds.flatMap((groupId) => cloud.group(groupId) ?? []).map(directoryGroup),
    listVerifiedDomains: async () =>
      cloud.organisation.domains.filter(({ status }) => status === 'verified').map(({ name }) => name.toLowerCase()),
    suspend: async (accountId) => changeAccess(accountId, 'suspended'),
    restore: async (accountId) => changeAccess(accountId, 'active'),
    invite: async ({ email, products }) => {
      const { result } = rules.invite(cloud, email, products);
      if (result === 'no-seat') return refuse('LICENCE_LIMIT', 200);
      if (result === 'inactive') return refuse('REQUEST_REFUSED', 200);
      return { ...settle(result, 200), status: 'changed' };
    },
  };
}

function userManagementOf(cloud: CloudState, { settle }: Watch): UserManagement {
  const managed = (accountId: string): User => {
    const user = cloud.user(accountId);
    if (!user || user.accountStatus === 'closed') return refuse('USER_NOT_FOUND', 404);
    return user.claimStatus === 'managed' ? user : refuse('USER_NOT_MANAGED', 403);
  };
  const changeLifecycle = (accountId: string, wanted: 'active' | 'inactive'): Answer => {
    const result = rules.changeLifecycle(cloud, managed(accountId), wanted);
    if (result === 'locked') return refuse('SCIM_MANAGED', 403);
    if (result === 'for-deletion') return refuse('REQUEST_REFUSED', 409);
    return settle(result, result === 'changed' ? 204 : 409);
  };
  return {
    findProfile: async (accountId) => {
      const user = cloud.user(accountId) && cloud.user(managed(accountId).accountId, 'userManagement');
      return user && { email: user.email, accountStatus: user.accountStatus };
    },
    setEmail: async (accountId, email) => {
      const result = rules.changeEmail(cloud, managed(accountId), email);
      if (result === 'locked') return refuse('SCIM_MANAGED', 403);
      if (result === 'unverified-domain') return refuse('DOMAIN_NOT_VERIFIED', 403);
      if (result === 'in-use') return refuse('EMAIL_IN_USE', 400);
      return settle(result, 204);
    },
    disable: async (accountId) => changeLifecycle(accountId, 'inactive'),
    enable: async (accountId) => changeLifecycle(accountId, 'active'),
  };
}

const ADMIN_ROLES: ReadonlySet<string> = new Set(['atlassian/org-admin', 'atlassian/site-admin']);

const jiraUser = (user: User): JiraUser => ({
  accountId: user.accountId,
  active: isActive(user),
  accountType: user.accountType,
  ...(user.emailHidden ? {} : { emailAddress: user.email }),
});

const jiraGroup = ({ groupId, name }: Group): PortGroup => ({ groupId, name });

const directoryGroup = ({ groupId, name, externalSynced }: Group): PortGroup => ({
  groupId,
  name,
  external: externalSynced,
});
