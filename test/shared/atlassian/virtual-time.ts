import { setImmediate as turn } from 'node:timers/promises';

import type { Clock } from '../../../shared/ports.ts';

/** Time that passes as fast as the machine allows: sleepers wake in order, each after everything that is due has run. */
export interface VirtualTime extends Clock {
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly runUntil: (ms: number) => Promise<void>;
}

export function virtualTime(startMs = 1_700_000_000_000): VirtualTime {
  let nowMs = startMs;
  const sleepers = new Map<number, (() => void)[]>();
  const wakeNext = (limitMs: number): boolean => {
    const atMs = Math.min(...sleepers.keys());
    if (atMs > limitMs) return false;
    nowMs = atMs;
    const due = sleepers.get(atMs) ?? [];
    sleepers.delete(atMs);
    for (const wake of due) wake();
    return true;
  };
  return {
    nowMs: () => nowMs,
    now: () => new Date(nowMs),
    sleep: (ms) =>
      new Promise((resolve) => {
        const atMs = nowMs + Math.max(1, Math.ceil(ms));
        sleepers.set(atMs, [...(sleepers.get(atMs) ?? []), resolve]);
      }),
    runUntil: async (ms) => {
      await turn();
      while (wakeNext(startMs + ms)) await turn();
      nowMs = startMs + ms;
    },
  };
}
