import { between, oneOf, type Random } from './random.ts';

/** Something that dies at a moment of a round. */
export interface Kill {
  readonly atMs: number;
  readonly what: 'splitter' | 'worker' | 'coordinator' | 'reporter' | 'stack';
}

/** How often each function is the one that dies, of ten times. */
const TARGETS = [
  ...Array<'worker'>(6).fill('worker'),
  ...Array<'coordinator'>(2).fill('coordinator'),
  'splitter',
  'reporter',
] as const;

export interface KillOptions {
  /** Kills fall between these, in milliseconds from the upload. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Between two kills. */
  readonly everyMs: readonly [least: number, most: number];
  /** Whether the whole stack is killed once, too. */
  readonly stack: boolean;
}

/** What dies in a round, and when; the same seed gives the same plan. */
export function planKills(
  random: Random,
  { fromMs, toMs, everyMs: [least, most], stack }: KillOptions,
): readonly Kill[] {
  const kills: Kill[] = [];
  for (let atMs = fromMs; atMs < toMs; atMs += between(random, least, most)) {
    kills.push({ atMs, what: oneOf(random, TARGETS) });
  }
  if (stack) kills.push({ atMs: between(random, fromMs, toMs), what: 'stack' });
  return kills.toSorted((one, other) => one.atMs - other.atMs);
}
