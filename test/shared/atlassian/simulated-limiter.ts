import type { RateLimiter } from '../../../shared/atlassian/rate-limiter.ts';
import { readRateLimit, type Headers } from '../../../shared/atlassian/rate-limit-reading.ts';
import type { VirtualTime } from './virtual-time.ts';

/** A limit as Atlassian describes it: what is allowed, refused, and said about it. */
export interface Limiter {
  readonly call: () => { readonly allowed: boolean; readonly headers: Headers };
  readonly change: (perSecond: number) => void;
  /** Somebody else has used it up, and goes on for a second. */
  readonly empty: () => void;
  readonly counts: { allowed: number; refused: number };
}

/** What its headers tell: how much remains, that and the policy (Jira Cloud's way), that and a reset within the second (the organisation API's way), another limit than the one that refuses, or nothing. */
export type Says = 'remaining' | 'policy' | 'reset' | 'another' | 'nothing';

export function tokenBucket(time: VirtualTime, perSecond: number, says: Says = 'remaining'): Limiter {
  let rate = perSecond;
  let tokens = perSecond;
  let atMs = time.nowMs();
  const counts = { allowed: 0, refused: 0 };
  const headers = (): Headers => {
    if (says === 'nothing') return {};
    if (says === 'another') return { 'x-ratelimit-limit': '100', 'x-ratelimit-remaining': '99' };
    const level = {
      'x-ratelimit-limit': String(rate),
      'x-ratelimit-remaining': String(Math.max(0, Math.floor(tokens))),
    };
    if (says === 'policy') return { ...level, 'beta-ratelimit-policy': `"jira-burst-based";q=${rate};w=1` };
    const reset = new Date(Math.ceil((time.nowMs() + 1) / 1_000) * 1_000).toISOString();
    return says === 'reset' ? { ...level, 'x-ratelimit-reset': reset } : level;
  };
  return {
    counts,
    change: (next) => {
      rate = next;
    },
    empty: () => {
      tokens = -rate;
    },
    call: () => {
      tokens = Math.min(rate, tokens + ((time.nowMs() - atMs) / 1_000) * rate);
      atMs = time.nowMs();
      if (tokens < 1) {
        counts.refused += 1;
        const wait = says === 'reset' ? {} : { 'retry-after': '1', 'ratelimit-reason': 'jira-burst-based' };
        return { allowed: false, headers: { ...headers(), ...wait } };
      }
      tokens -= 1;
      counts.allowed += 1;
      return { allowed: true, headers: headers() };
    },
  };
}

/** What a bucket that is filled in steps tells besides its level: the next step (a window's reset), its fill rate (Data Center's way), or nothing. */
export type StepSays = 'reset' | 'fill rate' | 'remaining';

export interface Steps {
  /** Calls that it holds. */
  readonly limit: number;
  /** Calls that each step adds; a fixed window is filled to the brim. */
  readonly fill?: number;
  readonly everyMs: number;
  readonly says: StepSays;
}

/** A bucket that is filled in steps, of which a fixed window is one. */
export function steppedBucket(time: VirtualTime, { limit, fill = limit, everyMs, says }: Steps): Limiter {
  let tokens = limit;
  let nextMs = Math.ceil((time.nowMs() + 1) / everyMs) * everyMs;
  const counts = { allowed: 0, refused: 0 };
  const headers = (): Headers => {
    const level = { 'x-ratelimit-limit': String(limit), 'x-ratelimit-remaining': String(tokens) };
    if (says === 'reset') return { ...level, 'x-ratelimit-reset': new Date(nextMs).toISOString() };
    if (says === 'remaining') return level;
    const seconds = String(everyMs / 1_000);
    return {
      ...level,
      'x-ratelimit-fillrate': String(fill),
      'x-ratelimit-interval-seconds': seconds,
      'retry-after': '0',
    };
  };
  return {
    counts,
    change: () => undefined,
    empty: () => {
      tokens = 0;
    },
    call: () => {
      while (time.nowMs() >= nextMs) {
        tokens = Math.min(limit, tokens + fill);
        nextMs += everyMs;
      }
      if (tokens === 0) {
        counts.refused += 1;
        const wait = says === 'reset' ? {} : { 'retry-after': String(Math.ceil((nextMs - time.nowMs()) / 1_000)) };
        return { allowed: false, headers: { ...headers(), ...wait } };
      }
      tokens -= 1;
      counts.allowed += 1;
      return { allowed: true, headers: headers() };
    },
  };
}

/** A worker process: batches of rows with a gap between them, up to `underWay` calls at once, each `latencyMs` long. */
export async function simulateWorker(options: {
  readonly time: VirtualTime;
  readonly rateLimiter: RateLimiter;
  readonly limiter: Limiter;
  readonly signal: AbortSignal;
  readonly underWay?: number;
  readonly latencyMs?: number;
  readonly batch?: number;
  readonly gapMs?: number;
}): Promise<void> {
  const { time, rateLimiter, limiter, signal, underWay = 100, latencyMs = 100, batch = 100, gapMs = 0 } = options;
  while (!signal.aborted) {
    let left = batch;
    const one = async (): Promise<void> => {
      while (left > 0 && !signal.aborted) {
        left -= 1;
        await rateLimiter.acquire(signal, Infinity);
        const sentAtMs = time.nowMs();
        await time.sleep(latencyMs / 2);
        const { allowed, headers } = limiter.call();
        await time.sleep(latencyMs / 2);
        const reading = readRateLimit(headers, time.nowMs());
        if (allowed) rateLimiter.recordAnswer(reading, sentAtMs);
        else rateLimiter.recordRefusal(reading, sentAtMs);
      }
    };
    await Promise.allSettled(Array.from({ length: Math.min(underWay, batch) }, one));
    if (gapMs > 0) await time.sleep(gapMs);
  }
}
