import { setTimeout as timeout } from 'node:timers/promises';

import type { Chance, Clock } from '../ports.ts';
import { RateLimited } from './errors.ts';
import { notBefore, type RateLimitReading } from './rate-limit-reading.ts';
import {
  learnFromAnswer,
  slowDown,
  markHungry,
  estimateLeastWaitMs,
  refill,
  countRefusals,
  takeToken,
  createTokenBucket,
  estimateWaitMs,
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

/** A rate or a pause may change while somebody sleeps, so nobody sleeps longer. */
const LONGEST_SLEEP_MS = 250;

/** Some answers take longer than the average. */
const LATENCIES_FOR_AN_ANSWER = 2;
/** Else slow answers would keep every call from beginning, and so from being seen to be quick again. */
const LONGEST_FOR_AN_ANSWER_MS = 5_000;

/** Limits the rate of calls by what the answers say: a burst limit slows its own endpoint, a quota that is used up pauses the target. */
export function createRateLimiters(options: RateLimiterOptions): RateLimiters {
  const rateLimiters = new Map<string, RateLimiter>();
  const pauses = new Map<string, { untilMs: number }>();
  return {
    find: ({ target, endpoint, perSecond }) => {
      const key = JSON.stringify([target, endpoint]);
      const pause = pauses.get(target) ?? { untilMs: 0 };
      pauses.set(target, pause);
      const rateLimiter = rateLimiters.get(key) ?? createRateLimiter({ ...options, perSecond, pause });
      rateLimiters.set(key, rateLimiter);
      return rateLimiter;
    },
  };
}

interface Waiter {
  readonly deadlineMs: number;
  readonly begin: () => void;
  readonly giveUp: (atMs: number) => void;
}

function createRateLimiter(
  options: RateLimiterOptions & { readonly perSecond: number; readonly pause: { untilMs: number } },
): RateLimiter {
  const { clock, chance, workers, pause, sleep = timeout } = options;
  const nowMs = (): number => clock.now().getTime();
  const waiters: Waiter[] = [];
  let bucket: TokenBucket = createTokenBucket({ perSecond: options.perSecond / workers, nowMs: nowMs() });
  let pumping = false;

  const refilled = (): TokenBucket => {
    bucket = refill({ ...bucket, pausedUntilMs: Math.max(bucket.pausedUntilMs, pause.untilMs) }, nowMs(), workers);
    return bucket;
  };
  const mayBegin = (): boolean => refilled().tokens >= 1 && bucket.pausedUntilMs <= nowMs();

  const pump = async (): Promise<void> => {
    pumping = true;
    while (waiters.length > 0) {
      giveUpLate();
      while (waiters.length > 0 && mayBegin()) {
        bucket = takeToken(bucket);
        waiters.shift()?.begin();
      }
      if (waiters.length > 0)
        await sleep(Math.min(Math.max(1, estimateWaitMs(refilled(), 0, nowMs())), LONGEST_SLEEP_MS));
    }
    pumping = false;
  };

  /** Whether a call behind `place` others could not be answered before the deadline: begun any later, it would be cut off. */
  const isLate = (deadlineMs: number, place: number): boolean => {
    const now = nowMs();
    const answerMs = Math.min(LATENCIES_FOR_AN_ANSWER * bucket.latencyMs, LONGEST_FOR_AN_ANSWER_MS);
    return now + estimateLeastWaitMs(refilled(), place, now, workers) + answerMs > deadlineMs;
  };
  const beginsAtMs = (place: number): number => nowMs() + estimateWaitMs(refilled(), place, nowMs());

  const giveUpLate = (): void => {
    if (!waiters.some(({ deadlineMs }, place) => isLate(deadlineMs, place))) return;
    for (const waiter of waiters.splice(0)) {
      if (isLate(waiter.deadlineMs, waiters.length)) waiter.giveUp(beginsAtMs(waiters.length));
      else waiters.push(waiter);
    }
  };

  const wait = (signal: AbortSignal, deadlineMs: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const giveUp = (atMs: number): void => {
        signal.removeEventListener('abort', aborted);
        reject(tooLate(atMs));
      };
      const aborted = (): void => {
        waiters.splice(waiters.indexOf(waiter), 1);
        giveUp(beginsAtMs(waiters.length));
      };
      const begin = (): void => {
        signal.removeEventListener('abort', aborted);
        resolve();
      };
      const waiter: Waiter = { deadlineMs, begin, giveUp };
      signal.addEventListener('abort', aborted, { once: true });
      waiters.push(waiter);
      bucket = markHungry(bucket);
      if (!pumping) void pump();
    });

  return {
    acquire: async (signal, deadlineMs) => {
      if (signal.aborted || isLate(deadlineMs, waiters.length)) throw tooLate(beginsAtMs(waiters.length));
      if (waiters.length > 0 || !mayBegin()) return wait(signal, deadlineMs);
      bucket = takeToken(bucket);
    },
    recordAnswer: (reading, sentAtMs) => {
      const present = waiters.length > 0 ? markHungry(refilled()) : refilled();
      bucket = learnFromAnswer(present, { nowMs: nowMs(), sentAtMs, reading, workers });
    },
    recordRefusal: (reading, sentAtMs) => {
      const now = nowMs();
      const notBeforeMs = notBefore(reading, {
        nowMs: now,
        refusals: countRefusals(bucket, sentAtMs),
        random: chance.random(),
      });
      if (reading.scope === 'target') pause.untilMs = Math.max(pause.untilMs, notBeforeMs);
      bucket = slowDown(refilled(), { nowMs: now, sentAtMs, notBeforeMs, remaining: reading.remaining });
      giveUpLate();
      return notBeforeMs;
    },
  };
}

const tooLate = (notBeforeMs: number): RateLimited =>
  new RateLimited("The target's rate limit leaves no room for this call before the deadline; it will be sent later", {
    notBeforeMs: Math.ceil(notBeforeMs),
    sent: false,
  });
