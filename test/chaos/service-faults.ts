import type { Faults } from '../../local/aws/service-refusal.ts';
import type { Random } from './random.ts';

/** Shares of the requests to one service that go wrong, and how slow a slow one is at most. */
export interface FaultRates {
  /** 500 or 503, nothing done. */
  readonly refused: number;
  /** 500, everything done. */
  readonly lost: number;
  readonly slow: number;
  readonly slowMs: number;
}

export const NO_FAULTS: FaultRates = { refused: 0, lost: 0, slow: 0, slowMs: 0 };

/** Faults of an embedded service at rates that may change, and how many there have been. */
export interface RandomFaults {
  readonly faults: Faults;
  readonly set: (rates: FaultRates) => void;
  readonly injected: () => number;
}

export function randomFaults(random: Random): RandomFaults {
  let rates = NO_FAULTS;
  let injected = 0;
  return {
    set: (next) => {
      rates = next;
    },
    injected: () => injected,
    faults: () => {
      const { refused, lost, slow, slowMs } = rates;
      const dice = random();
      if (dice >= refused + lost + slow) return undefined;
      injected += 1;
      if (dice < refused) return { status: random() < 0.5 ? 500 : 503 };
      if (dice < refused + lost) return { status: 500, after: true };
      return { delayMs: random() * slowMs };
    },
  };
}
