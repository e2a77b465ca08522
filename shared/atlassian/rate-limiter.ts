import { setTimeout as timeout } from 'node:timers/promises';

import type { Chance, Clock } from '../ports.ts';
import { RateLimited } from './errors.ts';
import { computeNotBefore, type RateLimitReading } from './rate-limit-reading.ts';
import {
  countRefusals,
  createTokenBucket,
  estimateLeastWaitMs,
  estimateWaitMs,
  learnFromAnswer,
  markHungry,
  refill,
  slowDown,
  takeToken,
  type TokenBucket,
} from './token-bucket.ts';

/** The rate limit of one budget: a target's endpoint class and method, as this process shares it with the other workers. */
export interface RateLimiter {
  /**
   * Resolves when a call may begin. Throws RateLimited, nothing sent, when that would leave it too little time before the
   * deadline to be answered, or when the signal ends first.
   */
  readonly acquire: (signal: AbortSignal, deadlineMs: number) => Promise<void>;
  /** Atlassian took a call that began at `sentAtMs`. */
  readonly recordAnswer: (reading: RateLimitReading, sentAtMs: number) => void;
  /** Atlassian answered 429, or 503 with a time; returns before when no call of this kind should begin. */
  readonly recordRefusal: (reading: RateLimitReading, sentAtMs: number) => number;
}

export interface RateLimiterOptions {
  readonly clock: Clock;
  readonly chance: Chance;
  /** How many processes share each limit. */
  readonly workers: number;
  /** Tests bring their own time. */
  readonly sleep?: ((ms: number) => Promise<unknown>) | undefined;
}

/** The budgets of one process, each made when it is first asked for. */
export interface RateLimiters {
  readonly find: (budget: {
    readonly target: string;
    /** Endpoint class and method. */
    readonly endpoint: string;
    /** Calls a second of all workers together, to begin with. */
    readonly perSecond: number;
  }) => RateLimiter;
}

/** Limits the rate of calls by what the answers say: a burst limit slows its own endpoint, a quota that is used up pauses the target. */
export function createRateLimiters(options: RateLimiterOptions): RateLimiters {
  const rateLimiters = new Map<string, RateLimiter>();
  const pauses = new Map<string, Pause>();
  return {
    find: ({ target, endpoint, perSecond }) => {
      const key = JSON.stringify([target, endpoint]);
      const pause = pauses.get(target) ?? { untilMs: 0 };
      pauses.set(target, pause);
      const rateLimiter = rateLimiters.get(key) ?? createRateLimiter(options, perSecond, pause);
      rateLimiters.set(key, rateLimiter);
      return rateLimiter;
    },
  };
}

/** Of a whole target: all its rate limiters have the same. */
interface Pause {
  untilMs: number;
}

interface State {
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
  readonly workers: number;
  readonly pause: Pause;
  bucket: TokenBucket;
  /** In the order in which they came. */
  readonly waiters: Waiter[];
  /** Whether somebody sees to it that the waiters begin. */
  isServing: boolean;
}

interface Waiter {
  readonly deadlineMs: number;
  readonly begin: () => void;
  readonly giveUp: (atMs: number) => void;
}

function createRateLimiter(options: RateLimiterOptions, perSecond: number, pause: Pause): RateLimiter {
  const { clock, chance, workers, sleep = timeout } = options;
  const nowMs = (): number => clock.now().getTime();
  const bucket = createTokenBucket({ perSecond: perSecond / workers, nowMs: nowMs() });
  const state: State = { nowMs, sleep, workers, pause, bucket, waiters: [], isServing: false };
  const { waiters } = state;
  return {
    acquire: async (signal, deadlineMs) => {
      const place = waiters.length;
      if (signal.aborted || isLate(state, deadlineMs, place)) throw createDeadlineError(estimateStartMs(state, place));
      if (place > 0 || !mayBegin(state)) return wait(state, signal, deadlineMs);
      state.bucket = takeToken(state.bucket);
    },
    recordAnswer: (reading, sentAtMs) => {
      const present = waiters.length > 0 ? markHungry(refillNow(state)) : refillNow(state);
      state.bucket = learnFromAnswer(present, { nowMs: nowMs(), sentAtMs, reading, workers });
    },
    recordRefusal: (reading, sentAtMs) => {
      const now = nowMs();
      const refusals = countRefusals(state.bucket, sentAtMs);
      const notBeforeMs = computeNotBefore(reading, { nowMs: now, refusals, random: chance.random() });
      if (reading.scope === 'target') pause.untilMs = Math.max(pause.untilMs, notBeforeMs);
      const { remaining, retryAtMs, resetMs, stateEndsAtMs } = reading;
      const isBare = remaining !== 0 && [retryAtMs, resetMs, stateEndsAtMs].every((named) => named === undefined);
      state.bucket = slowDown(refillNow(state), { nowMs: now, sentAtMs, notBeforeMs, remaining, isBare });
      giveUpLate(state);
      return notBeforeMs;
    },
  };
}

function refillNow(state: State): TokenBucket {
  const { bucket, pause, nowMs, workers } = state;
  const pausedUntilMs = Math.max(bucket.pausedUntilMs, pause.untilMs);
  state.bucket = refill({ ...bucket, pausedUntilMs }, nowMs(), workers);
  return state.bucket;
}

function mayBegin(state: State): boolean {
  const { tokens, pausedUntilMs } = refillNow(state);
  return tokens >= 1 && pausedUntilMs <= state.nowMs();
}

/** Some answers take longer than the average. */
const LATENCIES_FOR_AN_ANSWER = 2;
/** Else slow answers would keep every call from beginning, and so from being seen to be quick again. */
const LONGEST_FOR_AN_ANSWER_MS = 5_000;

/** Whether a call behind `place` others could not be answered before the deadline: begun any later, it would be cut off. */
function isLate(state: State, deadlineMs: number, place: number): boolean {
  const now = state.nowMs();
  const answerMs = Math.min(LATENCIES_FOR_AN_ANSWER * state.bucket.latencyMs, LONGEST_FOR_AN_ANSWER_MS);
  return now + estimateLeastWaitMs(refillNow(state), place, now, state.workers) + answerMs > deadlineMs;
}

const estimateStartMs = (state: State, place: number): number =>
  state.nowMs() + estimateWaitMs(refillNow(state), place, state.nowMs());

function wait(state: State, signal: AbortSignal, deadlineMs: number): Promise<void> {
  const { waiters } = state;
  return new Promise((resolve, reject) => {
    const giveUp = (atMs: number): void => {
      signal.removeEventListener('abort', leave);
      reject(createDeadlineError(atMs));
    };
    const leave = (): void => {
      waiters.splice(waiters.indexOf(waiter), 1);
      giveUp(estimateStartMs(state, waiters.length));
    };
    const begin = (): void => {
      signal.removeEventListener('abort', leave);
      resolve();
    };
    const waiter: Waiter = { deadlineMs, begin, giveUp };
    signal.addEventListener('abort', leave, { once: true });
    waiters.push(waiter);
    state.bucket = markHungry(state.bucket);
    if (!state.isServing) void serve(state);
  });
}

/** A rate or a pause may change while somebody sleeps, so nobody sleeps longer. */
const LONGEST_SLEEP_MS = 250;

/** Lets the waiters begin, one after the other, until none is left. */
async function serve(state: State): Promise<void> {
  const { waiters, nowMs, sleep } = state;
  state.isServing = true;
  while (waiters.length > 0) {
    giveUpLate(state);
    while (waiters.length > 0 && mayBegin(state)) {
      state.bucket = takeToken(state.bucket);
      waiters.shift()?.begin();
    }
    if (waiters.length > 0)
      await sleep(Math.min(Math.max(1, estimateWaitMs(refillNow(state), 0, nowMs())), LONGEST_SLEEP_MS));
  }
  state.isServing = false;
}

function giveUpLate(state: State): void {
  const { waiters } = state;
  if (!waiters.some(({ deadlineMs }, place) => isLate(state, deadlineMs, place))) return;
  for (const waiter of waiters.splice(0)) {
    if (isLate(state, waiter.deadlineMs, waiters.length)) waiter.giveUp(estimateStartMs(state, waiters.length));
    else waiters.push(waiter);
  }
}

const createDeadlineError = (notBeforeMs: number): RateLimited =>
  new RateLimited("The target's rate limit leaves no room for this call before the deadline; it will be sent later", {
    notBeforeMs: Math.ceil(notBeforeMs),
    sent: false,
  });
