import type { DataCenterRecord, DataCenterUser } from './model.ts';

/** One Jira Data Center. Usernames are compared without case, as Jira lower-cases them; group names to the letter. */
export type DataCenterState = ReturnType<typeof dataCenterState>;

export interface DataCenterGroup {
  readonly name: string;
  readonly readOnly: boolean;
}

export function dataCenterState(record: DataCenterRecord) {
  const users = new Map<string, DataCenterUser>();
  const usernamesByKey = new Map<string, string>();
  const groups = new Map<string, DataCenterGroup>();
  const members = new Map<string, Set<string>>();
  const groupsOf = new Map<string, readonly string[]>();

  const idOf = (username: string): string => username.toLowerCase();

  const putUser = (user: DataCenterUser): void => {
    users.set(idOf(user.username), user);
    usernamesByKey.set(user.key, user.username);
  };

  const setMember = (group: string, username: string, wanted: boolean): void => {
    const id = idOf(username);
    const others = (groupsOf.get(id) ?? []).filter((name) => name !== group);
    groupsOf.set(id, wanted ? [...others, group] : others);
    if (wanted) members.get(group)?.add(id);
    else members.get(group)?.delete(id);
  };

  for (const user of record.users) putUser(user);
  for (const { name, readOnly, members: usernames } of record.groups) {
    groups.set(name, { name, readOnly });
    members.set(name, new Set());
    for (const username of usernames) setMember(name, username, true);
  }

  return {
    credentials: record.credentials,
    user: (username: string): DataCenterUser | undefined => users.get(idOf(username)),
    userByKey: (key: string): DataCenterUser | undefined => users.get(idOf(usernamesByKey.get(key) ?? '')),
    putUser,
    group: (name: string): DataCenterGroup | undefined => groups.get(name),
    everyGroup: (): Iterable<DataCenterGroup> => groups.values(),
    isMember: (group: string, username: string): boolean => members.get(group)?.has(idOf(username)) ?? false,
    setMember,
    membersOf: (group: string): readonly DataCenterUser[] =>
      [...(members.get(group) ?? [])].flatMap((id) => users.get(id) ?? []),
    memberCount: (group: string): number => members.get(group)?.size ?? 0,
    groupsOf: (username: string): readonly string[] => groupsOf.get(idOf(username)) ?? [],
    record: (): DataCenterRecord => ({
      ...record,
      users: [...users.values()],
      groups: [...groups.values()].map((group) => ({
        ...group,
        members: [...(members.get(group.name) ?? [])].flatMap((id) => users.get(id)?.username ?? []),
      })),
    }),
  };
}
