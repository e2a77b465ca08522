import type { State } from '../../local/atlassian/engine/state.ts';
import type { ErrandRow, People } from './errand.ts';

type CloudUser = State['cloud']['users'][number];
type DataCenterUser = State['dataCenter']['users'][number];
type Wish = Pick<ErrandRow, 'cells' | 'thing' | 'holds'>;

/** How the rows of one operation on one target are made: person n's row, and what person n is like before it. */
export interface ErrandRecipe {
  readonly target: 'cloud' | 'data-center';
  readonly operation: string;
  readonly header: readonly string[];
  readonly due: (n: number) => Wish;
  readonly done: (n: number) => Wish;
  /** About somebody who is not there; absent where that is what the operation is for. */
  readonly unknown?: (n: number) => readonly string[];
  readonly invalid: (n: number) => readonly string[];
  /** A row that asks the opposite of person n's due one. */
  readonly opposite?: (n: number) => readonly string[];
  /** Chains of rows of which each takes the address that the next one frees. */
  readonly chain?: (from: number, to: number) => readonly Wish[];
  readonly cloudUser?: (user: CloudUser, n: number, done: boolean) => CloudUser;
  readonly dataCenterUser?: (user: DataCenterUser, n: number, done: boolean) => DataCenterUser;
  /** Who is in Data Center's group before. */
  readonly dataCenterMember?: (n: number, done: boolean) => string | undefined;
}

export const GROUPS = 5;

export const accountId = (n: number): string => `712020:a0000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
const groupId = (g: number): string => `60000000-0000-4000-8000-${g.toString(16).padStart(12, '0')}`;
const number = (n: number): string => String(n).padStart(5, '0');
const username = (n: number): string => `user${number(n)}`;
const email = (n: number): string => `${username(n)}@example.com`;
const groupName = (g: number): string => `group-${String(g).padStart(3, '0')}`;
const nobody = (n: number): string => accountId(0xffff_0000 + n);
/** The group that the seed puts person n in, and the one after it. */
const ownGroup = (n: number): number => ((n - 1) % GROUPS) + 1;
const otherGroup = (n: number): number => (n % GROUPS) + 1;

/** How rows name people: a manifest that does it in both ways costs the worker more. */
export type Naming = 'id' | 'email' | 'both';

const isByEmail = (naming: Naming, n: number): boolean => naming === 'email' || (naming === 'both' && n % 3 === 0);

const personIn = (naming: Naming, n: number): readonly [string, string] =>
  isByEmail(naming, n) ? ['', email(n)] : [accountId(n), ''];

const nobodyIn = (naming: Naming, n: number): readonly [string, string] =>
  isByEmail(naming, n) ? ['', `nobody${n}@example.com`] : [nobody(n), ''];

const membership = (naming: Naming, n: number, group: number, action: 'add' | 'remove'): Wish => ({
  cells: [...personIn(naming, n), groupName(group), action],
  thing: `membership/${groupId(group)}/${accountId(n)}`,
  holds: (people) => people.isMember(groupName(group), accountId(n)) === (action === 'add'),
});

const dueMembership = (naming: Naming, n: number): Wish =>
  n % 2 === 0 ? membership(naming, n, otherGroup(n), 'add') : membership(naming, n, ownGroup(n), 'remove');

const cloudMembership = (naming: Naming): ErrandRecipe => ({
  target: 'cloud',
  operation: 'membership',
  header: ['account_id', 'email', 'group', 'action'],
  due: (n) => dueMembership(naming, n),
  done: (n) => membership(naming, n, ownGroup(n), 'add'),
  unknown: (n) => [...nobodyIn(naming, n), groupName(1), 'add'],
  invalid: (n) => [...personIn(naming, n), groupName(1), 'addd'],
  opposite: (n) => dueMembership(naming, n).cells.map((cell) => ({ add: 'remove', remove: 'add' })[cell] ?? cell),
});

const cloudCreation: ErrandRecipe = {
  target: 'cloud',
  operation: 'creation',
  header: ['email', 'products'],
  due: (n) => ({
    cells: [`new${number(n)}@example.com`, 'jira-software'],
    thing: `creation/new${number(n)}@example.com`,
    holds: (people) => people.byEmail(`new${number(n)}@example.com`)?.products?.includes('jira-software') ?? false,
  }),
  done: (n) => ({
    cells: [email(n), 'jira-software'],
    thing: `creation/${email(n)}`,
    holds: (people) => people.byEmail(email(n)) !== undefined,
  }),
  invalid: (n) => [`new${n}`, 'jira-software'],
};

const renamed = (n: number): string => `renamed${number(n)}@example.com`;

const emailChange = (naming: Naming, n: number, next: string): Wish => ({
  cells: [isByEmail(naming, n) ? '' : accountId(n), email(n), next],
  thing: `email/${accountId(n)}`,
  holds: (people) => people.byId(accountId(n))?.email.toLowerCase() === next,
});

const cloudEmailChange = (naming: Naming): ErrandRecipe => ({
  target: 'cloud',
  operation: 'email-change',
  header: ['account_id', 'old_email', 'new_email'],
  due: (n) => emailChange(naming, n, renamed(n)),
  done: (n) => emailChange(naming, n, email(n)),
  unknown: (n) => [...nobodyIn(naming, n), renamed(n)],
  invalid: (n) => [accountId(n), email(n), 'nowhere'],
  opposite: (n) => emailChange(naming, n, `otherwise${number(n)}@example.com`).cells,
  chain: (from, to) =>
    Array.from({ length: to - from + 1 }, (_, at) =>
      emailChange(naming, from + at, from + at === to ? renamed(to) : email(from + at + 1)),
    ),
});

function access(
  naming: Naming,
  operation: 'suspend' | 'restore',
  wanted: CloudUser['membershipStatus'],
  before: CloudUser['membershipStatus'],
): ErrandRecipe {
  const wish = (n: number): Wish => ({
    cells: personIn(naming, n),
    thing: `${operation}/${accountId(n)}`,
    holds: (people) => people.byId(accountId(n))?.membershipStatus === wanted,
  });
  return {
    target: 'cloud',
    operation,
    header: ['account_id', 'email'],
    due: wish,
    done: wish,
    unknown: (n) => nobodyIn(naming, n),
    invalid: (n) => ['', `nobody${n}`],
    cloudUser: (user, _n, done) => ({ ...user, membershipStatus: done ? wanted : before }),
  };
}

function lifecycle(
  naming: Naming,
  operation: 'deactivate' | 'reactivate',
  wanted: CloudUser['accountStatus'],
  before: CloudUser['accountStatus'],
): ErrandRecipe {
  const wish = (n: number): Wish => ({
    cells: personIn(naming, n),
    thing: `${operation}/${accountId(n)}`,
    holds: (people) => people.byId(accountId(n))?.accountStatus === wanted,
  });
  return {
    target: 'cloud',
    operation,
    header: ['account_id', 'email'],
    due: wish,
    done: wish,
    unknown: (n) => nobodyIn(naming, n),
    invalid: (n) => ['', `nobody${n}`],
    cloudUser: (user, _n, done) => ({ ...user, accountStatus: done ? wanted : before }),
  };
}

const dataCenterWish = (n: number, group: number, action: 'add' | 'remove'): Wish => ({
  cells: [username(n), groupName(group), action],
  thing: `data-center/membership/${groupName(group)}/${username(n)}`,
  holds: (people) => people.isDataCenterMember(groupName(group), username(n)) === (action === 'add'),
});

const dueOnDataCenter = (n: number): Wish => dataCenterWish(n, otherGroup(n), n % 2 === 0 ? 'add' : 'remove');

const dataCenterMembership: ErrandRecipe = {
  target: 'data-center',
  operation: 'membership',
  header: ['username', 'groupName', 'action'],
  due: dueOnDataCenter,
  done: (n) => dataCenterWish(n, otherGroup(n), 'add'),
  unknown: (n) => [`nobody${n}`, groupName(1), 'add'],
  invalid: (n) => [username(n), groupName(1), 'addd'],
  opposite: (n) => dueOnDataCenter(n).cells.map((cell) => ({ add: 'remove', remove: 'add' })[cell] ?? cell),
  dataCenterMember: (n, done) => (done || n % 2 === 1 ? groupName(otherGroup(n)) : undefined),
};

const dataCenterCreation: ErrandRecipe = {
  target: 'data-center',
  operation: 'creation',
  header: ['username', 'email', 'displayName'],
  due: (n) => ({
    cells: [`new${number(n)}`, `new${number(n)}@example.com`, `New ${n}`],
    thing: `data-center/creation/new${number(n)}`,
    holds: (people) => people.byUsername(`new${number(n)}`) !== undefined,
  }),
  done: (n) => ({
    cells: [username(n), email(n), `User ${number(n)}`],
    thing: `data-center/creation/${username(n)}`,
    holds: (people) => people.byUsername(username(n)) !== undefined,
  }),
  invalid: (n) => [`new${number(n)}`, 'nowhere', `New ${n}`],
};

const dataCenterUser = (n: number): Pick<Wish, 'thing'> => ({ thing: `data-center/user/${username(n)}` });

const dataCenterEmailChange: ErrandRecipe = {
  target: 'data-center',
  operation: 'email-change',
  header: ['username', 'old_email', 'new_email'],
  due: (n) => ({
    ...dataCenterUser(n),
    cells: [username(n), n % 2 === 0 ? email(n) : '', renamed(n)],
    holds: (people: People) => people.byUsername(username(n))?.emailAddress === renamed(n),
  }),
  done: (n) => ({
    ...dataCenterUser(n),
    cells: [username(n), '', email(n)],
    holds: (people: People) => people.byUsername(username(n))?.emailAddress === email(n),
  }),
  unknown: (n) => [`nobody${n}`, '', renamed(n)],
  invalid: (n) => [username(n), '', 'nowhere'],
  opposite: (n) => [username(n), '', `otherwise${number(n)}@example.com`],
};

function dataCenterAccess(operation: 'suspend' | 'restore', wanted: boolean): ErrandRecipe {
  const wish = (n: number): Wish => ({
    ...dataCenterUser(n),
    cells: [username(n)],
    holds: (people: People) => people.byUsername(username(n))?.active === wanted,
  });
  return {
    target: 'data-center',
    operation,
    header: ['username'],
    due: wish,
    done: wish,
    unknown: (n) => [`nobody${n}`],
    invalid: () => [''],
    dataCenterUser: (user, _n, done) => ({ ...user, active: done ? wanted : !wanted }),
  };
}

/** The seven operations, on the targets that each of them exists for: a round takes one, in turn. */
export const recipesBy = (naming: Naming): readonly ErrandRecipe[] => [
  cloudMembership(naming),
  dataCenterMembership,
  cloudCreation,
  dataCenterCreation,
  cloudEmailChange(naming),
  dataCenterEmailChange,
  access(naming, 'suspend', 'suspended', 'active'),
  dataCenterAccess('suspend', false),
  access(naming, 'restore', 'active', 'suspended'),
  dataCenterAccess('restore', true),
  lifecycle(naming, 'deactivate', 'inactive', 'active'),
  lifecycle(naming, 'reactivate', 'active', 'inactive'),
];
