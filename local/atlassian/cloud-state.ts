import { memberships } from './memberships.ts';
import type { CloudRecord, GroupRecord } from './model.ts';
import { people, type People } from './people.ts';
import type { Propagation, Side } from './propagation.ts';
import { seatCount, type SeatCount } from './seats.ts';

/** A group without its members, which are asked for by side. */
export type Group = Readonly<Omit<GroupRecord, 'members'>>;

/** One organisation with its site. Reads that name a side see what that side sees by now; the others see the present. */
export interface CloudState extends People {
  readonly organisation: CloudRecord['organisation'];
  readonly site: CloudRecord['site'];
  readonly credentials: CloudRecord['credentials'];
  readonly seats: SeatCount;
  readonly group: (groupId: string) => Group | undefined;
  readonly groupNamed: (name: string) => Group | undefined;
  readonly everyGroup: () => Iterable<Group>;
  readonly putGroup: (group: Group) => void;
  readonly isMember: (groupId: string, accountId: string, side?: Side) => boolean;
  readonly setMember: (groupId: string, accountId: string, wanted: boolean) => void;
  readonly memberCount: (groupId: string) => number;
  readonly membersOf: (groupId: string, side?: Side) => Iterable<string>;
  readonly groupsOf: (accountId: string, side?: Side) => readonly Group[];
  /** All of it, as it can be put back. */
  readonly record: () => CloudRecord;
}

export function cloudState(record: CloudRecord, past: Propagation): CloudState {
  const loaded = afterLoading(past);
  const seats = seatCount(record.licences);
  const everybody = people(loaded.past, seats);
  const members = memberships(loaded.past);
  const groups = new Map<string, Group>();
  const idsByName = new Map<string, string>();

  const putGroup = (group: Group): void => {
    groups.set(group.groupId, group);
    idsByName.set(group.name, group.groupId);
  };
  const groupsOf = (accountId: string, side?: Side): readonly Group[] =>
    members.groupIdsOf(accountId, side).flatMap((groupId) => groups.get(groupId) ?? []);

  for (const user of record.users) everybody.putUser(user);
  for (const { members: accountIds, ...group } of record.groups) {
    putGroup(group);
    for (const accountId of new Set(accountIds)) members.set(group.groupId, accountId, true);
  }
  loaded.done();

  return {
    ...everybody,
    organisation: record.organisation,
    site: record.site,
    credentials: record.credentials,
    seats,
    group: (groupId) => groups.get(groupId),
    groupNamed: (name) => groups.get(idsByName.get(name) ?? ''),
    everyGroup: () => groups.values(),
    putGroup,
    isMember: members.has,
    setMember: members.set,
    memberCount: members.count,
    membersOf: members.membersOf,
    groupsOf,
    record: () => ({
      ...record,
      users: [...everybody.everybody()],
      groups: [...groups.values()].map((group) => ({ ...group, members: [...members.membersOf(group.groupId)] })),
    }),
  };
}

/** What is loaded is not a change: nothing of it is remembered as one. */
function afterLoading(past: Propagation): { readonly past: Propagation; readonly done: () => void } {
  let loading = true;
  return {
    past: {
      ...past,
      remember: (key, before) => {
        if (!loading) past.remember(key, before);
      },
    },
    done: () => {
      loading = false;
    },
  };
}
