/** What a figure is held against. */
export type Goal = { readonly atLeast: number } | { readonly atMost: number };

/** One measured figure. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly goal?: Goal | undefined;
  /** What it was measured with, or what limits it. */
  readonly note?: string | undefined;
}

/** Small sizes show that everything works; full ones are those of the table in docs/performance.md. */
export type Size = 'quick' | 'full';

export interface PartContext {
  readonly size: Size;
  /** A folder of its own, gone afterwards. */
  readonly folder: string;
  readonly say: (text: string) => void;
}

/** One part of the bench, which runs alone. */
export interface Part {
  readonly name: string;
  readonly about: string;
  readonly run: (context: PartContext) => Promise<readonly Figure[]>;
}

/** Picks by size. */
export const sized = <Value>(size: Size, values: Readonly<Record<Size, Value>>): Value => values[size];

/** Whether a figure reaches its goal; `undefined` when it has none. */
export function isMet({ value, goal }: Figure): boolean | undefined {
  if (goal === undefined) return undefined;
  return 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost;
}

/** The middle of some values, or any other share of them. */
export function percentile(values: readonly number[], share = 0.5): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
