/** Dice that fall the same way for the same seed. */
export interface Random {
  /** In [0, 1). */
  readonly next: () => number;
  /** A whole number from `least` up to and including `most`. */
  readonly between: (least: number, most: number) => number;
  readonly happens: (probability: number) => boolean;
  readonly shuffled: <Item>(items: readonly Item[]) => Item[];
}

/** Mulberry32, Tommy Ettinger's public-domain generator. */
export function createRandom(seed: number): Random {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
  return {
    next,
    between,
    happens: (probability) => next() < probability,
    shuffled: (items) => {
      const mixed = [...items];
      for (let last = mixed.length - 1; last > 0; last -= 1) {
        const other = between(0, last);
        [mixed[last], mixed[other]] = [mixed[other]!, mixed[last]!]; // both are below the length
      }
      return mixed;
    },
  };
}
