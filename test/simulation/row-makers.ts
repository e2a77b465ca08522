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
  readonly write: (place: Place) => readonly unknown[];
  /** Absent for a person who does not exist beforehand. */
  readonly person?: (place: Place) => Partial<FakePerson> | undefined;
  readonly user?: (place: Place) => Partial<FakeDataCenterUser> | undefined;
  readonly holds: (site: AnySite, place: Place) => boolean;
}

const accountId = (index: number): string => `acc-${index}`;
const email = (index: number): string => `p${index}@acme.example`;
const username = (index: number): string => `user${index}`;

const person = (site: AnySite, index: number) =>
  site.type === 'cloud' ? site.state.users.get(accountId(index)) : undefined;
const user = (site: AnySite, index: number) =>
  site.type === 'data-center' ? site.state.users.get(username(index)) : undefined;

/** By id in every other row, by address in the rest; nobody has the address of an unknown one. */
const who = ({ index, kind }: Place): readonly [string, string] => {
  if (kind === 'invalid') return ['', 'no address'];
  if (kind === 'unknown') return ['', `nobody${index}@acme.example`];
  return index % 2 === 0 ? [accountId(index), ''] : ['', email(index)];
};
const whoByName = ({ index, kind }: Place): string =>
  kind === 'invalid' ? 'no\u0001text' : kind === 'unknown' ? `nobody${index}` : username(index);

const inGroup = (place: Place): boolean => place.index % 3 !== 0;
const isExternal = ({ kind }: Place): boolean => kind === 'external';
const already = ({ kind }: Place): boolean => kind === 'already';

function newEmail(place: Place): string {
  const from = takenFrom(place);
  return from === undefined ? `new${place.index}@acme.example` : email(from);
}

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
  write: ({ index }) => (call.endsWith('disable') ? [call, accountId(index), undefined] : [call, accountId(index)]),
  person: (place) => ({ [field]: already(place) ? wanted : other }),
  holds: (site, { index }) => person(site, index)?.[field] === wanted,
});

/** One for each operation. */
export const MAKERS: Readonly<Record<SimulatedOperation, Maker>> = {
  membership: {
    operation: 'membership',
    header: ['User id', 'email', 'Group name', 'action'],
    cells: (place) => [...who(place), isExternal(place) ? 'synced' : 'developers', inGroup(place) ? 'add' : 'remove'],
    write: (place) => [
      inGroup(place) ? 'jira.addToGroup' : 'jira.removeFromGroup',
      { groupId: isExternal(place) ? 'g-2' : 'g-1', accountId: accountId(place.index) },
    ],
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
    write: ({ index }) => ['jira.createUser', { emailAddress: email(index), products: ['jira-software'] }],
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
    person: (place) => (already(place) ? { email: newEmail(place) } : {}),
    holds: (site, place) => person(site, place.index)?.email === newEmail(place),
  },
  suspend: statusMaker('suspend', 'membershipStatus', 'suspended', 'active', 'organisation.suspend'),
  restore: statusMaker('restore', 'membershipStatus', 'active', 'suspended', 'organisation.restore'),
  deactivate: statusMaker('deactivate', 'accountStatus', 'inactive', 'active', 'userManagement.disable'),
  reactivate: statusMaker('reactivate', 'accountStatus', 'active', 'inactive', 'userManagement.enable'),
  'data-center/membership': {
    operation: 'membership',
    header: ['username', 'groupname', 'action'],
    cells: (place) => [whoByName(place), 'developers', inGroup(place) ? 'add' : 'remove'],
    write: (place) => [
      inGroup(place) ? 'dataCenter.addToGroup' : 'dataCenter.removeFromGroup',
      { group: 'developers', username: username(place.index) },
    ],
    user: (place) => ({ groups: inGroup(place) === already(place) ? ['developers'] : [] }),
    holds: (site, place) => user(site, place.index)?.groups.includes('developers') === inGroup(place),
  },
  'data-center/creation': {
    operation: 'creation',
    header: ['username', 'email', 'displayName'],
    cells: ({ index, kind }) => [kind === 'invalid' ? '' : username(index), email(index), `User ${index}`],
    write: ({ index }) => [
      'dataCenter.createUser',
      { username: username(index), emailAddress: email(index), displayName: `User ${index}` },
    ],
    user: (place) => (already(place) ? {} : undefined),
    holds: (site, { index }) => user(site, index)?.emailAddress === email(index),
  },
  'data-center/email-change': {
    operation: 'email-change',
    header: ['username', 'new_email'],
    cells: (place) => [whoByName(place), newEmail(place)],
    write: (place) => ['dataCenter.updateUser', username(place.index), { emailAddress: newEmail(place) }],
    user: (place) => (already(place) ? { emailAddress: newEmail(place) } : {}),
    holds: (site, place) => user(site, place.index)?.emailAddress === newEmail(place),
  },
  'data-center/suspend': {
    operation: 'suspend',
    header: ['username'],
    cells: (place) => [whoByName(place)],
    write: ({ index }) => ['dataCenter.updateUser', username(index), { active: false }],
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
