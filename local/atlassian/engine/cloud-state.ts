import { createMemberships } from './memberships.ts';
import { createPeople, type People } from './people.ts';
import { createPropagation, type EnginePorts, type Side } from './propagation.ts';
import type { CloudRecord, GroupRecord, User } from './state.ts';

/** A group without its members, which are asked for by side. */
export type Group = Readonly<Omit<GroupRecord, 'members'>>;

/**
 * One organisation with its site: what there is, whoever asks. Reads that name a side see what that side sees by now;
 * the others see the present.
 */
export interface CloudState extends Omit<People, 'put'> {
  readonly organisation: CloudRecord['organisation'];
  readonly site: CloudRecord['site'];
  readonly credentials: CloudRecord['credentials'];
  readonly ports: EnginePorts;
  readonly putUser: (user: User) => void;
  readonly group: (groupId: string) => Group | undefined;
  readonly groupsNamed: (name: string) => readonly Group[];
  readonly everyGroup: () => Iterable<Group>;
  readonly isMember: (groupId: string, accountId: string, side?: Side) => boolean;
  readonly setMember: (groupId: string, accountId: string, wanted: boolean) => void;
  readonly memberCount: (groupId: string) => number;
  readonly membersOf: (groupId: string, side?: Side) => Iterable<string>;
  readonly groupsOf: (accountId: string, side?: Side) => readonly Group[];
  /** Whether the organisation has this product at all. */
  readonly isLicensed: (product: string) => boolean;
  /** Those of the products that have no seat left. */
  readonly fullOf: (products: readonly string[]) => readonly string[];
  readonly isVerified: (domain: string) => boolean;
  /** All of it, as it can be put back. */
  readonly record: () => CloudRecord;
}

export function createCloud(record: CloudRecord, ports: EnginePorts): CloudState {
  const past = createPropagation(ports);
  const { put, ...people } = createPeople(past);
  const members = createMemberships(past);
  const seats = createSeats(record.licences);
  const groups = new Map(record.groups.map(({ members: _members, ...group }) => [group.groupId, group]));
  const groupsByName = Map.groupBy(groups.values(), ({ name }) => name);

  const putUser = (user: User): void => {
    const former = put(user);
    if (former) seats.count(former, -1);
    seats.count(user, 1);
  };

  for (const user of record.users) putUser(user);
  for (const { groupId, members: accountIds } of record.groups) {
    for (const accountId of new Set(accountIds)) members.set(groupId, accountId, true);
  }
  past.begin();

  return {
    ...people,
    putUser,
    organisation: record.organisation,
    site: record.site,
    credentials: record.credentials,
    ports,
    group: (groupId) => groups.get(groupId),
    groupsNamed: (name) => groupsByName.get(name) ?? [],
    everyGroup: () => groups.values(),
    isMember: members.has,
    setMember: members.set,
    memberCount: members.count,
    membersOf: members.membersOf,
    groupsOf: (accountId, side) => members.groupIdsOf(accountId, side).flatMap((groupId) => groups.get(groupId) ?? []),
    isLicensed: (product) => Object.hasOwn(record.licences, product),
    fullOf: seats.fullOf,
    isVerified: (domain) =>
      record.organisation.domains.some(
        ({ name, status }) => status === 'verified' && name.toLowerCase() === domain.toLowerCase(),
      ),
    record: () => ({
      ...record,
      users: [...people.everybody()],
      groups: [...groups.values()].map((group) => ({ ...group, members: [...members.membersOf(group.groupId)] })),
    }),
  };
}

/** How many people use each product, against how many may. */
function createSeats(licences: CloudRecord['licences']) {
  const used = new Map<string, number>();
  return {
    count: (user: User, by: 1 | -1): void => {
      // Suspended and deactivated people are not billed.
      if (!isActive(user)) return;
      for (const product of user.products) used.set(product, (used.get(product) ?? 0) + by);
    },
    fullOf: (products: readonly string[]): readonly string[] =>
      products.filter((product) => (licences[product] ?? Infinity) <= (used.get(product) ?? 0)),
  };
}

export const isActive = (user: User): boolean => user.accountStatus === 'active' && user.membershipStatus === 'active';
