import { createDataCenter, type DataCenterState } from '../../local/atlassian/engine/data-center.ts';
import { type DataCenterUser as EngineUser, stateSchema } from '../../local/atlassian/engine/state.ts';
import type { Answer, DataCenter, DataCenterUser } from '../../shared/atlassian/apis.ts';
import type { DataCenterMethods } from '../../shared/atlassian/data-center.ts';
import { createDataCenterListings, createListingCache, type ListingOptions } from '../../shared/atlassian/listings.ts';
import type { DataCenterTarget } from '../../shared/target.ts';
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

export interface FakeDataCenterUser {
  readonly username: string;
  readonly emailAddress: string;
  readonly displayName?: string;
  readonly active?: boolean;
  readonly groups?: readonly string[];
}

export interface FakeDataCenterOptions {
  readonly users?: readonly FakeDataCenterUser[];
  readonly groups?: readonly string[];
  /** The username behind the token. */
  readonly owner?: string;
  /** An older server, which changes everything but `active`. */
  readonly ignoresActive?: boolean;
  readonly intercept?: Intercept;
  readonly lag?: FakeLag | undefined;
  /** A server before user/list, whose search shows the first hundred. */
  readonly older?: boolean;
  readonly listings?: ListingOptions | undefined;
}

export interface FakeDataCenter {
  readonly apis: DataCenter;
  /** How things are now, by username in lower case, whatever the reads show. */
  readonly state: { readonly users: ReadonlyMap<string, Required<FakeDataCenterUser>> };
  /** Every call that reached the fake, in order. */
  readonly calls: readonly FakeCall[];
}

/** A Jira Data Center in memory: the simulator's engine behind the port. */
export function fakeDataCenter(options: FakeDataCenterOptions = {}): FakeDataCenter {
  const { users = [], groups = [], owner = 'owner', lag, ...more } = options;
  const dataCenter = createDataCenter(
    stateSchema.shape.dataCenter.parse({
      credentials: [{ token: TARGET.token, username: owner }],
      users: users.map(({ groups: _groups, displayName, ...user }) => ({
        ...user,
        key: `key-${user.username.toLowerCase()}`,
        displayName: displayName ?? user.username,
      })),
      groups: groups.map((name) => ({
        name,
        members: users.filter((user) => user.groups?.includes(name)).map(({ username }) => username),
      })),
    }),
    enginePorts(lag),
  );
  const state = {
    get users() {
      const all = [...dataCenter.everybody()];
      return new Map(
        all.map(({ username, emailAddress, displayName, active }) => [
          username.toLowerCase(),
          { username, emailAddress, displayName, active, groups: dataCenter.groupsOf(username) },
        ]),
      );
    },
  };
  return { ...dataCenterPort(dataCenter, { ...more, target: TARGET }), state };
}

/** The port over an engine. */
export function dataCenterPort(
  dataCenter: DataCenterState,
  options: Pick<FakeDataCenterOptions, 'ignoresActive' | 'intercept' | 'older' | 'listings'> & {
    readonly target: DataCenterTarget;
  },
): Pick<FakeDataCenter, 'apis' | 'calls'> {
  const watch = createWatch(options.intercept);
  const { target, ignoresActive = false, older = false, listings } = options;
  const methods = watch.over('dataCenter.', methodsOf(dataCenter, { ignoresActive, older }, watch));
  return {
    apis: {
      target,
      ...methods,
      keep: askAlways,
      listings: listings && createDataCenterListings(methods, { ...listings, cache: createListingCache() }),
    },
    calls: watch.calls,
  };
}

const TARGET: DataCenterTarget = {
  type: 'data-center',
  name: 'jira',
  secretName: 'rollcall/jira',
  baseUrl: 'https://jira.acme.example/jira',
  token: 'fake-token',
};

function methodsOf(
  site: DataCenterState,
  { ignoresActive, older }: { readonly ignoresActive: boolean; readonly older: boolean },
  { settle }: Watch,
): DataCenterMethods {
  const named = ({ group, username }: { readonly group: string; readonly username: string }) =>
    [
      site.group(group) ?? refuse('GROUP_NOT_FOUND', 404),
      site.user(username) ?? refuse('USER_NOT_FOUND', 404),
    ] as const;
  const membership = (result: ReturnType<DataCenterState['joinGroup']>, httpStatus: number): Answer =>
    result === 'read-only' ? refuse('GROUP_EXTERNAL', 403) : settle(result, result === 'changed' ? httpStatus : 400);
  return {
    findMyself: async () => {
      const username = site.credentials[0]?.username ?? '';
      const user = site.user(username, 'dataCenter');
      return user ? userOf(user) : { username, active: true };
    },
    listUsers: async (cursor = '0') => {
      if (older) return undefined;
      const next = Number(cursor) + 2_000;
      const all = [...site.everybody()];
      const isLast = next >= all.length;
      return { users: all.slice(Number(cursor), next).map(userOf), next: isLast ? undefined : String(next) };
    },
    findUsers: async (query, startAt) => {
      const begins = (text: string): boolean => text.toLowerCase().startsWith(query.toLowerCase());
      const all = [...site.everybody()].filter(
        ({ username, emailAddress }) => query === '.' || begins(username) || begins(emailAddress),
      );
      return all.slice(0, 100).slice(startAt).map(userOf);
    },
    listMembers: async (group, startAt) => {
      const all = site.membersOf(group, 'dataCenter').map(({ username }) => username);
      return site.group(group) ? membersPage(all, startAt) : undefined;
    },
    findUser: async (username) => {
      const user = site.user(username, 'dataCenter');
      return user && { ...userOf(user), groups: site.groupsOf(username, 'dataCenter') };
    },
    pickGroups: async (text) => ({
      names: [...site.everyGroup()]
        .map(({ name }) => name)
        .filter((name) => name.toLowerCase().includes(text.toLowerCase())),
      isWhole: true,
    }),
    hasGroup: async (name) => site.group(name) !== undefined,
    addToGroup: async (member) => membership(site.joinGroup(...named(member)), 201),
    removeFromGroup: async (member) => membership(site.leaveGroup(...named(member)), 200),
    createUser: async (user) => {
      const created = site.createUser({ ...user, active: true, applicationKeys: [] });
      return created === 'username-taken' ? refuse('CHANGED_SINCE_PLAN', 400) : settle('changed', 201);
    },
    updateUser: async (username, { active, ...change }) => {
      const user = site.user(username) ?? refuse('USER_NOT_FOUND', 404);
      const honoured = active !== undefined && !ignoresActive ? { active } : {};
      const result = site.updateUser(user, { ...change, ...honoured });
      if (result === 'read-only') return refuse('SCIM_MANAGED', 403);
      const answer = settle(result, 200);
      const ignored = active !== undefined && ignoresActive && active !== user.active;
      return ignored ? refuse('REQUEST_REFUSED', 200) : { ...answer, status: 'changed' };
    },
  };
}

const userOf = ({ username, key, emailAddress, active }: EngineUser): DataCenterUser => ({
  username,
  key,
  emailAddress,
  active,
});
