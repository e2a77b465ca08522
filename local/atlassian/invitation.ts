import type { World } from './call.ts';
import { accountIdOf } from './ids.ts';
import type { User } from './model.ts';

export type Invited =
  | { readonly kind: 'full'; readonly products: readonly string[] }
  | { readonly kind: 'in'; readonly user: User; readonly changed: boolean };

/** Lets somebody onto the site with these products: a new account when nobody has the address. */
export function invited({ cloud, clock, nextId }: World, email: string, products: readonly string[]): Invited {
  const present = cloud.byEmail(email);
  const held = present?.products ?? [];
  const gained = [...new Set(products)].filter((product) => !held.includes(product));
  const full = cloud.seats.full(gained);
  if (full.length > 0) return { kind: 'full', products: full };
  const onSite = present !== undefined && present.membershipStatus !== 'no_membership';
  if (onSite && gained.length === 0) return { kind: 'in', user: present, changed: false };
  const user: User = present
    ? { ...present, products: [...held, ...gained], membershipStatus: onSite ? present.membershipStatus : 'active' }
    : newcomer(email, gained, { accountId: accountIdOf(nextId()), managed: isVerified(email), now: clock.now() });
  cloud.putUser(user);
  return { kind: 'in', user, changed: true };

  function isVerified(address: string): boolean {
    const domain = domainOf(address);
    return cloud.organisation.domains.some(
      ({ name, status }) => status === 'verified' && name.toLowerCase() === domain,
    );
  }
}

/** The part behind the last @, lower-cased. */
export const domainOf = (email: string): string => email.slice(email.lastIndexOf('@') + 1).toLowerCase();

interface NewAccount {
  readonly accountId: string;
  readonly managed: boolean;
  readonly now: Date;
}

const newcomer = (email: string, products: readonly string[], { accountId, managed, now }: NewAccount): User => ({
  accountId,
  email,
  name: email.slice(0, email.lastIndexOf('@')),
  accountType: 'atlassian',
  accountStatus: 'active',
  membershipStatus: 'active',
  claimStatus: managed ? 'managed' : 'unmanaged',
  managementSource: 'invited',
  products: [...products],
  addedToOrg: now.toISOString(),
});
