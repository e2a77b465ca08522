import type { RateLimitReading } from './rate-limit-reading.ts';

/** How full Atlassian's own bucket or window was when it counted a call. */
export interface Fullness {
  readonly atMs: number;
  readonly limit: number;
  readonly remaining: number;
  /** When it is filled again: the end of its window. */
  readonly resetMs?: number | undefined;
  /** Calls that it is filled by then; a window that starts anew is filled whole. */
  readonly fill: number;
}

/** What the answers have shown of Atlassian's limit. */
export interface ObservedLimit {
  readonly fullness?: Fullness | undefined;
  /** From one filling to the next; absent for a bucket that is filled all the time, and until two resets were named. */
  readonly windowMs?: number | undefined;
  /** When one that is filled in steps was last seen to be. */
  readonly filledAtMs?: number | undefined;
}

/** Half-full leaves as much room for others that come as for gaps that are made up; a window is so on the average. */
const WANTED_FULLNESS = 0.5;
/** Two readings further apart than this say nothing about how fast it changes. */
const STALE_FULLNESS_MS = 3_000;
/** Resets are rounded to seconds, and those that are named as seconds from now waver. */
const SHORTEST_WINDOW_MS = 500;

/** The same limit after an answer to a call that was counted at `atMs`. */
export function observe(known: ObservedLimit, atMs: number, reading: RateLimitReading): ObservedLimit {
  const { limit, remaining, resetMs, fill } = reading;
  if (limit === undefined || limit <= 0 || remaining === undefined) return known;
  const fullness = { atMs, limit, remaining: Math.min(remaining, limit), resetMs, fill: limit };
  if (fill !== undefined) return observeSteps(known, fullness, fill);
  return { ...known, fullness, windowMs: measureWindow(known.fullness, fullness) ?? known.windowMs };
}

/** A bucket that is filled in steps does not say when: it shows. */
function observeSteps(
  { fullness: last, filledAtMs }: ObservedLimit,
  fullness: Fullness,
  { calls, seconds }: NonNullable<RateLimitReading['fill']>,
): ObservedLimit {
  const { atMs, limit, remaining } = fullness;
  const fill = Math.min(calls, limit);
  const everyMs = seconds * 1_000;
  const hasLeapt = last !== undefined && remaining - last.remaining > fill / 2 && atMs - last.atMs < everyMs / 2;
  const lastMs = hasLeapt ? atMs : filledAtMs;
  const resetMs = lastMs === undefined ? undefined : atMs + everyMs - ((atMs - lastMs) % everyMs);
  return { fullness: { ...fullness, resetMs, fill }, windowMs: everyMs, filledAtMs: lastMs };
}

/** A window's length, when the reset that is named has leapt. One that only moves on as time does ends no window. */
function measureWindow(last: Fullness | undefined, fullness: Fullness): number | undefined {
  if (last?.resetMs === undefined || fullness.resetMs === undefined) return undefined;
  const movedMs = fullness.resetMs - last.resetMs;
  return movedMs > SHORTEST_WINDOW_MS && movedMs > 2 * (fullness.atMs - last.atMs) ? movedMs : undefined;
}

/** Calls above the wanted fullness: half-full, and in a window as much more or less as an even rate leaves at that time. */
export function measureSurplus(
  { limit, remaining, resetMs, fill, atMs }: Fullness,
  windowMs: number | undefined,
): number {
  const aboveHalf = remaining - limit * WANTED_FULLNESS;
  if (resetMs === undefined || windowMs === undefined) return aboveHalf;
  const left = Math.min(Math.max(resetMs - atMs, 0), windowMs) / windowMs;
  return aboveHalf - fill * (left - WANTED_FULLNESS);
}

/** How fast that grows, in calls a second. */
export function measureSurplusGrowth(
  last: Fullness | undefined,
  fullness: Fullness,
  windowMs: number | undefined,
): number {
  if (last === undefined || last.limit !== fullness.limit) return 0;
  const elapsedMs = fullness.atMs - last.atMs;
  if (elapsedMs <= 0 || elapsedMs > STALE_FULLNESS_MS) return 0;
  return ((measureSurplus(fullness, windowMs) - measureSurplus(last, windowMs)) / elapsedMs) * 1_000;
}
