import type { Clock } from '../../../shared/ports.ts';

/** The APIs whose reads may lag behind. */
export type Side = 'jira' | 'organisation' | 'userManagement' | 'dataCenter';

/** What an engine takes from outside. */
export interface EnginePorts {
  readonly clock: Clock;
  /** A number that nobody had before, of which ids are made. */
  readonly nextId: () => number;
  /** For how long the reads of each side do not show a write yet. */
  readonly lagsMs: () => Readonly<Record<Side, number>>;
}

interface Change {
  readonly key: string;
  readonly atMs: number;
  readonly before: unknown;
}

/** What was there before recent changes, for sides whose reads lag. Keeps nothing while no side lags. */
export interface Propagation {
  readonly remember: (key: string, before: unknown) => void;
  /** What this side still sees for the key; `undefined` when it sees the present. */
  readonly seen: (key: string, side: Side) => { readonly before: unknown } | undefined;
  /** Keys that this side may see otherwise than they are. */
  readonly pending: (side: Side) => Iterable<string>;
  /** From here on changes are remembered: what a state begins with is none. */
  readonly begin: () => void;
}

export function createPropagation({ clock, lagsMs }: EnginePorts): Propagation {
  const changes = new Map<string, Change[]>();
  let order: Change[] = [];
  let oldest = 0;
  let begun = false;

  const forget = (olderThanMs: number): void => {
    for (; oldest < order.length && (order[oldest]?.atMs ?? Infinity) < olderThanMs; oldest += 1) {
      const key = order[oldest]?.key ?? '';
      const rest = changes.get(key)?.filter(({ atMs }) => atMs >= olderThanMs) ?? [];
      if (rest.length > 0) changes.set(key, rest);
      else changes.delete(key);
    }
    if (oldest > 1000 && oldest > order.length / 2) {
      order = order.slice(oldest);
      oldest = 0;
    }
  };

  return {
    remember: (key, before) => {
      const longestMs = begun ? Math.max(...Object.values(lagsMs())) : 0;
      if (longestMs === 0) return;
      const nowMs = clock.now().getTime();
      forget(nowMs - longestMs);
      const change = { key, atMs: nowMs, before };
      order.push(change);
      changes.set(key, [...(changes.get(key) ?? []), change]);
    },
    seen: (key, side) => {
      const lagMs = lagsMs()[side];
      if (lagMs === 0 || changes.size === 0) return undefined;
      const nowMs = clock.now().getTime();
      return changes.get(key)?.find(({ atMs }) => atMs + lagMs > nowMs);
    },
    pending: (side) => (lagsMs()[side] === 0 ? [] : changes.keys()),
    begin: () => {
      begun = true;
    },
  };
}
