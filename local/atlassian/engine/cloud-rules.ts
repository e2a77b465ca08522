import { isActive, type CloudState, type Group } from './cloud-state.ts';
import { uuid, type User } from './state.ts';

/** The user whom Jira sees by this id, as they are now: what a side sees may lag, and must not be written back. */
export function siteUser(cloud: CloudState, accountId: string): User | undefined {
  const seen = cloud.user(accountId, 'jira');
  return seen && isOnSite(seen) ? (cloud.user(accountId) ?? seen) : undefined;
}

/** The user whom the directory has by this id. */
export function directoryUser(cloud: CloudState, accountId: string): User | undefined {
  const user = cloud.user(accountId);
  return user && isOnSite(user) ? user : undefined;
}

/** Groups of these names, which the directory compares without case. */
export function directoryGroups(cloud: CloudState, names: readonly string[]): readonly Group[] {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  return [...cloud.everyGroup()].filter(({ name }) => wanted.has(name.toLowerCase()));
}

/** Whether somebody was ever let onto the site. */
export const isOnSite = (user: User): boolean =>
  user.accountStatus !== 'closed' && user.membershipStatus !== 'no_membership';

/** Why this account's address and lifecycle are not to be changed here. */
export function lockOf(user: User): NonNullable<User['lock']> | undefined {
  return user.lock ?? (user.managementSource === 'synced' ? 'externalDirectory.scim' : undefined);
}

/** Only so many matches are searched through (Jira's specification). */
const MATCH_LIMIT = 1000;

/** Active people whom Jira finds by the beginning of a name or of an address, unless addresses are not searchable. */
export function findActive(
  cloud: CloudState,
  query: string,
  { limit, byAddress }: { readonly limit: number; readonly byAddress: boolean },
): readonly User[] {
  const wanted = query.toLowerCase();
  const begins = (text: string): boolean => text.toLowerCase().startsWith(wanted);
  const matches = (user: User): boolean =>
    begins(user.name) || user.name.split(/\s+/).some(begins) || (byAddress && !user.emailHidden && begins(user.email));
  const found = new Map<string, User>();
  const consider = (user: User | undefined): void => {
    if (user && isActive(user) && matches(user)) found.set(user.accountId, user);
  };
  cloud.withEmail(query, 'jira').forEach(consider);
  for (const accountId of cloud.withPrefix(wanted.split(/\s+/)[0] ?? '')) {
    if (found.size >= Math.min(limit, MATCH_LIMIT)) break;
    consider(cloud.user(accountId, 'jira'));
  }
  return [...found.values()];
}

/** Puts a user in a group, with the products that it gives. */
export function joinGroup(
  cloud: CloudState,
  group: Group,
  user: User,
): 'changed' | 'unchanged' | 'external-group' | 'no-seat' {
  if (group.externalSynced) return 'external-group';
  if (cloud.isMember(group.groupId, user.accountId)) return 'unchanged';
  const gained = group.products.filter((product) => !user.products.includes(product));
  if (isActive(user) && cloud.fullOf(gained).length > 0) return 'no-seat';
  if (gained.length > 0) cloud.putUser({ ...user, products: [...user.products, ...gained] });
  cloud.setMember(group.groupId, user.accountId, true);
  return 'changed';
}

/** Takes a user out of a group; the products stay. */
export function leaveGroup(cloud: CloudState, group: Group, user: User): 'changed' | 'unchanged' | 'external-group' {
  if (group.externalSynced) return 'external-group';
  if (!cloud.isMember(group.groupId, user.accountId)) return 'unchanged';
  cloud.setMember(group.groupId, user.accountId, false);
  return 'changed';
}

export type Admitted =
  | { readonly result: 'changed' | 'unchanged'; readonly user: User }
  | { readonly result: 'no-seat'; readonly products: readonly string[] };

/** The organisation's invitation: a deactivated account is not let in. */
export function invite(
  cloud: CloudState,
  email: string,
  products: readonly string[],
): Admitted | { readonly result: 'inactive' } {
  const [present] = cloud.withEmail(email);
  return present?.accountStatus === 'inactive' ? { result: 'inactive' } : admit(cloud, email, products);
}

/**
 * Jira's creation of a user: an account that is there without Jira needs a product to be let in. Of one that has Jira it is documented
 * that the answer is the same, and not that it gets anything: `givesMembers` says so.
 */
export function createUser(
  cloud: CloudState,
  email: string,
  products: readonly string[],
  givesMembers = false,
): Admitted | { readonly result: 'no-product' } {
  const [present] = cloud.withEmail(email);
  const hasJira = present && isOnSite(present) && present.products.some((product) => product.startsWith('jira-'));
  if (present && hasJira && !givesMembers) return { result: 'unchanged', user: present };
  return present && !hasJira && products.length === 0 ? { result: 'no-product' } : admit(cloud, email, products);
}

/** Lets somebody onto the site with these products: a new account where nobody has the address. */
function admit(cloud: CloudState, email: string, products: readonly string[]): Admitted {
  const [present] = cloud.withEmail(email);
  const held = present?.products ?? [];
  const gained = [...new Set(products)].filter((product) => !held.includes(product));
  const full = cloud.fullOf(gained);
  if (full.length > 0) return { result: 'no-seat', products: full };
  const onSite = present !== undefined && present.membershipStatus !== 'no_membership';
  if (onSite && gained.length === 0) return { result: 'unchanged', user: present };
  const user: User = present
    ? { ...present, products: [...held, ...gained], membershipStatus: onSite ? present.membershipStatus : 'active' }
    : newcomer(cloud, email, gained);
  cloud.putUser(user);
  return { result: 'changed', user };
}

const newcomer = (cloud: CloudState, email: string, products: readonly string[]): User => ({
  accountId: `712020:${uuid('90000000', cloud.ports.nextId())}`,
  email,
  name: email.slice(0, email.lastIndexOf('@')),
  accountType: 'atlassian',
  accountStatus: 'active',
  membershipStatus: 'active',
  claimStatus: cloud.isVerified(domainOf(email)) ? 'managed' : 'unmanaged',
  managementSource: 'invited',
  products: [...products],
  addedToOrg: cloud.ports.clock.now().toISOString(),
});

/** The part behind the last @, lower-cased. */
export const domainOf = (email: string): string => email.slice(email.lastIndexOf('@') + 1).toLowerCase();

/** Takes a user's access away or gives it back; roles and groups stay. */
export function changeAccess(
  cloud: CloudState,
  user: User,
  wanted: 'active' | 'suspended',
): 'changed' | 'unchanged' | 'no-seat' {
  if (user.membershipStatus === wanted) return 'unchanged';
  if (wanted === 'active' && cloud.fullOf(user.products).length > 0) return 'no-seat';
  cloud.putUser({ ...user, membershipStatus: wanted });
  return 'changed';
}

/** Gives a managed account another address. */
export function changeEmail(
  cloud: CloudState,
  user: User,
  email: string,
): 'changed' | 'unchanged' | 'locked' | 'unverified-domain' | 'in-use' {
  if (lockOf(user) !== undefined) return 'locked';
  if (!cloud.isVerified(domainOf(email))) return 'unverified-domain';
  if (cloud.withEmail(email).some(({ accountId }) => accountId !== user.accountId)) return 'in-use';
  if (user.email === email) return 'unchanged';
  cloud.putUser({ ...user, email });
  return 'changed';
}

/** Deactivates a managed account or activates it again. */
export function changeLifecycle(
  cloud: CloudState,
  user: User,
  wanted: 'active' | 'inactive',
): 'changed' | 'unchanged' | 'locked' | 'for-deletion' {
  if (lockOf(user) !== undefined) return 'locked';
  if (wanted === 'active' && user.forDeletion) return 'for-deletion';
  if (user.accountStatus === wanted) return 'unchanged';
  cloud.putUser({ ...user, accountStatus: wanted });
  return 'changed';
}
