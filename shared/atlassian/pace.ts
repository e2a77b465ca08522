import { aboveWanted, afterReading, rise, type Bucket, type Level } from './level.ts';
import type { Limits } from './limits.ts';

/** How fast one process calls one endpoint class with one method: a token bucket whose rate learns from the answers. */
export interface Pace extends Bucket {
  /** Calls a second that this process may begin. */
  readonly rate: number;
  readonly tokens: number;
  readonly refilledAtMs: number;
  /** No call begins before. */
  readonly pausedUntilMs: number;
  /** 429s in a row, for the backoff. */
  readonly refusals: number;
  readonly slowedAtMs: number;
  /** The rate at which Atlassian last said no; growth is careful near it. */
  readonly ceiling?: number | undefined;
  /** What the answer that named a rate said, so that a new one is noticed. */
  readonly namedPerSecond?: number | undefined;
  /** As it was when the last tick ended. */
  readonly lastLevel?: Level | undefined;
  readonly tick: Tick;
  readonly latencyMs: number;
}

/** What happened since the rate was last reconsidered. */
interface Tick {
  readonly sinceMs: number;
  /** Somebody had to wait for a token: a higher rate would be used. */
  readonly hungry: boolean;
  /** Atlassian warned: a higher rate would not be had for long. */
  readonly near: boolean;
}

export interface Answered {
  readonly nowMs: number;
  /** When the call began. */
  readonly sentAtMs: number;
  readonly limits: Limits;
  /** How many processes share the limit. */
  readonly workers: number;
}

const TICK_MS = 250;
const LONGEST_TICK_MS = 2_000;
const SLOWEST = 0.1;
const FASTEST = 100_000;
/** Gaps of up to this long between batches are made up. */
const BURST_SECONDS = 0.5;
// Level L with inflow R and our calls r: L' = R − Σr. Each of n processes does r' = (DAMPING·L' + STIFFNESS·(L − wanted))/n,
// a critically damped spring (2·√STIFFNESS = DAMPING), slow enough for answers that come a second late.
const STIFFNESS = 0.36;
const DAMPING = 1.2;
// The spring holds the sum of the workers' rates and leaves open who has which part of it: without a pull to even shares, the
// one that pauses least between its batches ends up with everything. It pulls nobody down while others leave room, nor up while
// they leave none: so a share that is guessed wrong does no harm.
const EVENNESS = 0.6;
/** In a window no longer than this, readings are too few to show how fast the level moves. */
const SHORT_WINDOW_MS = 2_000;
/** A refused rate is come near to at once, passed slowly, and forgotten beyond. */
const CAREFUL_ABOVE = 0.9;
const CAREFUL_GROWTH = 0.01;
const FREE_ABOVE = 1.1;

/** The pace at which a process starts, with its share of the published rate. */
export function startPace(options: { readonly perSecond: number; readonly nowMs: number }): Pace {
  const { perSecond, nowMs } = options;
  return {
    rate: perSecond,
    tokens: 1,
    refilledAtMs: nowMs,
    pausedUntilMs: 0,
    refusals: 0,
    slowedAtMs: 0,
    tick: { sinceMs: nowMs, hungry: false, near: false },
    latencyMs: 100,
  };
}

/** The same pace later: tokens have come in, unless it was paused. */
export function refill(pace: Pace, nowMs: number, workers: number): Pace {
  const fromMs = Math.max(pace.refilledAtMs, Math.min(pace.pausedUntilMs, nowMs));
  const seconds = Math.max(0, nowMs - fromMs) / 1_000;
  const tokens = Math.min(pace.tokens + seconds * pace.rate, Math.max(burst(pace, workers), pace.tokens));
  return { ...pace, tokens, refilledAtMs: nowMs };
}

function burst({ rate, level }: Pace, workers: number): number {
  const shared = level === undefined ? Infinity : level.remaining / workers;
  return Math.max(1, Math.min(rate * BURST_SECONDS, shared));
}

/** Milliseconds until a caller behind `waiting` others may begin. */
export function waitMs(pace: Pace, waiting: number, nowMs: number): number {
  const paused = Math.max(0, pace.pausedUntilMs - nowMs);
  return paused + (Math.max(0, waiting + 1 - pace.tokens) / pace.rate) * 1_000;
}

/** The same, at the even share where the present rate is lower: that may pass, a pause does not. */
export function leastWaitMs(pace: Pace, waiting: number, nowMs: number, workers: number): number {
  return waitMs({ ...pace, rate: Math.max(pace.rate, evenShare(pace, workers)) }, waiting, nowMs);
}

/** A call begins. */
export const spend = (pace: Pace): Pace => ({ ...pace, tokens: pace.tokens - 1 });

/** Somebody has to wait. */
export const grownHungry = (pace: Pace): Pace =>
  pace.tick.hungry ? pace : { ...pace, tick: { ...pace.tick, hungry: true } };

/** Atlassian took the call: its headers say how full its bucket is, and a few times a second the rate follows. */
export function afterAnswer(pace: Pace, answer: Answered): Pace {
  const { nowMs, sentAtMs, limits, workers } = answer;
  const { tick } = pace;
  const noted: Pace = {
    ...pace,
    // Atlassian counts a call halfway between its way there and the answer's way back.
    ...afterReading(pace, (sentAtMs + nowMs) / 2, limits),
    refusals: sentAtMs > pace.slowedAtMs ? 0 : pace.refusals,
    latencyMs: pace.latencyMs * 0.9 + Math.max(0, nowMs - sentAtMs) * 0.1,
    tick: { ...tick, near: tick.near || limits.near },
  };
  return reconsider(withNamedRate(noted, limits.perSecond, workers), nowMs, workers);
}

/** 429s in a row, with one to a call that began at `sentAtMs`: those to calls that were under way together are one. */
export const refusalsWith = (pace: Pace, sentAtMs: number): number =>
  pace.refusals + (sentAtMs > pace.slowedAtMs ? 1 : 0);

/** Atlassian said 429: half the rate, once for all the calls that were under way, and nothing before it asks us back. */
export function afterRefusal(
  pace: Pace,
  refusal: {
    readonly nowMs: number;
    readonly sentAtMs: number;
    readonly notBeforeMs: number;
    /** What the refusal itself says is left. */
    readonly remaining?: number | undefined;
  },
): Pace {
  const { nowMs, sentAtMs, notBeforeMs, remaining } = refusal;
  const paused = { ...pace, pausedUntilMs: Math.max(pace.pausedUntilMs, notBeforeMs), tokens: 0 };
  if (sentAtMs <= pace.slowedAtMs) return paused;
  return {
    ...paused,
    rate: clamp(pace.rate / 2),
    // An empty bucket says that all processes together were too fast, not that this rate is too high for one of them.
    ceiling: remaining === 0 ? undefined : pace.rate,
    slowedAtMs: nowMs,
    refusals: refusalsWith(pace, sentAtMs),
    level: undefined,
    lastLevel: undefined,
    tick: { sinceMs: nowMs, hungry: false, near: false },
  };
}

/** A rate that an answer names is taken at its word, once: whatever the level then shows goes further from there. */
function withNamedRate(pace: Pace, namedPerSecond: number | undefined, workers: number): Pace {
  if (namedPerSecond === undefined || namedPerSecond === pace.namedPerSecond) return pace;
  return { ...pace, namedPerSecond, rate: clamp(namedPerSecond / workers), ceiling: undefined };
}

function reconsider(pace: Pace, nowMs: number, workers: number): Pace {
  const { tick } = pace;
  const lengthMs = Math.min(Math.max(TICK_MS, 2 * pace.latencyMs), LONGEST_TICK_MS);
  if (nowMs - tick.sinceMs < lengthMs) return pace;
  const seconds = Math.min(nowMs - tick.sinceMs, LONGEST_TICK_MS) / 1_000;
  return {
    ...pace,
    ...nextRate(pace, { seconds, nowMs, workers }),
    lastLevel: pace.level,
    tick: { sinceMs: nowMs, hungry: false, near: false },
  };
}

interface Elapsed {
  readonly seconds: number;
  readonly nowMs: number;
  readonly workers: number;
}

function nextRate(pace: Pace, elapsed: Elapsed): Pick<Pace, 'rate' | 'ceiling'> {
  const { rate, ceiling, level, tick } = pace;
  const free = ceiling === undefined || rate > ceiling * FREE_ABOVE;
  // Who pauses between batches is hungry less often, and would only ever fall; so would everybody while a quota is near its end.
  const mayGrow = (tick.hungry && !tick.near) || rate < evenShare(pace, elapsed.workers);
  const fastest = mayGrow ? fastestGrowth(rate, free ? undefined : ceiling, elapsed.seconds) : rate;
  return { rate: clamp(Math.min(wantedRate(pace, level, elapsed), fastest)), ceiling: free ? undefined : ceiling };
}

/** One process's part of the rate that Atlassian names, or shows: a bucket that names none holds a second's calls (Jira Cloud). 0 where it does neither. */
function evenShare({ namedPerSecond, level, windowMs }: Pace, workers: number): number {
  if (namedPerSecond !== undefined || level === undefined) return (namedPerSecond ?? 0) / workers;
  const lengthMs = level.resetMs === undefined ? 1_000 : (windowMs ?? Infinity);
  return ((level.limit / lengthMs) * 1_000) / workers;
}

/** Doubled every second while nothing says no; around the rate that was last refused, by a hundredth of it a second. */
function fastestGrowth(rate: number, ceiling: number | undefined, seconds: number): number {
  const doubled = rate * 2 ** seconds;
  if (ceiling === undefined) return doubled;
  return Math.min(doubled, Math.max(ceiling * CAREFUL_ABOVE, rate + ceiling * CAREFUL_GROWTH * seconds));
}

function wantedRate(pace: Pace, level: Level | undefined, elapsed: Elapsed): number {
  const { rate, tick } = pace;
  if (level === undefined || level.atMs < tick.sinceMs) return Infinity;
  return Math.max(rateByLevel(pace, level, elapsed), rate / 2);
}

function rateByLevel(pace: Pace, level: Level, { seconds, nowMs, workers }: Elapsed): number {
  const { rate, lastLevel, windowMs } = pace;
  const { remaining, resetMs } = level;
  // The first window is spread over the time that it has left.
  const leftMs = (resetMs ?? 0) - nowMs;
  if (windowMs === undefined && leftMs > SHORT_WINDOW_MS) return ((remaining / leftMs) * 1_000) / workers;
  const above = aboveWanted(level, windowMs);
  const damping = windowMs !== undefined && windowMs <= SHORT_WINDOW_MS ? 0 : DAMPING;
  const push = damping * rise(lastLevel, level, windowMs) + STIFFNESS * above;
  const share = evenShare(pace, workers);
  const isBelowShare = rate < share;
  const hasRoom = above >= 0;
  const pull = share > 0 && isBelowShare === hasRoom ? EVENNESS * (share - rate) : 0;
  return rate + ((push + pull) * seconds) / workers;
}

const clamp = (rate: number): number => Math.min(Math.max(rate, SLOWEST), FASTEST);
