import { createMemberships } from './memberships.ts';
import { createPropagation, type EnginePorts, type Propagation, type Side } from './propagation.ts';
import type { DataCenterRecord, DataCenterUser } from './state.ts';

export interface DataCenterGroup {
  readonly name: string;
  readonly readOnly: boolean;
}

/** One Jira Data Center. Usernames and the names of groups are compared without case (Crowd). */
export interface DataCenterState {
  readonly credentials: DataCenterRecord['credentials'];
  readonly user: (username: string, side?: Side) => DataCenterUser | undefined;
  readonly userByKey: (key: string, side?: Side) => DataCenterUser | undefined;
  readonly everybody: () => Iterable<DataCenterUser>;
  readonly group: (name: string) => DataCenterGroup | undefined;
  readonly everyGroup: () => Iterable<DataCenterGroup>;
  readonly membersOf: (group: string, side?: Side) => readonly DataCenterUser[];
  readonly memberCount: (group: string) => number;
  readonly groupsOf: (username: string, side?: Side) => readonly string[];
  readonly joinGroup: (group: DataCenterGroup, user: DataCenterUser) => 'changed' | 'unchanged' | 'read-only';
  readonly leaveGroup: (group: DataCenterGroup, user: DataCenterUser) => 'changed' | 'unchanged' | 'read-only';
  /** Adds a user, unless the username is somebody's. */
  readonly createUser: (user: NewDataCenterUser) => DataCenterUser | 'username-taken';
  /** Changes what is given. */
  readonly updateUser: (
    user: DataCenterUser,
    change: Partial<Pick<DataCenterUser, 'emailAddress' | 'displayName' | 'active'>>,
  ) => 'changed' | 'unchanged' | 'read-only';
  /** All of it, as it can be put back. */
  readonly record: () => DataCenterRecord;
}

export type NewDataCenterUser = Pick<
  DataCenterUser,
  'username' | 'emailAddress' | 'displayName' | 'active' | 'applicationKeys'
>;

export function createDataCenter(record: DataCenterRecord, ports: EnginePorts): DataCenterState {
  const past = createPropagation(ports);
  const members = createMemberships(past);
  const users = createUsers(past);
  const groups = new Map(record.groups.map(({ name, readOnly }) => [idOf(name), { name, readOnly }]));

  const changeMembership = ({ name, readOnly }: DataCenterGroup, { username }: DataCenterUser, wanted: boolean) => {
    const id = idOf(username);
    if (members.has(name, id) === wanted) return 'unchanged';
    if (readOnly) return 'read-only';
    members.set(name, id, wanted);
    return 'changed';
  };

  record.users.forEach(users.put);
  for (const { name, members: usernames } of record.groups)
    for (const username of usernames) members.set(name, idOf(username), true);
  past.begin();

  return {
    credentials: record.credentials,
    user: (username, side) => users.find(idOf(username), side),
    userByKey: users.byKey,
    everybody: users.all,
    group: (name) => groups.get(idOf(name)),
    everyGroup: () => groups.values(),
    membersOf: (group, side) => [...members.membersOf(group, side)].flatMap((id) => users.find(id, side) ?? []),
    memberCount: members.count,
    groupsOf: (username, side) => members.groupIdsOf(idOf(username), side),
    joinGroup: (group, user) => changeMembership(group, user, true),
    leaveGroup: (group, user) => changeMembership(group, user, false),
    createUser: (user) => {
      if (users.find(idOf(user.username))) return 'username-taken';
      return users.put({ ...user, key: `JIRAUSER${ports.nextId()}`, readOnly: false });
    },
    updateUser: (user, change) => {
      if (user.readOnly) return 'read-only';
      const next = { ...user, ...change };
      const changed = JSON.stringify(next) !== JSON.stringify(user);
      if (changed) users.put(next);
      return changed ? 'changed' : 'unchanged';
    },
    record: () => ({
      ...record,
      users: [...users.all()],
      groups: [...groups.values()].map((group) => ({
        ...group,
        members: [...members.membersOf(group.name)].flatMap((id) => users.find(id)?.username ?? []),
      })),
    }),
  };
}

/** The users by their ids, which are their usernames in lower case. */
function createUsers(past: Propagation) {
  const users = new Map<string, DataCenterUser>();
  const idsByKey = new Map<string, string>();
  const find = (id: string, side?: Side): DataCenterUser | undefined => {
    const seen = side && past.seen(KIND + id, side);
    return seen ? (seen.before as DataCenterUser | undefined) : users.get(id); // remembered by put under this key
  };
  return {
    find,
    byKey: (key: string, side?: Side) => find(idsByKey.get(key) ?? '', side),
    all: () => users.values(),
    put: (user: DataCenterUser): DataCenterUser => {
      const id = idOf(user.username);
      past.remember(KIND + id, users.get(id));
      users.set(id, user);
      idsByKey.set(user.key, id);
      return user;
    },
  };
}

const KIND = 'user\n';

const idOf = (username: string): string => username.toLowerCase();
