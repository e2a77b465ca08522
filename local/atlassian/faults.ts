import type { Behaviour } from './behaviour.ts';

/** What goes wrong with one request; BEFORE names the kinds that keep it from being applied. */
export type Fault =
  | { readonly kind: 'rateLimited' }
  | { readonly kind: 'serverError' | 'serverErrorAfter'; readonly status: number }
  | { readonly kind: 'resetBefore' | 'resetAfter' | 'hangBefore' | 'hangAfter' | 'truncated' | 'notJson' };

const KINDS = [
  'rateLimited',
  'serverError',
  'serverErrorAfter',
  'resetBefore',
  'resetAfter',
  'hangBefore',
  'hangAfter',
  'truncated',
  'notJson',
] as const;

/** Faults after which nothing was applied. */
export const BEFORE: ReadonlySet<Fault['kind']> = new Set(['rateLimited', 'serverError', 'resetBefore', 'hangBefore']);

/** The dice of the faults: the same seed and the same requests meet the same faults. */
export interface Dice {
  /** At most one fault a request: the rates are shares of the requests, and add up. */
  readonly throwFor: (faults: Behaviour['faults'], write: boolean) => Fault | undefined;
}

export function dice(seed: number): Dice {
  const random = mulberry32(seed);
  return {
    throwFor: (faults, write) => {
      if (faults.on === 'writes' ? !write : faults.on === 'reads' && write) return undefined;
      let left = random();
      for (const kind of KINDS) {
        if (left < faults[kind]) return faultOf(kind, faults, random);
        left -= faults[kind];
      }
      return undefined;
    },
  };
}

function faultOf(kind: (typeof KINDS)[number], faults: Behaviour['faults'], random: () => number): Fault {
  if (kind !== 'serverError' && kind !== 'serverErrorAfter') return { kind };
  const { serverErrorStatuses: statuses } = faults;
  return { kind, status: statuses[Math.floor(random() * statuses.length)] ?? 500 };
}

/** A small generator of good enough numbers in [0, 1) (Tommy Ettinger's mulberry32, public domain). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
