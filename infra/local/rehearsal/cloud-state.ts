import type { CloudRecord, GroupRecord, User } from './model.ts';
import { prefixIndex, type PrefixIndex } from './prefix-index.ts';
import type { Propagation, Side } from './propagation.ts';
import { seatCount } from './seats.ts';

/** A group without its members, which are asked for by side. */
export type Group = Readonly<Omit<GroupRecord, 'members'>>;

/** One organisation with its site. Reads that name a side see what that side sees by now; the others see the present. */
export type CloudState = ReturnType<typeof cloudState>;

export function cloudState(record: CloudRecord, past: Propagation) {
  const users = new Map<string, User>();
  const idsByEmail = new Map<string, string>();
  const groups = new Map<string, Group>();
  const groupIdsByName = new Map<string, string>();
  const members = new Map<string, Set<string>>();
  const groupIdsOf = new Map<string, string[]>();
  const seats = seatCount(record.licences);
  // Built at the first search: most rehearsals never ask for one.
  let words: PrefixIndex | undefined;
  let inOrder: readonly User[] | undefined;
  let loading = true;

  const remember: Propagation['remember'] = (key, before) => {
    if (!loading) past.remember(key, before);
  };

  const userSeen = (accountId: string, side?: Side): User | undefined => {
    const seen = side && past.seen(`user/${accountId}`, side);
    return seen ? (seen.before as User | undefined) : users.get(accountId); // remembered by putUser under this key
  };

  const putUser = (user: User): void => {
    const present = users.get(user.accountId);
    remember(`user/${user.accountId}`, present);
    if (present) forgetUser(present);
    users.set(user.accountId, user);
    idsByEmail.set(user.email.toLowerCase(), user.accountId);
    seats.take(user);
    if (words) addWords(words, user);
    inOrder = undefined;
  };

  const forgetUser = (user: User): void => {
    seats.free(user);
    const email = user.email.toLowerCase();
    if (idsByEmail.get(email) === user.accountId) idsByEmail.delete(email);
  };

  const removeUser = (accountId: string): void => {
    const present = users.get(accountId);
    if (!present) return;
    for (const groupId of groupIdsOf.get(accountId) ?? []) setMember(groupId, accountId, false);
    remember(`user/${accountId}`, present);
    forgetUser(present);
    users.delete(accountId);
    inOrder = undefined;
  };

  const putGroup = (group: Group): void => {
    groups.set(group.groupId, group);
    groupIdsByName.set(group.name, group.groupId);
    if (!members.has(group.groupId)) members.set(group.groupId, new Set());
  };

  const removeGroup = (groupId: string): void => {
    for (const accountId of members.get(groupId) ?? []) setMember(groupId, accountId, false);
    groupIdsByName.delete(groups.get(groupId)?.name ?? '');
    groups.delete(groupId);
    members.delete(groupId);
  };

  const setMember = (groupId: string, accountId: string, wanted: boolean): void => {
    remember(`member/${groupId}/${accountId}`, !wanted);
    const mine = groupIdsOf.get(accountId) ?? [];
    if (wanted) {
      members.get(groupId)?.add(accountId);
      groupIdsOf.set(accountId, [...mine, groupId]);
    } else {
      members.get(groupId)?.delete(accountId);
      groupIdsOf.set(
        accountId,
        mine.filter((id) => id !== groupId),
      );
    }
  };

  const isMember = (groupId: string, accountId: string, side?: Side): boolean => {
    const seen = side && past.seen(`member/${groupId}/${accountId}`, side);
    return seen ? seen.before === true : (members.get(groupId)?.has(accountId) ?? false);
  };

  for (const user of record.users) putUser(user);
  for (const { members: accountIds, ...group } of record.groups) {
    putGroup(group);
    for (const accountId of new Set(accountIds)) setMember(group.groupId, accountId, true);
  }
  loading = false;

  return {
    organisation: record.organisation,
    site: record.site,
    credentials: record.credentials,
    seats,
    user: userSeen,
    putUser,
    removeUser,
    putGroup,
    removeGroup,
    setMember,
    isMember,

    byEmail: (email: string, side?: Side): User | undefined => {
      const wanted = email.toLowerCase();
      const present = userSeen(idsByEmail.get(wanted) ?? '', side);
      if (present?.email.toLowerCase() === wanted) return present;
      if (!side) return undefined;
      for (const key of past.pending(side)) {
        if (!key.startsWith('user/')) continue;
        const former = userSeen(key.slice('user/'.length), side);
        if (former?.email.toLowerCase() === wanted) return former;
      }
      return undefined;
    },

    /** Everybody, in the order in which they came. */
    everybody: (): readonly User[] => (inOrder ??= [...users.values()]),

    /** Those who have a word of their address or name that begins so, some who only had it among them. */
    byPrefix: (prefix: string): Iterable<string> => {
      if (!words) {
        words = prefixIndex();
        for (const user of users.values()) addWords(words, user);
      }
      return words.find(prefix);
    },

    group: (groupId: string): Group | undefined => groups.get(groupId),
    groupNamed: (name: string): Group | undefined => groups.get(groupIdsByName.get(name) ?? ''),
    everyGroup: (): Iterable<Group> => groups.values(),
    memberCount: (groupId: string): number => members.get(groupId)?.size ?? 0,

    membersOf: function* (groupId: string, side?: Side): Iterable<string> {
      for (const accountId of members.get(groupId) ?? []) if (isMember(groupId, accountId, side)) yield accountId;
      for (const accountId of formerly(`member/${groupId}/`, side)) {
        if (!members.get(groupId)?.has(accountId) && isMember(groupId, accountId, side)) yield accountId;
      }
    },

    groupsOf: (accountId: string, side?: Side): readonly Group[] => {
      const present = groupIdsOf.get(accountId) ?? [];
      const former = [...formerly('member/', side)]
        .filter((rest) => rest.endsWith(`/${accountId}`))
        .map((rest) => rest.slice(0, -accountId.length - 1));
      return [...new Set([...present, ...former])]
        .filter((groupId) => isMember(groupId, accountId, side))
        .flatMap((groupId) => groups.get(groupId) ?? []);
    },

    record: (): CloudRecord => ({
      ...record,
      users: [...users.values()],
      groups: [...groups.values()].map((group) => ({ ...group, members: [...(members.get(group.groupId) ?? [])] })),
    }),
  };

  /** The rests of the pending keys that begin so. */
  function* formerly(prefix: string, side: Side | undefined): Iterable<string> {
    if (!side) return;
    for (const key of past.pending(side)) if (key.startsWith(prefix)) yield key.slice(prefix.length);
  }
}

function addWords(index: PrefixIndex, { accountId, email, name }: User): void {
  index.add(email.toLowerCase(), accountId);
  for (const word of name.toLowerCase().split(/\s+/)) index.add(word, accountId);
}
