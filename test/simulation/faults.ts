/** How many opportunities of a kind to reach into, or how many seconds where the fault comes by the clock. */
interface FaultKindEntry {
  readonly upTo: number;
  readonly by: 'opportunity' | 'clock';
}

const at = (upTo: number): FaultKindEntry => ({ upTo, by: 'opportunity' });
const within = (upTo: number): FaultKindEntry => ({ upTo, by: 'clock' });

/** Everything that goes wrong. The opportunities of each kind are counted; a fault names those at which it strikes. */
export const FAULT_KINDS = {
  /** The process dies; what it was about to do does not happen. */
  'dies before an effect': at(400),
  /** The process dies once the effect has taken place, and does not hear of it. */
  'dies after an effect': at(400),
  /** What was done is answered seconds later. */
  'answer slow': at(400),
  /** An invocation has seconds where it should have minutes. */
  'little time': at(60),
  /** A warm process is put away, and its memory with it. */
  'process replaced': at(40),
  /** A message is seen again while it is still being worked on. */
  'message seen again': at(120),
  'message delayed': at(150),
  'message not deleted': at(120),
  'send refused': at(120),
  'send refused in part': at(120),
  'send accepted, answer lost': at(120),
  'plan purged': within(30),
  'tasks purged': within(60),
  'enqueue purged': within(30),
  'reports purged': within(60),
  'eventsQueue purged': within(60),
  'event doubled': at(8),
  'event late': at(8),
  /** A direct invocation is made twice, as by somebody who heard no answer. */
  'invoked twice': at(2),
  'store fails': at(300),
  'store fails after the write': at(120),
  'race lost': at(80),
  'race won, answer says lost': at(80),
  'rate limited, Retry-After': at(60),
  'rate limited, no Retry-After': at(60),
  'server error': at(60),
  'reset before the call': at(60),
  'reset after the call': at(60),
  'hang before the call': at(60),
  'hang after the call': at(60),
  'not JSON': at(60),
  'Atlassian down': within(60),
  'Atlassian limits everything': within(60),
  'secret rotated': within(60),
} as const satisfies Record<string, FaultKindEntry>;

export type FaultKind = keyof typeof FAULT_KINDS;

/** One thing that goes wrong: from the `at`-th opportunity (or second) on, so many `times` (or minutes). */
export interface Fault {
  readonly kind: FaultKind;
  readonly at: number;
  readonly times: number;
}

export interface Faults {
  /** Counts an opportunity; true when a fault strikes at it. */
  readonly strikes: (kind: FaultKind) => boolean;
  /** Counts one that came by the clock. */
  readonly struck: (kind: FaultKind) => void;
  readonly byTheClock: readonly Fault[];
  readonly injected: () => ReadonlyMap<FaultKind, number>;
}

export function createFaults(plan: readonly Fault[]): Faults {
  const opportunities = new Map<FaultKind, number>();
  const injected = new Map<FaultKind, number>();
  const byKind = Map.groupBy(plan, ({ kind }) => kind);
  const struck = (kind: FaultKind): void => void injected.set(kind, (injected.get(kind) ?? 0) + 1);
  return {
    strikes: (kind) => {
      const planned = byKind.get(kind);
      if (!planned) return false;
      const opportunity = opportunities.get(kind) ?? 0;
      opportunities.set(kind, opportunity + 1);
      const strikes = planned.some((fault) => opportunity >= fault.at && opportunity < fault.at + fault.times);
      if (strikes) struck(kind);
      return strikes;
    },
    struck,
    byTheClock: plan.filter(({ kind }) => FAULT_KINDS[kind].by === 'clock'),
    injected: () => injected,
  };
}
