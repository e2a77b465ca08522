import type { User } from './model.ts';

/** How many people use each product, against how many may. */
export interface SeatCount {
  readonly take: (user: User) => void;
  readonly free: (user: User) => void;
  /** Whether the product is licensed at all. */
  readonly licensed: (product: string) => boolean;
  /** Those of the products that have no seat left. */
  readonly full: (products: readonly string[]) => readonly string[];
}

export function seatCount(licences: Readonly<Record<string, number | null>>): SeatCount {
  const used = new Map<string, number>();
  const add = (user: User, count: number): void => {
    // Suspended and deactivated people are not billed.
    if (user.accountStatus !== 'active' || user.membershipStatus !== 'active') return;
    for (const product of user.products) used.set(product, (used.get(product) ?? 0) + count);
  };
  return {
    take: (user) => add(user, 1),
    free: (user) => add(user, -1),
    licensed: (product) => Object.hasOwn(licences, product),
    full: (products) => products.filter((product) => (licences[product] ?? Infinity) <= (used.get(product) ?? 0)),
  };
}
