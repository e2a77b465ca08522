import type { Answer, DataCenter, DataCenterUser } from '../../shared/atlassian/apis.ts';
import { Refusal } from '../../shared/atlassian/errors.ts';
import type { DataCenterTarget } from '../../shared/target.ts';
import { type FakeCall, type Intercept, watched } from './atlassian-watch.ts';

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
  /** An older server, which changes everything but `active`. */
  readonly ignoresActive?: boolean;
  readonly intercept?: Intercept;
}

export interface FakeDataCenter {
  readonly apis: DataCenter;
  readonly state: DataCenterState;
  /** Every call that reached the fake, in order. */
  readonly calls: readonly FakeCall[];
}

interface DataCenterState {
  /** By lower-cased username, as Jira compares them. */
  readonly users: Map<string, Required<FakeDataCenterUser>>;
  readonly groups: Set<string>;
}

/** A Jira Data Center in memory. */
export function fakeDataCenter(options: FakeDataCenterOptions = {}): FakeDataCenter {
  const { users = [], groups = [], ignoresActive = false, intercept } = options;
  const state: DataCenterState = {
    users: new Map(users.map((user) => [user.username.toLowerCase(), whole(user)])),
    groups: new Set(groups),
  };
  const calls: FakeCall[] = [];
  const site = dataCenterSite(state);
  const methods = watched('dataCenter.', methodsOf(site, ignoresActive), { calls, intercept, changes: site.changes });
  return { apis: { target: TARGET, ...methods }, state, calls };
}

const TARGET: DataCenterTarget = {
  type: 'data-center',
  name: 'jira',
  baseUrl: 'https://jira.acme.example/jira',
  token: 'fake-token',
};

type Site = ReturnType<typeof dataCenterSite>;

function dataCenterSite(state: DataCenterState) {
  let changes = 0;
  const put = (user: Required<FakeDataCenterUser>): void => {
    state.users.set(user.username.toLowerCase(), user);
    changes += 1;
  };
  return {
    state,
    put,
    changes: () => changes,
    user: (username: string) => state.users.get(username.toLowerCase()),
    setMember: (username: string, group: string, wanted: boolean): boolean => {
      if (!state.groups.has(group)) refuse('GROUP_NOT_FOUND', 404);
      const user = state.users.get(username.toLowerCase()) ?? refuse('USER_NOT_FOUND', 404);
      if (user.groups.includes(group) === wanted) return false;
      put({ ...user, groups: wanted ? [...user.groups, group] : user.groups.filter((name) => name !== group) });
      return true;
    },
  };
}

function methodsOf(site: Site, ignoresActive: boolean): Omit<DataCenter, 'target'> {
  return {
    findUser: async (username) => {
      const user = site.user(username);
      return user && shown(user);
    },
    groupExists: async (name) => site.state.groups.has(name),
    addToGroup: async ({ group, username }) =>
      site.setMember(username, group, true) ? answer('changed', 201) : answer('unchanged', 400),
    removeFromGroup: async ({ group, username }) =>
      site.setMember(username, group, false) ? answer('changed', 200) : answer('unchanged', 400),
    createUser: async (user) => {
      if (site.user(user.username)) refuse('REQUEST_REFUSED', 400);
      site.put(whole(user));
      return answer('changed', 201);
    },
    updateUser: async (username, change) => {
      const user = site.user(username) ?? refuse('USER_NOT_FOUND', 404);
      const next = { ...user, ...change, ...(ignoresActive ? { active: user.active } : {}) };
      if (change.active !== undefined && next.active !== change.active) refuse('REQUEST_REFUSED', 200);
      if (JSON.stringify(next) !== JSON.stringify(user)) site.put(next);
      return answer('changed', 200);
    },
  };
}

const whole = (user: FakeDataCenterUser): Required<FakeDataCenterUser> => ({
  displayName: user.username,
  active: true,
  groups: [],
  ...user,
});

const shown = ({ username, emailAddress, active, groups }: Required<FakeDataCenterUser>): DataCenterUser => ({
  username,
  emailAddress,
  active,
  groups,
});

const answer = (status: Answer['status'], httpStatus: number): Answer => ({ status, httpStatus });

function refuse(code: Refusal['code'], httpStatus: number): never {
  throw new Refusal(code, `The fake refuses with ${code}`, { httpStatus });
}
