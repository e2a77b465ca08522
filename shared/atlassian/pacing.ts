import { setTimeout as timeout } from 'node:timers/promises';

import type { Chance, Clock } from '../ports.ts';
import { RateLimited } from './errors.ts';
import { notBefore, type Limits } from './limits.ts';
import {
  afterAnswer,
  afterRefusal,
  grownHungry,
  leastWaitMs,
  refill,
  refusalsWith,
  spend,
  startPace,
  waitMs,
  type Pace,
} from './pace.ts';

/** One budget: a target's endpoint class and method, as this process shares it with the other workers. */
export interface Pacer {
  /**
   * Resolves when a call may begin. Throws RateLimited, nothing sent, when that would leave it too little time before the
   * deadline to be answered, or when the signal ends first.
   */
  readonly take: (signal: AbortSignal, deadlineMs: number) => Promise<void>;
  /** Atlassian took a call that began at `sentAtMs`. */
  readonly answered: (limits: Limits, sentAtMs: number) => void;
  /** Atlassian answered 429, or 503 with a time; returns before when no call of this kind should begin. */
  readonly refused: (limits: Limits, sentAtMs: number) => number;
}

export interface PacingOptions {
  readonly clock: Clock;
  readonly chance: Chance;
  /** How many processes share each limit. */
  readonly workers: number;
  /** Tests bring their own time. */
  readonly sleep?: ((ms: number) => Promise<unknown>) | undefined;
}

/** The budgets of one process, each made when it is first asked for. */
export interface Pacing {
  readonly pacer: (budget: {
    readonly target: string;
    /** Endpoint class and method. */
    readonly endpoint: string;
    /** Calls a second of all workers together, to begin with. */
    readonly perSecond: number;
  }) => Pacer;
}

/** A rate or a pause may change while somebody sleeps, so nobody sleeps longer. */
const LONGEST_SLEEP_MS = 250;

/** Some answers take longer than the average. */
const LATENCIES_FOR_AN_ANSWER = 2;
/** Else slow answers would keep every call from beginning, and so from being seen to be quick again. */
const LONGEST_FOR_AN_ANSWER_MS = 5_000;

/** Paces calls by what the answers say: a burst limit slows its own endpoint, a quota that is used up pauses the target. */
export function createPacing(options: PacingOptions): Pacing {
  const pacers = new Map<string, Pacer>();
  const pauses = new Map<string, { untilMs: number }>();
  return {
    pacer: ({ target, endpoint, perSecond }) => {
      const key = JSON.stringify([target, endpoint]);
      const pause = pauses.get(target) ?? { untilMs: 0 };
      pauses.set(target, pause);
      const pacer = pacers.get(key) ?? createPacer({ ...options, perSecond, pause });
      pacers.set(key, pacer);
      return pacer;
    },
  };
}

interface Waiter {
  readonly deadlineMs: number;
  readonly begin: () => void;
  readonly giveUp: (atMs: number) => void;
}

function createPacer(
  options: PacingOptions & { readonly perSecond: number; readonly pause: { untilMs: number } },
): Pacer {
  const { clock, chance, workers, pause, sleep = timeout } = options;
  const nowMs = (): number => clock.now().getTime();
  const waiters: Waiter[] = [];
  let pace: Pace = startPace({ perSecond: options.perSecond / workers, nowMs: nowMs() });
  let pumping = false;

  const refilled = (): Pace => {
    pace = refill({ ...pace, pausedUntilMs: Math.max(pace.pausedUntilMs, pause.untilMs) }, nowMs(), workers);
    return pace;
  };
  const mayBegin = (): boolean => refilled().tokens >= 1 && pace.pausedUntilMs <= nowMs();

  const pump = async (): Promise<void> => {
    pumping = true;
    while (waiters.length > 0) {
      giveUpLate();
      while (waiters.length > 0 && mayBegin()) {
        pace = spend(pace);
        waiters.shift()?.begin();
      }
      if (waiters.length > 0) await sleep(Math.min(Math.max(1, waitMs(refilled(), 0, nowMs())), LONGEST_SLEEP_MS));
    }
    pumping = false;
  };

  /** Whether a call behind `place` others could not be answered before the deadline: begun any later, it would be cut off. */
  const isLate = (deadlineMs: number, place: number): boolean => {
    const now = nowMs();
    const answerMs = Math.min(LATENCIES_FOR_AN_ANSWER * pace.latencyMs, LONGEST_FOR_AN_ANSWER_MS);
    return now + leastWaitMs(refilled(), place, now, workers) + answerMs > deadlineMs;
  };
  const beginsAtMs = (place: number): number => nowMs() + waitMs(refilled(), place, nowMs());

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
      pace = grownHungry(pace);
      if (!pumping) void pump();
    });

  return {
    take: async (signal, deadlineMs) => {
      if (signal.aborted || isLate(deadlineMs, waiters.length)) throw tooLate(beginsAtMs(waiters.length));
      if (waiters.length > 0 || !mayBegin()) return wait(signal, deadlineMs);
      pace = spend(pace);
    },
    answered: (limits, sentAtMs) => {
      const present = waiters.length > 0 ? grownHungry(refilled()) : refilled();
      pace = afterAnswer(present, { nowMs: nowMs(), sentAtMs, limits, workers });
    },
    refused: (limits, sentAtMs) => {
      const now = nowMs();
      const notBeforeMs = notBefore(limits, {
        nowMs: now,
        refusals: refusalsWith(pace, sentAtMs),
        random: chance.random(),
      });
      if (limits.scope === 'target') pause.untilMs = Math.max(pause.untilMs, notBeforeMs);
      pace = afterRefusal(refilled(), { nowMs: now, sentAtMs, notBeforeMs, remaining: limits.remaining });
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
