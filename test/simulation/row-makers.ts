import { fakeCloud, type FakePerson } from '../fakes/atlassian-cloud.ts';
import { fakeDataCenter, type FakeDataCenterUser } from '../fakes/atlassian-data-center.ts';
import type { FakeLag } from '../fakes/atlassian-watch.ts';
import { takenFrom, type Place, type SimulatedOperation } from './planned-rows.ts';

export type AnySite = CloudSite | DataCenterSite;
type CloudSite = ReturnType<typeof fakeCloud> & { readonly type: 'cloud' };
type DataCenterSite = ReturnType<typeof fakeDataCenter> & { readonly type: 'data-center' };

const GROUPS = [
  { groupId: 'g-1', name: 'developers' },
  { groupId: 'g-2', name: 'synced', external: true },
] as const;

/** What one operation makes of a planned row. */
export interface Maker {
  readonly operation: string;
  readonly header: readonly string[];
  readonly cells: (place: Place) => readonly string[];
  /** The call that makes the row's change: its name and arguments. */
  readonly write: (place: Place) => readonly unknown[];
  /** What somebody else may do about the same subject, against the row. */
  readonly against: (place: Place) => readonly unknown[];
  /** Whether the row names its person by an address that they have given up already. */
  readonly isOutdated?: (place: Omit<Place, 'isOutdated'>) => boolean;
  /** Absent for a person who does not exist beforehand. */
  readonly person?: (place: Place) => Partial<FakePerson> | undefined;
  readonly user?: (place: Place) => Partial<FakeDataCenterUser> | undefined;
  readonly holds: (site: AnySite, place: Place) => boolean;
}

const accountId = (index: number): string => `acc-${index}`;
const email = (index: number): string => `p${index}@acme.example`;
const elsewhere = (index: number): string => `else${index}@acme.example`;
const username = (index: number): string => `user${index}`;

const person = (site: AnySite, index: number) =>
  site.type === 'cloud' ? site.state.users.get(accountId(index)) : undefined;
const user = (site: AnySite, index: number) =>
  site.type === 'data-center' ? site.state.users.get(username(index)) : undefined;

/** By id in every other row, by address in the rest; nobody has the address of an unknown one. */
const who = ({ kind, ...place }: Place): readonly [string, string] => {
  if (kind === 'invalid') return ['', 'no address'];
  if (kind === 'unknown') return ['', `nobody${place.index}@acme.example`];
  return isById(place) ? [accountId(place.index), ''] : ['', email(place.index)];
};
const isById = ({ index, respelt = false }: Pick<Place, 'index' | 'respelt'>): boolean => (index % 2 === 0) !== respelt;

const whoByName = ({ index, kind }: Place): string =>
  kind === 'invalid' ? 'no\u0001text' : kind === 'unknown' ? `nobody${index}` : username(index);

const inGroup = (place: Place): boolean => place.index % 3 !== 0;
const action = (place: Place): string => (inGroup(place) === place.isOpposed ? 'remove' : 'add');
const isExternal = ({ kind }: Place): boolean => kind === 'external';
const already = ({ kind }: Place): boolean => kind === 'already';

function newEmail(place: Place): string {
  const from = takenFrom(place);
  return from === undefined ? `new${place.index}@acme.example` : email(from);
}

const OPPOSITES: Readonly<Record<string, string>> = {
  'organisation.suspend': 'organisation.restore',
  'organisation.restore': 'organisation.suspend',
  'userManagement.disable': 'userManagement.enable',
  'userManagement.enable': 'userManagement.disable',
};

const callAbout = (call: string, index: number): readonly unknown[] =>
  call.endsWith('disable') ? [call, accountId(index), undefined] : [call, accountId(index)];

const statusMaker = (
  operation: string,
  field: 'membershipStatus' | 'accountStatus',
  wanted: string,
  other: string,
  call: string,
): Maker => ({
  operation,
  header: ['User id', 'email'],
  cells: who,
  write: ({ index }) => callAbout(call, index),
  against: ({ index }) => callAbout(OPPOSITES[call] ?? call, index),
  person: (place) => ({ [field]: already(place) ? wanted : other }),
  holds: (site, { index }) => person(site, index)?.[field] === wanted,
});

const memberOf = (place: Place) => ({
  groupId: isExternal(place) ? 'g-2' : 'g-1',
  accountId: accountId(place.index),
});
const [ADD, REMOVE] = ['dataCenter.addToGroup', 'dataCenter.removeFromGroup'];
const memberOnDataCenter = ({ index }: Place) => ({ group: 'developers', username: username(index) });

const invitation = ({ index }: Place) => [
  'jira.createUser',
  { emailAddress: email(index), products: ['jira-software'] },
];
const newUser = ({ index }: Place) => [
  'dataCenter.createUser',
  { username: username(index), emailAddress: email(index), displayName: `User ${index}` },
];

/** One for each operation. */
export const MAKERS: Readonly<Record<SimulatedOperation, Maker>> = {
  membership: {
    operation: 'membership',
    header: ['User id', 'email', 'Group name', 'action'],
    cells: (place) => [...who(place), isExternal(place) ? 'synced' : 'developers', action(place)],
    write: (place) => [inGroup(place) ? 'jira.addToGroup' : 'jira.removeFromGroup', memberOf(place)],
    against: (place) => [inGroup(place) ? 'jira.removeFromGroup' : 'jira.addToGroup', memberOf(place)],
    person: (place) => {
      const group = isExternal(place) ? 'g-2' : 'g-1';
      return { groupIds: inGroup(place) === already(place) ? [group] : [] };
    },
    holds: (site, place) => {
      const member = person(site, place.index)?.groupIds.includes(isExternal(place) ? 'g-2' : 'g-1');
      return member === inGroup(place);
    },
  },
  creation: {
    operation: 'creation',
    header: ['email', 'products'],
    cells: ({ index, kind }) => [kind === 'invalid' ? 'no address' : email(index), 'jira-software'],
    write: invitation,
    against: invitation,
    person: (place) =>
      already(place) ? { products: ['jira-software'] } : place.index % 2 === 0 ? { products: [] } : undefined,
    holds: (site, { index }) =>
      site.type === 'cloud' &&
      [...site.state.users.values()].some(
        (one) => one.email === email(index) && one.products.includes('jira-software'),
      ),
  },
  'email-change': {
    operation: 'email-change',
    header: ['User id', 'old_email', 'new_email'],
    // The old address stands in each row, so that it is known which row frees what.
    cells: (place) => [who(place)[0], who(place)[1] || email(place.index), newEmail(place)],
    write: (place) => ['userManagement.setEmail', accountId(place.index), newEmail(place)],
    against: ({ index }) => ['userManagement.setEmail', accountId(index), elsewhere(index)],
    person: (place) => (already(place) ? { email: newEmail(place) } : {}),
    isOutdated: (place) => place.kind === 'already' && !isById(place),
    holds: (site, place) => person(site, place.index)?.email === newEmail(place),
  },
  suspend: statusMaker('suspend', 'membershipStatus', 'suspended', 'active', 'organisation.suspend'),
  restore: statusMaker('restore', 'membershipStatus', 'active', 'suspended', 'organisation.restore'),
  deactivate: statusMaker('deactivate', 'accountStatus', 'inactive', 'active', 'userManagement.disable'),
  reactivate: statusMaker('reactivate', 'accountStatus', 'active', 'inactive', 'userManagement.enable'),
  'data-center/membership': {
    operation: 'membership',
    header: ['username', 'groupname', 'action'],
    cells: (place) => [whoByName(place), 'developers', action(place)],
    write: (place) => [inGroup(place) ? ADD : REMOVE, memberOnDataCenter(place)],
    against: (place) => [inGroup(place) ? REMOVE : ADD, memberOnDataCenter(place)],
    user: (place) => ({ groups: inGroup(place) === already(place) ? ['developers'] : [] }),
    holds: (site, place) => user(site, place.index)?.groups.includes('developers') === inGroup(place),
  },
  'data-center/creation': {
    operation: 'creation',
    header: ['username', 'email', 'displayName'],
    cells: ({ index, kind }) => [kind === 'invalid' ? '' : username(index), email(index), `User ${index}`],
    write: newUser,
    against: newUser,
    user: (place) => (already(place) ? {} : undefined),
    holds: (site, { index }) => user(site, index)?.emailAddress === email(index),
  },
  'data-center/email-change': {
    operation: 'email-change',
    header: ['username', 'new_email'],
    cells: (place) => [whoByName(place), newEmail(place)],
    write: (place) => ['dataCenter.updateUser', username(place.index), { emailAddress: newEmail(place) }],
    against: ({ index }) => ['dataCenter.updateUser', username(index), { emailAddress: elsewhere(index) }],
    user: (place) => (already(place) ? { emailAddress: newEmail(place) } : {}),
    holds: (site, place) => user(site, place.index)?.emailAddress === newEmail(place),
  },
  'data-center/suspend': {
    operation: 'suspend',
    header: ['username'],
    cells: (place) => [whoByName(place)],
    write: ({ index }) => ['dataCenter.updateUser', username(index), { active: false }],
    against: ({ index }) => ['dataCenter.updateUser', username(index), { active: true }],
    user: (place) => ({ active: !already(place) }),
    holds: (site, { index }) => user(site, index)?.active === false,
  },
};

/** The same Atlassian each time: as it is before the rows in these places are applied. */
export function siteOf(name: SimulatedOperation, maker: Maker, places: readonly Place[]): (lag?: FakeLag) => AnySite {
  const own = places.filter((place, index) => place.index === index);
  if (name.startsWith('data-center/')) {
    const users = own.flatMap((place) => {
      const given = place.kind === 'unknown' ? undefined : maker.user?.(place);
      return given ? [{ username: username(place.index), emailAddress: email(place.index), ...given }] : [];
    });
    return (lag) => ({ type: 'data-center', ...fakeDataCenter({ users, groups: ['developers'], lag }) });
  }
  const users = own.flatMap((place) => {
    const given = place.kind === 'unknown' ? undefined : maker.person?.(place);
    return given ? [{ accountId: accountId(place.index), email: email(place.index), ...given }] : [];
  });
  return (lag) => ({ type: 'cloud', ...fakeCloud({ users, groups: GROUPS, lag }) });
}

/** Whom a call is about, by what names them in it. */
export function subjectOf([, about]: readonly unknown[]): string {
  if (typeof about === 'string') return about;
  const named = about as Readonly<Record<'accountId' | 'username' | 'emailAddress', string | undefined>>; // arguments of the makers' calls
  return named.accountId ?? named.username ?? named.emailAddress ?? '';
}
