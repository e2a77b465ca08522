import type { State } from '../../local/atlassian/engine/state.ts';

/** What a row was made to come to, if no fault comes in its way. */
export type Kind =
  | 'due'
  | 'done'
  /** Its person is not there. */
  | 'unknown'
  /** Atlassian refuses the write. */
  | 'refused'
  | 'invalid'
  | 'contradiction'
  | 'repeat';

/** A row of a chaos round's manifest, and how to tell from the simulator's state whether its wish holds. */
export interface ErrandRow {
  readonly cells: readonly string[];
  readonly kind: Kind;
  /** What its write is about, as the simulator names it; absent where no write can be. */
  readonly thing?: string | undefined;
  readonly holds: (people: People) => boolean;
}

/** One operation on one target: a manifest and the state that it meets. */
export interface Errand {
  readonly target: 'cloud' | 'data-center';
  readonly operation: string;
  readonly header: readonly string[];
  readonly rows: readonly ErrandRow[];
  readonly state: State;
  /** Accounts that every write of is refused. */
  readonly refused: readonly string[];
}

type CloudUser = State['cloud']['users'][number];
type DataCenterUser = State['dataCenter']['users'][number];

/** A state of the simulator, by what rows name. */
export interface People {
  readonly byId: (accountId: string) => CloudUser | undefined;
  readonly byEmail: (email: string) => CloudUser | undefined;
  readonly isMember: (groupName: string, accountId: string) => boolean;
  readonly byUsername: (username: string) => DataCenterUser | undefined;
  readonly isDataCenterMember: (groupName: string, username: string) => boolean;
}

export function peopleIn({ cloud, dataCenter }: State): People {
  const ids = new Map(cloud.users.map((user) => [user.accountId, user]));
  const emails = new Map(cloud.users.map((user) => [user.email.toLowerCase(), user]));
  const groups = new Map(cloud.groups.map(({ name, members }) => [name, new Set(members)]));
  const usernames = new Map(dataCenter.users.map((user) => [user.username, user]));
  const dataCenterGroups = new Map(dataCenter.groups.map(({ name, members }) => [name, new Set(members)]));
  return {
    byId: (accountId) => ids.get(accountId),
    byEmail: (email) => emails.get(email.toLowerCase()),
    isMember: (group, accountId) => groups.get(group)?.has(accountId) ?? false,
    byUsername: (username) => usernames.get(username),
    isDataCenterMember: (group, username) => dataCenterGroups.get(group)?.has(username) ?? false,
  };
}
