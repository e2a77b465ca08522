import {
  measureGrowth,
  measureSurplus,
  observe,
  type Fullness,
  type ObservedLimit,
  type RateLimitReading,
} from './rate-limit-reading.ts';

/** How fast one process calls one endpoint class with one method: a token bucket whose rate learns from the answers. */
export interface TokenBucket extends ObservedLimit {
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
  readonly lastFullness?: Fullness | undefined;
  readonly tick: Tick;
  readonly latencyMs: number;
  readonly noise: Noise;
}

/**
 * Refusals that say neither when to come back nor that nothing is left, and how often they come: some limiters say no for reasons of
 * their own, whatever the rate. Slowing down for those would end in standing still.
 */
interface Noise {
  /** Calls, and refusals of that kind, at the present rate. */
  readonly calls: number;
  readonly refused: number;
  /** Their share at the rate before, and how often in a row a lower rate has not made it smaller. */
  readonly shareBefore?: number | undefined;
  readonly futile: number;
  /** The rate before it was lowered in vain. */
  readonly rateBefore: number;
  /** Their share that is taken as given; absent while they are taken for a limit. */
  readonly given?: number | undefined;
}

/** What happened since the rate was last adjusted. */
interface Tick {
  readonly sinceMs: number;
  /** Somebody had to wait for a token: a higher rate would be used. */
  readonly hungry: boolean;
  /** Atlassian warned: a higher rate would not be had for long. */
  readonly near: boolean;
}

/** A call that Atlassian took, and what its answer's headers say. */
export interface AnsweredCall {
  readonly nowMs: number;
  /** When the call began. */
  readonly sentAtMs: number;
  readonly reading: RateLimitReading;
  /** How many processes share the limit. */
  readonly workers: number;
}

const TICK_MS = 250;
const LONGEST_TICK_MS = 2_000;
const SLOWEST = 0.1;
const FASTEST = 100_000;
/** Gaps of up to this long between batches are made up. */
const BURST_SECONDS = 0.5;
// Fullness L with inflow R and our calls r: L' = R − Σr. Each of n processes does r' = (DAMPING·L' + STIFFNESS·(L − wanted))/n,
// a critically damped spring (2·√STIFFNESS = DAMPING), slow enough for answers that come a second late.
const STIFFNESS = 0.36;
const DAMPING = 1.2;
// The spring holds the sum of the workers' rates and leaves open who has which part of it: without a pull to even shares, the
// one that pauses least between its batches ends up with everything. It pulls nobody down while others leave room, nor up while
// they leave none: so a share that is guessed wrong does no harm.
const EVENNESS = 0.6;
/** In a window no longer than this, readings are too few to show how fast the fullness changes. */
const SHORT_WINDOW_MS = 2_000;
/** A refused rate is come near to at once, passed slowly, and forgotten beyond. */
const CAREFUL_ABOVE = 0.9;
const CAREFUL_GROWTH = 0.01;
const FREE_ABOVE = 1.1;

/** The bucket that a process starts with, at its share of the published rate. */
export function createTokenBucket(options: { readonly perSecond: number; readonly nowMs: number }): TokenBucket {
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
    noise: { calls: 0, refused: 0, futile: 0, rateBefore: perSecond },
  };
}

/** The same bucket later: tokens have come in, unless it was paused. */
export function refill(bucket: TokenBucket, nowMs: number, workers: number): TokenBucket {
  const fromMs = Math.max(bucket.refilledAtMs, Math.min(bucket.pausedUntilMs, nowMs));
  const seconds = Math.max(0, nowMs - fromMs) / 1_000;
  const most = Math.max(computeBurst(bucket, workers), bucket.tokens);
  const tokens = Math.min(bucket.tokens + seconds * bucket.rate, most);
  return { ...bucket, tokens, refilledAtMs: nowMs };
}

function computeBurst({ rate, fullness }: TokenBucket, workers: number): number {
  const shared = fullness === undefined ? Infinity : fullness.remaining / workers;
  return Math.max(1, Math.min(rate * BURST_SECONDS, shared));
}

/** Milliseconds until a call behind `waiting` others may begin. */
export function estimateWaitMs(bucket: TokenBucket, waiting: number, nowMs: number): number {
  const paused = Math.max(0, bucket.pausedUntilMs - nowMs);
  return paused + (Math.max(0, waiting + 1 - bucket.tokens) / bucket.rate) * 1_000;
}

/** The same, at the even share where the present rate is lower: that may pass, a pause does not. */
export function estimateLeastWaitMs(bucket: TokenBucket, waiting: number, nowMs: number, workers: number): number {
  return estimateWaitMs({ ...bucket, rate: Math.max(bucket.rate, computeEvenShare(bucket, workers)) }, waiting, nowMs);
}

/** A call begins. */
export const takeToken = (bucket: TokenBucket): TokenBucket => ({ ...bucket, tokens: bucket.tokens - 1 });

/** Somebody has to wait. */
export const markHungry = (bucket: TokenBucket): TokenBucket =>
  bucket.tick.hungry ? bucket : { ...bucket, tick: { ...bucket.tick, hungry: true } };

/** Atlassian took the call: its headers say how full its bucket is, and a few times a second the rate follows. */
export function learnFromAnswer(bucket: TokenBucket, answer: AnsweredCall): TokenBucket {
  const { nowMs, sentAtMs, reading, workers } = answer;
  const { tick } = bucket;
  const noted: TokenBucket = {
    ...bucket,
    // Atlassian counts a call halfway between its way there and the answer's way back.
    ...observe(bucket, (sentAtMs + nowMs) / 2, reading),
    refusals: sentAtMs > bucket.slowedAtMs ? 0 : bucket.refusals,
    latencyMs: bucket.latencyMs * 0.9 + Math.max(0, nowMs - sentAtMs) * 0.1,
    noise: countCall(bucket.noise, false),
    tick: { ...tick, near: tick.near || reading.near },
  };
  return adjustRate(adoptNamedRate(noted, reading.perSecond, workers), nowMs, workers);
}

/** 429s in a row, with one to a call that began at `sentAtMs`: those to calls that were under way together are one. */
export const countRefusals = (bucket: TokenBucket, sentAtMs: number): number =>
  bucket.refusals + (sentAtMs > bucket.slowedAtMs ? 1 : 0);

/** Atlassian said 429. */
export function slowDown(
  bucket: TokenBucket,
  refusal: {
    readonly nowMs: number;
    readonly sentAtMs: number;
    readonly notBeforeMs: number;
    /** What the refusal itself says is left. */
    readonly remaining?: number | undefined;
    /** It says nothing of a limit: neither when to come back, nor that nothing is left. */
    readonly isBare: boolean;
  },
): TokenBucket {
  const { isBare, ...told } = refusal;
  return isBare ? slowDownUnlessVain(bucket, told) : obey(bucket, told);
}

type Refusal = Omit<Parameters<typeof slowDown>[1], 'isBare'>;

/** So many calls show a share of refusals, and as many times in a row it has to stay as it is. */
const CALLS_FOR_A_SHARE = 25;
const FUTILE = 2;
/** A share that has fallen by less is the same, and one that has risen by more is another. */
const SAME_SHARE = 0.5;
const OTHER_SHARE = 2;

const countCall = (noise: Noise, isRefused: boolean): Noise => {
  // Old calls are forgotten by halves, so that a share that changes is noticed.
  const keep = noise.given !== undefined && noise.calls >= 8 * CALLS_FOR_A_SHARE ? 0.5 : 1;
  return { ...noise, calls: noise.calls * keep + 1, refused: noise.refused * keep + (isRefused ? 1 : 0) };
};

/** A refusal without a reason slows down as any other, until that has shown to be in vain; then it costs its own call alone, as long as they are no more than that. */
function slowDownUnlessVain(bucket: TokenBucket, refusal: Refusal): TokenBucket {
  const counted = countCall(bucket.noise, true);
  const share = counted.refused / counted.calls;
  if (counted.given !== undefined) {
    if (counted.calls < CALLS_FOR_A_SHARE || share <= OTHER_SHARE * counted.given) return { ...bucket, noise: counted };
    return obey({ ...bucket, noise: { ...startAgain(counted), given: undefined, futile: 0 } }, refusal);
  }
  if (refusal.sentAtMs <= bucket.slowedAtMs) return obey({ ...bucket, noise: counted }, refusal);
  if (counted.shareBefore !== undefined && counted.calls < CALLS_FOR_A_SHARE) return { ...bucket, noise: counted };
  const isVain = counted.shareBefore !== undefined && share >= SAME_SHARE * counted.shareBefore;
  const futile = isVain ? counted.futile + 1 : 0;
  const rateBefore = futile === 0 ? bucket.rate : counted.rateBefore;
  const noise: Noise = { ...startAgain(counted), shareBefore: share, futile, rateBefore };
  if (futile < FUTILE) return obey({ ...bucket, noise }, refusal);
  return { ...bucket, rate: clamp(rateBefore), ceiling: undefined, refusals: 0, noise: { ...noise, given: share } };
}

const startAgain = (noise: Noise): Noise => ({ ...noise, calls: 0, refused: 0 });

/** Half the rate, once for all the calls that were under way, and nothing before it asks us back. */
function obey(bucket: TokenBucket, refusal: Refusal): TokenBucket {
  const { nowMs, sentAtMs, notBeforeMs, remaining } = refusal;
  const paused = { ...bucket, pausedUntilMs: Math.max(bucket.pausedUntilMs, notBeforeMs), tokens: 0 };
  if (sentAtMs <= bucket.slowedAtMs) return paused;
  return {
    ...paused,
    rate: clamp(bucket.rate / 2),
    // An empty bucket says that all processes together were too fast, not that this rate is too high for one of them.
    ceiling: remaining === 0 ? undefined : bucket.rate,
    slowedAtMs: nowMs,
    refusals: countRefusals(bucket, sentAtMs),
    fullness: undefined,
    lastFullness: undefined,
    tick: { sinceMs: nowMs, hungry: false, near: false },
  };
}

/** A rate that an answer names is taken at its word, once: the fullness then steers it from there. */
function adoptNamedRate(bucket: TokenBucket, namedPerSecond: number | undefined, workers: number): TokenBucket {
  if (namedPerSecond === undefined || namedPerSecond === bucket.namedPerSecond) return bucket;
  return { ...bucket, namedPerSecond, rate: clamp(namedPerSecond / workers), ceiling: undefined };
}

function adjustRate(bucket: TokenBucket, nowMs: number, workers: number): TokenBucket {
  const { tick } = bucket;
  const lengthMs = Math.min(Math.max(TICK_MS, 2 * bucket.latencyMs), LONGEST_TICK_MS);
  if (nowMs - tick.sinceMs < lengthMs) return bucket;
  const seconds = Math.min(nowMs - tick.sinceMs, LONGEST_TICK_MS) / 1_000;
  return {
    ...bucket,
    ...computeRate(bucket, { seconds, nowMs, workers }),
    lastFullness: bucket.fullness,
    tick: { sinceMs: nowMs, hungry: false, near: false },
  };
}

interface Elapsed {
  readonly seconds: number;
  readonly nowMs: number;
  readonly workers: number;
}

function computeRate(bucket: TokenBucket, elapsed: Elapsed): Pick<TokenBucket, 'rate' | 'ceiling'> {
  const { rate, ceiling, fullness, tick } = bucket;
  const free = ceiling === undefined || rate > ceiling * FREE_ABOVE;
  // Who pauses between batches is hungry less often, and would only ever fall; so would everybody while a quota is near its end.
  const mayGrow = (tick.hungry && !tick.near) || rate < computeEvenShare(bucket, elapsed.workers);
  const fastest = mayGrow ? limitGrowth(rate, free ? undefined : ceiling, elapsed.seconds) : rate;
  return {
    rate: clamp(Math.min(computeWantedRate(bucket, fullness, elapsed), fastest)),
    ceiling: free ? undefined : ceiling,
  };
}

/** One process's part of the rate that Atlassian names, or shows: a bucket that names none holds a second's calls (Jira Cloud). 0 where it does neither. */
function computeEvenShare({ namedPerSecond, fullness, windowMs }: TokenBucket, workers: number): number {
  if (namedPerSecond !== undefined || fullness === undefined) return (namedPerSecond ?? 0) / workers;
  const lengthMs = fullness.resetMs === undefined ? 1_000 : (windowMs ?? Infinity);
  return ((fullness.limit / lengthMs) * 1_000) / workers;
}

/** Doubled every second while nothing says no; around the rate that was last refused, by a hundredth of it a second. */
function limitGrowth(rate: number, ceiling: number | undefined, seconds: number): number {
  const doubled = rate * 2 ** seconds;
  if (ceiling === undefined) return doubled;
  return Math.min(doubled, Math.max(ceiling * CAREFUL_ABOVE, rate + ceiling * CAREFUL_GROWTH * seconds));
}

function computeWantedRate(bucket: TokenBucket, fullness: Fullness | undefined, elapsed: Elapsed): number {
  const { rate, tick } = bucket;
  if (fullness === undefined || fullness.atMs < tick.sinceMs) return Infinity;
  return Math.max(steerByFullness(bucket, fullness, elapsed), rate / 2);
}

function steerByFullness(bucket: TokenBucket, fullness: Fullness, { seconds, nowMs, workers }: Elapsed): number {
  const { rate, lastFullness, windowMs } = bucket;
  const { remaining, resetMs } = fullness;
  // The first window is spread over the time that it has left.
  const leftMs = (resetMs ?? 0) - nowMs;
  if (windowMs === undefined && leftMs > SHORT_WINDOW_MS && !isFarWithRoom(fullness, leftMs))
    return ((remaining / leftMs) * 1_000) / workers;
  const above = measureSurplus(fullness, windowMs);
  const damping = windowMs !== undefined && windowMs <= SHORT_WINDOW_MS ? 0 : DAMPING;
  const push = damping * measureGrowth(lastFullness, fullness, windowMs) + STIFFNESS * above;
  const share = computeEvenShare(bucket, workers);
  const isBelowShare = rate < share;
  const hasRoom = above >= 0;
  const pull = share > 0 && isBelowShare === hasRoom ? EVENNESS * (share - rate) : 0;
  return rate + ((push + pull) * seconds) / workers;
}

/** A reset further ahead than this, while half is left that would have to last until then, names no window of these limits. */
const FAR_MS = 300_000;

const isFarWithRoom = ({ remaining, limit }: Fullness, leftMs: number): boolean =>
  leftMs > FAR_MS && remaining >= limit / 2 && limit / leftMs < 1 / 1_000;

const clamp = (rate: number): number => Math.min(Math.max(rate, SLOWEST), FASTEST);
