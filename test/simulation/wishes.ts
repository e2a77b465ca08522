import type { Code } from '../../shared/job/codes.ts';
import type { Status } from '../../shared/job/outcome.ts';
import type { Target } from '../../shared/target.ts';
import { fakeCloud, type FakePerson } from '../fakes/atlassian-cloud.ts';
import { fakeDataCenter, type FakeDataCenterUser } from '../fakes/atlassian-data-center.ts';

/** What a row asks for, seen from how things are. */
export const ROW_KINDS = ['change', 'already', 'unknown', 'invalid', 'external', 'takes', 'repeat'] as const;

/** What is special about a row's write: it ends its worker, or Atlassian always answers it so. */
export const TROUBLES = ['poison', 'forbidden', 'failing', 'lost before', 'lost after'] as const;

export interface PlannedRow {
  readonly kind: (typeof ROW_KINDS)[number];
  readonly trouble?: (typeof TROUBLES)[number] | undefined;
  /** How many rows further on that row is whose address one that `takes` is to have; the next unless given. */
  readonly ahead?: number | undefined;
}

export const SIMULATED_OPERATIONS = [
  'membership',
  'creation',
  'email-change',
  'suspend',
  'restore',
  'deactivate',
  'reactivate',
  'data-center/membership',
  'data-center/creation',
  'data-center/email-change',
  'data-center/suspend',
] as const;

export type SimulatedOperation = (typeof SIMULATED_OPERATIONS)[number];

/** The status and code of a row when nothing goes wrong. */
export interface Expected {
  readonly status: Status;
  readonly code?: Code | undefined;
}

/** A row of a manifest, with what its wish means at Atlassian. */
export interface Wish {
  readonly cells: readonly string[];
  readonly trouble: PlannedRow['trouble'];
  /** Its write, as JSON of name and arguments; absent where nothing may be written. */
  readonly write: string | undefined;
  /** Whether Atlassian is as the row wants it. */
  readonly holds: (site: AnySite) => boolean;
  readonly expected: Expected;
  /** The row whose address this one takes. */
  readonly takesFrom: number | undefined;
}

export type AnySite = CloudSite | DataCenterSite;
type CloudSite = ReturnType<typeof fakeCloud> & { readonly type: 'cloud' };
type DataCenterSite = ReturnType<typeof fakeDataCenter> & { readonly type: 'data-center' };

/** A manifest with the Atlassian that it is meant for. */
export interface Wishes {
  readonly operation: string;
  readonly header: readonly string[];
  readonly rows: readonly Wish[];
  /** The same Atlassian each time, as it is before the job. */
  readonly site: () => AnySite;
  readonly target: Target;
}

const GROUPS = [
  { groupId: 'g-1', name: 'developers' },
  { groupId: 'g-2', name: 'synced', external: true },
] as const;

/** The plan of one row in its place. */
interface Place extends PlannedRow {
  readonly index: number;
  readonly rows: readonly PlannedRow[];
}

/** What one operation makes of a planned row. */
interface Maker {
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

/** The row whose address a row takes. */
const takenFrom = ({ index, kind, rows, ahead = 1 }: Place): number | undefined =>
  kind === 'takes' ? (index + ahead) % rows.length : undefined;

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

const MAKERS: Readonly<Record<SimulatedOperation, Maker>> = {
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

const KINDS_ELSEWHERE: Readonly<Partial<Record<PlannedRow['kind'], readonly SimulatedOperation[]>>> = {
  external: ['membership'],
  takes: ['email-change'],
};

/** The planned rows as a manifest; a kind that an operation does not know is a plain change. */
export function makeWishes(name: SimulatedOperation, targetName: string, planned: readonly PlannedRow[]): Wishes {
  const maker = MAKERS[name];
  const isCreation = maker.operation === 'creation';
  const rows = planned.map((row) => {
    const elsewhere = KINDS_ELSEWHERE[row.kind];
    const foreign =
      (elsewhere && !elsewhere.includes(name)) ||
      (isCreation && row.kind === 'unknown') ||
      (row.kind === 'takes' && (row.ahead ?? 1) % planned.length === 0);
    return foreign ? { ...row, kind: 'change' as const } : row;
  });
  // A repeat is of the row before it, whatever that is.
  const places = rows.map((row, index): Place => {
    const original = rows.slice(0, index + 1).findLastIndex(({ kind }) => kind !== 'repeat');
    return original === -1 ? { ...row, kind: 'change', index, rows } : { ...rows[original]!, index: original, rows };
  });
  return {
    operation: maker.operation,
    header: maker.header,
    rows: places.map((place, index) => wishOf(maker, place, place.index !== index, places)),
    site: siteOf(name, maker, places),
    target: targetOf(name, targetName),
  };
}

function wishOf(maker: Maker, place: Place, isRepeat: boolean, places: readonly Place[]): Wish {
  const expected =
    isRepeat && place.kind !== 'invalid'
      ? ({ status: 'unprocessed', code: 'DUPLICATE' } as const)
      : expectedOf(place, places);
  const mayBeWritten = ['change', 'takes'].includes(place.kind) && expectedOf(place, places).status !== 'invalid';
  return {
    cells: maker.cells(place),
    trouble: place.trouble,
    write: mayBeWritten ? JSON.stringify(maker.write(place)) : undefined,
    holds: (site) => maker.holds(site, place),
    expected,
    takesFrom: takenFrom(place),
  };
}

function expectedOf(place: Place, places: readonly Place[]): Expected {
  switch (place.kind) {
    case 'already':
      return { status: 'unchanged' };
    case 'unknown':
      return { status: 'failed', code: 'USER_NOT_FOUND' };
    case 'invalid':
      return { status: 'invalid', code: 'INVALID_ROW' };
    case 'external':
      return { status: 'failed', code: 'GROUP_EXTERNAL' };
    case 'takes':
      return expectedOfTaker(place, places);
    case 'change':
    case 'repeat':
      return expectedOfWrite(place);
    default:
      return place.kind satisfies never;
  }
}

function expectedOfWrite({ trouble }: PlannedRow): Expected {
  switch (trouble) {
    case 'poison':
      return { status: 'failed', code: 'WORKER_DIED' };
    case 'forbidden':
      return { status: 'failed', code: 'FORBIDDEN' };
    case 'failing':
      return { status: 'failed', code: 'ATLASSIAN_ERROR' };
    case 'lost before':
      return { status: 'failed', code: 'TIMED_OUT' };
    case 'lost after':
    case undefined:
      return { status: 'changed' };
    default:
      return trouble satisfies never;
  }
}

/**
 * A row that takes another's address is carried out when that row lets go of it. Rows that wait in a circle, or that want
 * one address, are invalid.
 */
function expectedOfTaker(place: Place, places: readonly Place[]): Expected {
  const inUse = { status: 'failed', code: 'EMAIL_IN_USE' } as const;
  const contradiction = { status: 'invalid', code: 'CONTRADICTION' } as const;
  if (hasRival(place, places)) return contradiction;
  const seen = new Set<number>();
  let frees = true;
  for (let index = takenFrom(place); index !== undefined;) {
    if (index === place.index) return contradiction;
    const next = places[index]!; // a row's number
    if (next.index !== index || next.kind === 'already' || next.kind === 'unknown') break;
    if (seen.has(index) || next.kind === 'invalid' || hasRival(next, places)) return inUse;
    seen.add(index);
    frees &&= expectedOfWrite(next).status === 'changed';
    index = takenFrom(next);
  }
  return frees ? expectedOfWrite(place) : inUse;
}

function hasRival(place: Place, places: readonly Place[]): boolean {
  const from = takenFrom(place);
  if (from === undefined) return false;
  return places.some((other, index) => other.index === index && index !== place.index && takenFrom(other) === from);
}

function siteOf(name: SimulatedOperation, maker: Maker, places: readonly Place[]): () => AnySite {
  const own = places.filter((place, index) => place.index === index);
  if (name.startsWith('data-center/')) {
    const users = own.flatMap((place) => {
      const given = place.kind === 'unknown' ? undefined : maker.user?.(place);
      return given ? [{ username: username(place.index), emailAddress: email(place.index), ...given }] : [];
    });
    return () => ({ type: 'data-center', ...fakeDataCenter({ users, groups: ['developers'] }) });
  }
  const users = own.flatMap((place) => {
    const given = place.kind === 'unknown' ? undefined : maker.person?.(place);
    return given ? [{ accountId: accountId(place.index), email: email(place.index), ...given }] : [];
  });
  return () => ({ type: 'cloud', ...fakeCloud({ users, groups: GROUPS }) });
}

function targetOf(name: SimulatedOperation, targetName: string): Target {
  return name.startsWith('data-center/')
    ? { type: 'data-center', name: targetName, baseUrl: 'https://jira.acme.example', token: 'token-1' }
    : {
        type: 'cloud',
        name: targetName,
        siteUrl: 'https://acme.example.net',
        email: 'admin@acme.example',
        apiToken: 'token-1',
        orgId: 'org-1',
        orgApiKey: 'key-1',
        apiUrl: 'https://api.acme.example',
        suspendApi: 'v2',
      };
}
