import type { Cloud, DataCenter, DataCenterUser, Listings, MembersPage, OrganisationUser } from '../atlassian/apis.ts';
import { watchPages } from '../atlassian/pages.ts';
import { inParallel } from '../in-parallel.ts';
import { quoted, type UsernameReference } from './columns.ts';
import { noSuchUser } from './find-people.ts';
import { type Finding, found, lookUpEach, refused, whenFound } from './finding.ts';

/** Somebody, with the groups that a look-up listed of them, and a group that they are to join or to leave. */
export interface Pair {
  readonly person: OrganisationUser;
  readonly group: { readonly groupId: string };
  readonly removes: boolean;
}

/**
 * Whether each person is in the group. The organisation lists the groups of one directory: a group in the list proves it, one that
 * is not there proves nothing. To add somebody again does no harm; whether a removal is needed Jira says, by the group's members
 * where many are asked about, or person by person.
 */
export async function findMembers(
  pairs: readonly Pair[],
  { jira, listings }: Cloud,
  signal: AbortSignal,
): Promise<(pair: Pair) => Finding<boolean>> {
  const unproven = pairs.filter((pair) => proven(pair) === undefined);
  const membersOf = await listMembers(unproven.map(groupIdOf), { listings, of: pairs.length }, signal);
  const listed = (pair: Pair): boolean | undefined => {
    const isMember = membersOf(groupIdOf(pair))?.has(pair.person.accountId);
    return isMember === false && !hasAccess(pair.person) ? undefined : isMember; // Jira's list leaves out whoever is suspended
  };
  const groupsOf = await lookUpEach(
    unproven.filter((pair) => listed(pair) === undefined).map(({ person }) => person.accountId),
    (accountId) => accountId,
    async (accountId, until) => {
      const groups = await jira.findGroupsOfUser(accountId, until);
      return groups ? found(groups) : refused('USER_NOT_FOUND', `Jira has no account ${quoted(accountId)}.`);
    },
    signal,
  );
  return (pair) => {
    const known = proven(pair) ?? listed(pair);
    if (known !== undefined) return found(known);
    return whenFound(groupsOf(pair.person.accountId), (groups) =>
      found(groups.some(({ groupId }) => groupId === groupIdOf(pair))),
    );
  };
}

/** What the organisation's list proves, as far as the row needs a proof. */
function proven({ person: { groupIds }, group, removes }: Pair): boolean | undefined {
  const isMember = groupIds?.includes(group.groupId);
  return isMember === false && removes ? undefined : isMember;
}

const groupIdOf = ({ group }: Pair): string => group.groupId;

const hasAccess = ({ active, accountStatus, membershipStatus }: OrganisationUser): boolean =>
  active ?? (accountStatus === 'active' && membershipStatus === 'active');

/** Groups whose members are read at once. */
const LISTS_AT_ONCE = 4;

/** The members of those groups that are worth a list: `groups` names each as often as a row asks about it, of so many rows. */
async function listMembers(
  groups: readonly string[],
  { listings, of }: { readonly listings: Pick<Listings<never>, 'findMembers'> | undefined; readonly of: number },
  signal: AbortSignal,
): Promise<(group: string) => ReadonlySet<string> | undefined> {
  const lists = new Map<string, ReadonlySet<string>>();
  if (!listings) return () => undefined;
  await inParallel([...Map.groupBy(groups, (group) => group)], LISTS_AT_ONCE, async ([group, { length: asked }]) => {
    const members = await listings.findMembers(group, { asked, of }, signal);
    if (members) lists.set(group, members);
  });
  return (group) => lists.get(group);
}

/** A user of Data Center as a row names them, and the group that the row is about. */
export type UsernamePair = UsernameReference & { readonly group: string };

/** A user of Data Center, and whether they are in the group. */
export interface DataCenterMember {
  readonly user: DataCenterUser;
  readonly member: boolean;
}

/** The users of Data Center pairs: by lists of users and members where many are asked about, else each by a call that tells their groups, too; a list of those that is not whole proves nothing, and the group's members are asked for. */
export async function findUsersInGroups(
  pairs: readonly UsernamePair[],
  { findUser, listMembers: readPage, listings }: DataCenter,
  signal: AbortSignal,
): Promise<(pair: UsernamePair) => Finding<DataCenterMember>> {
  const users = await listings?.findUsers(signal);
  const listedUser = ({ username }: UsernamePair): DataCenterUser | undefined => users?.find(username);
  const groups = pairs.filter(listedUser).map(({ group }) => group);
  const membersOf = await listMembers(groups, { listings, of: pairs.length }, signal);
  const listed = (pair: UsernamePair): Finding<DataCenterMember> | undefined => {
    const user = listedUser(pair);
    if (!user) return users?.isWhole ? noSuchUser(pair) : undefined;
    const members = membersOf(pair.group);
    return members && found({ user, member: members.has(user.username.toLowerCase()) });
  };
  const userOf = await lookUpEach(
    pairs.filter((pair) => !listed(pair)),
    nameOf,
    async (pair, until) => {
      const user = await findUser(pair.username, until);
      return user ? found(user) : noSuchUser(pair);
    },
    signal,
  );
  const isUntold = (pair: UsernamePair): boolean => {
    const user = listed(pair) ? undefined : userOf(pair);
    return user?.kind === 'found' && user.value.groups === undefined;
  };
  const namesOf = await lookUpEach(
    pairs.filter(isUntold),
    ({ group }) => group.toLowerCase(),
    async ({ group }, until) => {
      const members = (await readMembers('dcGroupMembers', (startAt) => readPage(group, startAt, until))) ?? [];
      return found(new Set(members.map((name) => name.toLowerCase())));
    },
    signal,
  );
  return (pair) =>
    listed(pair) ??
    whenFound(userOf(pair), (user) =>
      user.groups
        ? found({ user, member: isIn(user.groups, pair.group) })
        : whenFound(namesOf(pair), (names) => found({ user, member: names.has(user.username.toLowerCase()) })),
    );
}

const nameOf = ({ username }: UsernamePair): string => username.toLowerCase();

/** Data Center compares the names of groups without case. */
const isIn = (groups: readonly string[], group: string): boolean =>
  groups.some((name) => name.toLowerCase() === group.toLowerCase());

/** All members, page by page; `undefined` where there is no such group. */
export async function readMembers(
  call: 'groupMembers' | 'dcGroupMembers',
  readPage: (startAt: number) => Promise<MembersPage | undefined>,
): Promise<readonly string[] | undefined> {
  const found: string[] = [];
  const check = watchPages<string>({ call, idOf: (member) => member });
  for (;;) {
    const page = await readPage(found.length);
    if (!page) return found.length > 0 ? found : undefined;
    found.push(...page.members);
    const ends = page.isLast === true || page.members.length === 0;
    check(page.members, ends);
    if (ends) return found;
  }
}
