import type { BatchEnd } from './stack-protocol.ts';

/** How long rows of workers that were killed waited for another one. */
export interface RecoveryTimes {
  readonly onBatch: (batch: BatchEnd) => void;
  /** Milliseconds, one for each row and kill. */
  readonly times: () => readonly number[];
}

export function recoveryTimes(): RecoveryTimes {
  const killedAt = new Map<number, number[]>();
  const times: number[] = [];
  return {
    times: () => times,
    onBatch: ({ rows, atMs, end, unfinished }) => {
      if (end === 'killed') for (const row of rows) killedAt.set(row, [...(killedAt.get(row) ?? []), atMs]);
      if (end !== 'answered') return;
      const left = new Set(unfinished);
      for (const row of rows) {
        if (left.has(row)) continue;
        times.push(...(killedAt.get(row) ?? []).map((ms) => atMs - ms));
        killedAt.delete(row);
      }
    },
  };
}

/** The value that so large a share of the values does not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
