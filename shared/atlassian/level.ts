import type { Limits } from './limits.ts';

/** How full Atlassian's own bucket or window was when it counted a call. */
export interface Level {
  readonly atMs: number;
  readonly limit: number;
  readonly remaining: number;
  /** When it is filled again: the end of its window. */
  readonly resetMs?: number | undefined;
  /** Calls that it is filled by then; a window that starts anew is filled whole. */
  readonly fill: number;
}

/** What the answers have shown of Atlassian's bucket. */
export interface Bucket {
  readonly level?: Level | undefined;
  /** From one filling to the next; absent for a bucket that is filled all the time, and until two resets were named. */
  readonly windowMs?: number | undefined;
  /** When one that is filled in steps was last seen to be. */
  readonly filledAtMs?: number | undefined;
}

/** Half-full leaves as much room for others that come as for gaps that are made up; a window is so on the average. */
const WANTED_FULLNESS = 0.5;
/** Two readings further apart than this say nothing about how fast the level moves. */
const STALE_LEVEL_MS = 3_000;
/** Resets are rounded to seconds, and those that are named as seconds from now waver. */
const SHORTEST_WINDOW_MS = 500;

/** The bucket after an answer to a call that was counted at `atMs`. */
export function afterReading(bucket: Bucket, atMs: number, limits: Limits): Bucket {
  const { limit, remaining, fill } = limits;
  if (limit === undefined || limit <= 0 || remaining === undefined) return bucket;
  const reading = { atMs, limit, remaining: Math.min(remaining, limit), resetMs: limits.resetMs, fill: limit };
  if (fill !== undefined) return afterSteps(bucket, reading, fill);
  return { ...bucket, level: reading, windowMs: betweenResets(bucket.level, reading) ?? bucket.windowMs };
}

/** A bucket that is filled in steps does not say when: it shows. */
function afterSteps(
  { level, filledAtMs }: Bucket,
  reading: Level,
  { calls, seconds }: NonNullable<Limits['fill']>,
): Bucket {
  const { atMs, limit, remaining } = reading;
  const fill = Math.min(calls, limit);
  const everyMs = seconds * 1_000;
  const hasLeapt = level !== undefined && remaining - level.remaining > fill / 2 && atMs - level.atMs < everyMs / 2;
  const lastMs = hasLeapt ? atMs : filledAtMs;
  const resetMs = lastMs === undefined ? undefined : atMs + everyMs - ((atMs - lastMs) % everyMs);
  return { level: { ...reading, resetMs, fill }, windowMs: everyMs, filledAtMs: lastMs };
}

/** A window's length, when the reset that is named has leapt. One that only moves on as time does ends no window. */
function betweenResets(last: Level | undefined, level: Level): number | undefined {
  if (last?.resetMs === undefined || level.resetMs === undefined) return undefined;
  const movedMs = level.resetMs - last.resetMs;
  return movedMs > SHORTEST_WINDOW_MS && movedMs > 2 * (level.atMs - last.atMs) ? movedMs : undefined;
}

/** Calls above the wanted level: half-full, and in a window as much more or less as an even rate leaves at that time. */
export function aboveWanted({ limit, remaining, resetMs, fill, atMs }: Level, windowMs: number | undefined): number {
  const aboveHalf = remaining - limit * WANTED_FULLNESS;
  if (resetMs === undefined || windowMs === undefined) return aboveHalf;
  const left = Math.min(Math.max(resetMs - atMs, 0), windowMs) / windowMs;
  return aboveHalf - fill * (left - WANTED_FULLNESS);
}

/** How fast that grows, in calls a second. */
export function rise(last: Level | undefined, level: Level, windowMs: number | undefined): number {
  if (last === undefined || last.limit !== level.limit) return 0;
  const elapsedMs = level.atMs - last.atMs;
  if (elapsedMs <= 0 || elapsedMs > STALE_LEVEL_MS) return 0;
  return ((aboveWanted(level, windowMs) - aboveWanted(last, windowMs)) / elapsedMs) * 1_000;
}
