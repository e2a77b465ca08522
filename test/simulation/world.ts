import { createRandom, type Random } from './random.ts';

/** Virtual time, and everything that is going to happen in it. The same seed makes the same things happen in the same order. */
export interface World {
  readonly random: Random;
  readonly nowMs: () => number;
  readonly steps: () => number;
  /** Makes something happen so much later. */
  readonly after: (delayMs: number, happen: () => unknown) => void;
  /** The next thing happens, and everything that follows from it at once. */
  readonly step: () => Promise<void>;
  /** A line of the trace, for whoever replays a seed. */
  readonly note: (line: () => string) => void;
}

interface Coming {
  readonly atMs: number;
  readonly happen: () => unknown;
}

const BEGIN_MS = Date.UTC(2026, 10, 21, 9);

export function createWorld(seed: number, trace?: (line: string) => void): World {
  const random = createRandom(seed);
  // Latest first, so that the next is taken from the end.
  const coming: Coming[] = [];
  let nowMs = BEGIN_MS;
  let steps = 0;

  const place = (atMs: number): number => {
    let [low, high] = [0, coming.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (coming[middle]!.atMs > atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  return {
    random,
    nowMs: () => nowMs,
    steps: () => steps,
    after: (delayMs, happen) => {
      const atMs = nowMs + Math.max(0, delayMs);
      coming.splice(place(atMs), 0, { atMs, happen });
    },
    step: async () => {
      const next = coming.pop();
      if (!next) throw new Error('Nothing is going to happen any more');
      nowMs = next.atMs;
      steps += 1;
      await next.happen();
      await settled();
    },
    note: (line) => trace?.(`${((nowMs - BEGIN_MS) / 1_000).toFixed(3).padStart(10)} ${line()}`),
  };
}

/** Streams over what is in memory go on in ticks and microtasks alone, and all of those run before an immediate does. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
