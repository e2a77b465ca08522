import { createDataCenter, type DataCenterState } from '../../local/atlassian/engine/data-center.ts';
import { stateSchema } from '../../local/atlassian/engine/state.ts';
import type { Answer, DataCenter } from '../../shared/atlassian/apis.ts';
import type { DataCenterTarget } from '../../shared/target.ts';
import {
  createWatch,
  enginePorts,
  type FakeCall,
  type FakeLag,
  type Intercept,
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
  /** An older server, which changes everything but `active`. */
  readonly ignoresActive?: boolean;
  readonly intercept?: Intercept;
  readonly lag?: FakeLag | undefined;
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
  const { users = [], groups = [], lag, ...more } = options;
  const dataCenter = createDataCenter(
    stateSchema.shape.dataCenter.parse({
      credentials: [],
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
  options: Pick<FakeDataCenterOptions, 'ignoresActive' | 'intercept'> & { readonly target: DataCenterTarget },
): Pick<FakeDataCenter, 'apis' | 'calls'> {
  const watch = createWatch(options.intercept);
  const methods = watch.over('dataCenter.', methodsOf(dataCenter, options.ignoresActive ?? false, watch));
  return { apis: { target: options.target, ...methods }, calls: watch.calls };
}

const TARGET: DataCenterTarget = {
  type: 'data-center',
  name: 'jira',
  baseUrl: 'https://jira.acme.example/jira',
  token: 'fake-token',
};

function methodsOf(site: DataCenterState, ignoresActive: boolean, { settle }: Watch): Omit<DataCenter, 'target'> {
  const named = ({ group, username }: { readonly group: string; readonly username: string }) =>
    [
      site.group(group) ?? refuse('GROUP_NOT_FOUND', 404),
      site.user(username) ?? refuse('USER_NOT_FOUND', 404),
    ] as const;
  const membership = (result: ReturnType<DataCenterState['joinGroup']>, httpStatus: number): Answer =>
    result === 'read-only' ? refuse('GROUP_EXTERNAL', 403) : settle(result, result === 'changed' ? httpStatus : 400);
  return {
    findUser: async (username) => {
      const user = site.user(username, 'dataCenter');
      return (
        user && {
          username: user.username,
          emailAddress: user.emailAddress,
          active: user.active,
          groups: site.groupsOf(username, 'dataCenter'),
        }
      );
    },
    groupExists: async (name) => site.group(name) !== undefined,
    addToGroup: async (member) => membership(site.joinGroup(...named(member)), 201),
    removeFromGroup: async (member) => membership(site.leaveGroup(...named(member)), 200),
    createUser: async (user) => {
      const created = site.createUser({ ...user, active: true, applicationKeys: [] });
      return created === 'username-taken' ? refuse('REQUEST_REFUSED', 400) : settle('changed', 201);
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
