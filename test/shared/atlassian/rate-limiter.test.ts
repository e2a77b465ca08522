import { describe, expect, it } from 'vitest';

import { RateLimited } from '../../../shared/atlassian/errors.ts';
import { readRateLimit } from '../../../shared/atlassian/rate-limit-reading.ts';
import { createRateLimiters, type RateLimiters } from '../../../shared/atlassian/rate-limiter.ts';
import {
  simulateWorker,
  steppedBucket,
  tokenBucket,
  type Limiter,
  type Says,
  type Steps,
} from './simulated-limiter.ts';
import { virtualTime, type VirtualTime } from './virtual-time.ts';

const forever = new AbortController().signal;
const chance = { uuid: () => 'uuid', random: () => 0.5 };

const rateLimitersAt = (time: VirtualTime, workers = 1): RateLimiters =>
  createRateLimiters({ clock: time, chance, workers, sleep: time.sleep });

interface Work {
  readonly workers?: number;
  /** Of the workers that share the limit. */
  readonly active?: number;
  readonly batch?: number;
  readonly gapMs?: number;
  readonly underWay?: number;
}

interface Scenario extends Work {
  readonly limit: number;
  readonly says?: Says;
}

/** Worker processes against one limiter, and what was allowed and refused between two times. */
function simulate(
  { workers = 2, active = workers, ...work }: Work,
  makeLimiter: (time: VirtualTime) => Limiter,
): {
  readonly limiter: Limiter;
  readonly between: (
    fromSeconds: number,
    toSeconds: number,
  ) => Promise<{ allowed: number; refused: number; perSecond: number }>;
} {
  const time = virtualTime();
  const limiter = makeLimiter(time);
  for (let worker = 0; worker < active; worker += 1) {
    const rateLimiter = rateLimitersAt(time, workers).find({ target: 'acme', endpoint: 'POST x', perSecond: 100 });
    void simulateWorker({ time, rateLimiter, limiter, signal: forever, ...work });
  }
  return {
    limiter,
    between: async (fromSeconds, toSeconds) => {
      await time.runUntil(fromSeconds * 1_000);
      const before = { ...limiter.counts };
      await time.runUntil(toSeconds * 1_000);
      const allowed = limiter.counts.allowed - before.allowed;
      return {
        allowed,
        refused: limiter.counts.refused - before.refused,
        perSecond: allowed / (toSeconds - fromSeconds),
      };
    },
  };
}

const simulateBucket = ({ limit, says, ...work }: Scenario): ReturnType<typeof simulate> =>
  simulate(work, (time) => tokenBucket(time, limit, says));

describe('the rate limiter against a limit that workers share', () => {
  it.each<[string, Scenario]>([
    ['two workers', { limit: 100 }],
    ['two workers that pause between batches', { limit: 100, gapMs: 150 }],
    ['one worker of two', { limit: 100, workers: 1 }],
    ['five workers', { limit: 100, workers: 5, gapMs: 100 }],
    ['a limit of three times the published one', { limit: 300, gapMs: 100 }],
    ['a twentieth of the published one', { limit: 5 }],
    ['one that says when it starts anew', { limit: 100, says: 'reset' }],
    ['one that names itself', { limit: 100, says: 'policy', gapMs: 150 }],
    ['one that names itself, and one worker of two', { limit: 100, says: 'policy', workers: 1 }],
  ])('uses at least 95% of it with hardly a refusal: %s', async (_, scenario) => {
    const { between } = simulateBucket(scenario);

    const steady = await between(30, 90);

    expect(steady.perSecond).toBeGreaterThan(scenario.limit * 0.95);
    expect(steady.refused).toBeLessThan(steady.allowed * 0.01);
  });

  it.each<[string, number, Steps & Work]>([
    ['a window of a second', 95, { limit: 100, everyMs: 1_000, says: 'reset' }],
    ['a small one', 95, { limit: 20, everyMs: 1_000, says: 'reset' }],
    ['a small one with pauses between batches', 95, { limit: 20, everyMs: 1_000, says: 'reset', gapMs: 150 }],
    ['a large one with pauses between batches', 85, { limit: 100, everyMs: 1_000, says: 'reset', gapMs: 150 }],
    ['a small one, and one worker of two', 75, { limit: 20, everyMs: 1_000, says: 'reset', active: 1 }],
    ['one of 2 s', 95, { limit: 40, everyMs: 2_000, says: 'reset' }],
    ['one of 5 s', 95, { limit: 200, everyMs: 5_000, says: 'reset' }],
    ['one of 10 s', 95, { limit: 1_000, everyMs: 10_000, says: 'reset' }],
    ['one of 10 s with pauses between batches', 95, { limit: 1_000, everyMs: 10_000, says: 'reset', gapMs: 150 }],
    ['one of 10 s, and one worker of two', 95, { limit: 1_000, everyMs: 10_000, says: 'reset', active: 1 }],
    ['one of a minute', 95, { limit: 1_200, everyMs: 60_000, says: 'reset' }],
    ['one of a minute, and one worker of two', 95, { limit: 1_200, everyMs: 60_000, says: 'reset', active: 1 }],
    ['one of a second that names no reset', 30, { limit: 100, everyMs: 1_000, says: 'remaining' }],
    ['one of 10 s that names no reset', 45, { limit: 1_000, everyMs: 10_000, says: 'remaining' }],
    ['one of a minute that names no reset', 65, { limit: 1_200, everyMs: 60_000, says: 'remaining' }],
    ['Data Center, filled every second', 94, { limit: 100, everyMs: 1_000, says: 'fill rate' }],
    ['Data Center, filled every minute', 95, { limit: 600, everyMs: 60_000, says: 'fill rate' }],
    ['Data Center, filled by a tenth every second', 95, { limit: 100, fill: 10, everyMs: 1_000, says: 'fill rate' }],
    ['Data Center, filled by a quarter', 95, { limit: 200, fill: 50, everyMs: 5_000, says: 'fill rate' }],
    ['Data Center, filled by a tenth', 95, { limit: 1_000, fill: 100, everyMs: 10_000, says: 'fill rate' }],
  ])('uses of what is filled in steps, %s, at least %i%%', async (_, percent, scenario) => {
    const { limit, fill = limit, everyMs } = scenario;
    const { between } = simulate(scenario, (time) => steppedBucket(time, scenario));

    const steady = await between(60, 180);

    expect((steady.perSecond * everyMs) / 1_000 / fill).toBeGreaterThan(percent / 100);
    expect(steady.refused).toBeLessThanOrEqual(steady.allowed * 0.01);
  });

  it.each<Says>(['policy', 'remaining'])(
    'leaves no worker behind that pauses longer than the others: %s',
    async (says) => {
      const time = virtualTime();
      const limiter = tokenBucket(time, 100, says);
      const calls = [300, 200].map((gapMs) => {
        const counted = { allowed: 0 };
        const rateLimiter = rateLimitersAt(time, 2).find({ target: 'acme', endpoint: 'POST x', perSecond: 100 });
        const call: Limiter['call'] = () => {
          counted.allowed += 1;
          return limiter.call();
        };
        void simulateWorker({ time, rateLimiter, limiter: { ...limiter, call }, signal: forever, gapMs });
        return counted;
      });

      await time.runUntil(60_000);
      const before = calls.map(({ allowed }) => allowed);
      await time.runUntil(90_000);

      const late = calls.map(({ allowed }, worker) => allowed - (before[worker] ?? 0));
      expect(Math.min(...late)).toBeGreaterThan(0.4 * 30 * 100);
    },
  );

  it.each<Says>(['policy', 'remaining'])('comes back when somebody else had used the limit up: %s', async (says) => {
    const { limiter, between } = simulateBucket({ limit: 100, says, batch: 200, gapMs: 1_000 });
    await between(0, 30);
    limiter.empty();

    const refused = await between(30, 32);
    const back = await between(35, 60);

    expect(refused.refused).toBeGreaterThan(0);
    expect(back.perSecond).toBeGreaterThan(90);
  });

  it.each([
    ['halved', 50],
    ['doubled', 200],
  ])('finds within 30 s that the limit was %s', async (_, changed) => {
    const { limiter, between } = simulateBucket({ limit: 100, gapMs: 100 });
    await between(0, 30);
    limiter.change(changed);

    const searching = await between(30, 60);
    const found = await between(60, 90);

    expect(searching.refused).toBeLessThan(searching.allowed * 0.02);
    expect(found.perSecond).toBeGreaterThan(changed * 0.95);
    expect(found.refused).toBe(0);
  });

  it.each<[string, Scenario, number]>([
    ['that no header tells of', { limit: 100, says: 'nothing' }, 0.03],
    ['behind the one that the headers tell of', { limit: 30, says: 'another', gapMs: 100 }, 0.03],
  ])('feels its way to a limit %s', async (_, scenario, tolerated) => {
    const { between } = simulateBucket(scenario);

    const steady = await between(30, 90);

    expect(steady.perSecond).toBeGreaterThan(scenario.limit * 0.9);
    expect(steady.refused).toBeLessThan(steady.allowed * tolerated);
  });

  it('goes to thousands of calls a second within ten where nothing ever says no', async () => {
    const { between } = simulateBucket({ limit: 1e9, says: 'nothing', workers: 1, underWay: 500, batch: 500 });

    const { perSecond } = await between(7, 9);

    expect(perSecond).toBeGreaterThan(3_000);
  });
});

describe('a rate limiter', () => {
  const burst = readRateLimit({ 'retry-after': '5', 'ratelimit-reason': 'jira-burst-based' }, 0);
  const readingAt = (time: VirtualTime, headers: Record<string, string>) => readRateLimit(headers, time.nowMs());

  it("starts with its worker's share of the rate", async () => {
    const time = virtualTime();
    const rateLimiter = rateLimitersAt(time, 4).find({ target: 'acme', endpoint: 'GET x', perSecond: 8 });
    let begun = 0;

    for (let call = 0; call < 10; call += 1) void rateLimiter.acquire(forever, Infinity).then(() => (begun += 1));
    await time.runUntil(2_000);

    expect(begun).toBe(5);
  });

  it('is one for everybody who asks about the same target, endpoint and method', () => {
    const rateLimiters = rateLimitersAt(virtualTime());
    const budget = { target: 'acme', endpoint: 'GET x', perSecond: 8 };

    expect(rateLimiters.find(budget)).toBe(rateLimiters.find({ ...budget }));
    expect(rateLimiters.find(budget)).not.toBe(rateLimiters.find({ ...budget, endpoint: 'POST x' }));
    expect(rateLimiters.find(budget)).not.toBe(rateLimiters.find({ ...budget, target: 'other' }));
  });

  it.each([
    ['jira-burst-based', true],
    ['jira-per-issue-on-write', true],
    ['jira-quota-tenant-based', false],
    ['jira-quota-global-based', false],
  ])('after a 429 for %s lets other endpoints of the target go on: %s', async (reason, goesOn) => {
    const time = virtualTime();
    const rateLimiters = rateLimitersAt(time);
    const slowed = rateLimiters.find({ target: 'acme', endpoint: 'POST x', perSecond: 100 });
    const other = rateLimiters.find({ target: 'acme', endpoint: 'GET y', perSecond: 100 });
    const deadlineMs = time.nowMs() + 1_000;

    slowed.recordRefusal(readingAt(time, { 'retry-after': '5', 'ratelimit-reason': reason }), time.nowMs());

    await expect(slowed.acquire(forever, deadlineMs)).rejects.toBeInstanceOf(RateLimited);
    if (goesOn) await expect(other.acquire(forever, deadlineMs)).resolves.toBeUndefined();
    else await expect(other.acquire(forever, deadlineMs)).rejects.toBeInstanceOf(RateLimited);
    await expect(
      rateLimiters.find({ target: 'another', endpoint: 'POST x', perSecond: 100 }).acquire(forever, deadlineMs),
    ).resolves.toBeUndefined();
  });

  it('refuses at once, unsent and with the time to come back, what would begin after the deadline', async () => {
    const time = virtualTime();
    const rateLimiter = rateLimitersAt(time).find({ target: 'acme', endpoint: 'POST x', perSecond: 100 });
    const notBeforeMs = rateLimiter.recordRefusal({ ...burst, retryAtMs: time.nowMs() + 5_000 }, time.nowMs());

    const refusal = await rateLimiter.acquire(forever, time.nowMs() + 4_000).catch((error: unknown) => error);

    expect(notBeforeMs).toBe(time.nowMs() + 5_000);
    expect(refusal).toMatchObject({ code: 'RATE_LIMITED', sent: false, temporary: true });
    expect(refusal).toHaveProperty('notBeforeMs', notBeforeMs + 20);
  });

  it.each([
    ['as long as answers have taken lately', 600, 1_000],
    ['no longer, however slow they were', 60_000, 5_000],
  ])('begins no call that would not be answered before the deadline: %s', async (_, latencyMs, enoughMs) => {
    const time = virtualTime();
    const rateLimiter = rateLimitersAt(time).find({ target: 'acme', endpoint: 'POST x', perSecond: 100 });
    for (let call = 0; call < 50; call += 1) rateLimiter.recordAnswer(readingAt(time, {}), time.nowMs() - latencyMs);

    await expect(rateLimiter.acquire(forever, time.nowMs() + enoughMs / 2)).rejects.toMatchObject({ sent: false });
    await expect(rateLimiter.acquire(forever, time.nowMs() + 2 * enoughMs)).resolves.toBeUndefined();
  });

  it('gives up who has waited until an answer would come after the deadline', async () => {
    const time = virtualTime();
    const rateLimiter = rateLimitersAt(time).find({ target: 'acme', endpoint: 'POST x', perSecond: 1 });
    await rateLimiter.acquire(forever, Infinity);

    const waiting = rateLimiter.acquire(forever, time.nowMs() + 1_100).catch((error: unknown) => error);
    const patient = rateLimiter.acquire(forever, time.nowMs() + 1_300);
    await time.runUntil(2_000);

    expect(await waiting).toMatchObject({ sent: false });
    await expect(patient).resolves.toBeUndefined();
  });

  it('does not give up, for a rate that has sunk for a while, who would begin in time at an even share of the named one', async () => {
    const time = virtualTime();
    const rateLimiter = rateLimitersAt(time, 2).find({ target: 'acme', endpoint: 'POST x', perSecond: 100 });
    const named = { 'x-ratelimit-limit': '100', 'beta-ratelimit-policy': '"jira-burst-based";q=100;w=1' };
    for (let tick = 0; tick < 20; tick += 1) {
      await time.runUntil(tick * 300);
      rateLimiter.recordAnswer(readingAt(time, { ...named, 'x-ratelimit-remaining': '0' }), time.nowMs());
    }

    const waiting = Array.from({ length: 100 }, () => rateLimiter.acquire(forever, time.nowMs() + 25_000));
    await time.runUntil(7_000);
    rateLimiter.recordAnswer(readingAt(time, { ...named, 'x-ratelimit-remaining': '99' }), time.nowMs());
    for (let tick = 24; tick < 90; tick += 1) {
      await time.runUntil(tick * 300);
      rateLimiter.recordAnswer(readingAt(time, { ...named, 'x-ratelimit-remaining': '99' }), time.nowMs());
    }

    await expect(Promise.all(waiting)).resolves.toHaveLength(100);
  });

  it('gives up those who already wait when a refusal pushes them past the deadline', async () => {
    const time = virtualTime();
    const rateLimiter = rateLimitersAt(time).find({ target: 'acme', endpoint: 'POST x', perSecond: 1 });
    await rateLimiter.acquire(forever, Infinity);
    const waiting = rateLimiter.acquire(forever, time.nowMs() + 3_000).catch((error: unknown) => error);
    const patient = rateLimiter.acquire(forever, time.nowMs() + 60_000);

    rateLimiter.recordRefusal({ ...burst, retryAtMs: time.nowMs() + 5_000 }, time.nowMs());
    await time.runUntil(10_000);

    expect(await waiting).toMatchObject({ sent: false });
    await expect(patient).resolves.toBeUndefined();
  });

  it('hands back, unsent, those who wait when the signal ends, and lets the next in their place', async () => {
    const time = virtualTime();
    const rateLimiter = rateLimitersAt(time).find({ target: 'acme', endpoint: 'POST x', perSecond: 1 });
    const ending = new AbortController();
    await rateLimiter.acquire(forever, Infinity);
    const first = rateLimiter.acquire(ending.signal, Infinity).catch((error: unknown) => error);
    const second = rateLimiter.acquire(forever, Infinity).then(() => time.nowMs());
    const startMs = time.nowMs();

    ending.abort();
    await time.runUntil(5_000);

    expect(await first).toBeInstanceOf(RateLimited);
    expect((await second) - startMs).toBeLessThanOrEqual(1_001);
    await expect(rateLimiter.acquire(ending.signal, Infinity)).rejects.toBeInstanceOf(RateLimited);
  });

  it.each([
    ['a policy', { 'beta-ratelimit-policy': '"jira-burst-based";q=400;w=1' }, 400],
    ["Data Center's fill rate", { 'x-ratelimit-fillrate': '30', 'x-ratelimit-interval-seconds': '10' }, 3],
  ])('takes the rate that %s names at its word', async (_, headers, perSecond) => {
    const time = virtualTime();
    const rateLimiter = rateLimitersAt(time, 2).find({ target: 'acme', endpoint: 'GET x', perSecond: 20 });
    await rateLimiter.acquire(forever, Infinity);
    rateLimiter.recordAnswer(readingAt(time, headers), time.nowMs());
    let begun = 0;

    for (let call = 0; call < 1_000; call += 1) void rateLimiter.acquire(forever, Infinity).then(() => (begun += 1));
    await time.runUntil(2_010);

    expect(begun / perSecond).toBeCloseTo(1, 1);
  });

  it('is slowed once by the refusals of calls that were under way together', async () => {
    const time = virtualTime();
    const rateLimiter = rateLimitersAt(time).find({ target: 'acme', endpoint: 'POST x', perSecond: 100 });
    const sentAtMs = time.nowMs();
    await time.runUntil(100);
    for (let call = 0; call < 10; call += 1)
      rateLimiter.recordRefusal({ ...burst, retryAtMs: time.nowMs() + 1_000 }, sentAtMs);
    let begun = 0;

    for (let call = 0; call < 200; call += 1) void rateLimiter.acquire(forever, Infinity).then(() => (begun += 1));
    await time.runUntil(2_100);

    expect(begun).toBe(50);
  });

  it('waits no longer for the refusals of calls that were under way together, but for those of a later round', async () => {
    const time = virtualTime();
    const rateLimiter = rateLimitersAt(time).find({ target: 'acme', endpoint: 'POST x', perSecond: 100 });
    const sentAtMs = time.nowMs();
    await time.runUntil(100);
    const waitsMs = (sentMs: number): number => rateLimiter.recordRefusal(readingAt(time, {}), sentMs) - time.nowMs();

    const first = [1, 2, 3].map(() => waitsMs(sentAtMs));
    await time.runUntil(2_200);
    const second = waitsMs(time.nowMs() - 50);

    expect(first).toEqual([2_000, 2_000, 2_000]);
    expect(second).toBe(4_000);
  });

  it.each([
    ['that says how much remains', { 'x-ratelimit-limit': '10', 'x-ratelimit-remaining': '10' }],
    ['that says no more', {}],
  ])('neither grows nor sinks while a quota is near its end, by an answer %s', async (_, headers) => {
    const time = virtualTime();
    const rateLimiter = rateLimitersAt(time).find({ target: 'acme', endpoint: 'POST x', perSecond: 10 });
    let begun = 0;
    const call = async (): Promise<void> => {
      for (;;) {
        await rateLimiter.acquire(forever, Infinity);
        begun += 1;
        rateLimiter.recordAnswer(readingAt(time, { ...headers, 'x-ratelimit-nearlimit': 'true' }), time.nowMs());
      }
    };

    void Promise.all([call(), call()]);
    await time.runUntil(30_000);

    expect(begun / 30).toBeCloseTo(10, 0);
  });

  it('spreads a window that says when it ends over the time that is left', async () => {
    const time = virtualTime();
    const rateLimiter = rateLimitersAt(time).find({ target: 'acme', endpoint: 'POST x', perSecond: 20 });
    const endMs = time.nowMs() + 60_000;
    let left = 120;
    let begun = 0;
    const call = async (): Promise<void> => {
      for (;;) {
        await rateLimiter.acquire(forever, Infinity);
        begun += 1;
        left -= 1;
        const reset = new Date(endMs).toISOString();
        const headers = {
          'x-ratelimit-limit': '120',
          'x-ratelimit-remaining': String(Math.max(0, left)),
          'x-ratelimit-reset': reset,
        };
        rateLimiter.recordAnswer(readingAt(time, headers), time.nowMs());
      }
    };

    void Promise.all([call(), call()]);
    await time.runUntil(59_000);

    expect(begun).toBeGreaterThan(110);
    expect(begun).toBeLessThanOrEqual(120);
  });
});

describe('a limiter that says no for reasons of its own', () => {
  /** Refuses a share of all calls without a word, by a fixed sequence that looks like chance; beside it a real limit may stand. */
  const noisy =
    (share: number, beside?: (time: VirtualTime) => Limiter) =>
    (time: VirtualTime): Limiter => {
      const real = beside?.(time);
      const counts = { allowed: 0, refused: 0 };
      let seed = 1;
      const chanceOf = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
      return {
        counts,
        change: () => undefined,
        empty: () => undefined,
        call: () => {
          if (chanceOf() < share) {
            counts.refused += 1;
            return { allowed: false, headers: {} };
          }
          const answer = real?.call() ?? { allowed: true, headers: {} };
          counts[answer.allowed ? 'allowed' : 'refused'] += 1;
          return answer;
        },
      };
    };

  it.each([0.02, 0.05, 0.16, 0.3, 0.5])(
    'of %f of all calls keeps at least half of what is let through',
    async (share) => {
      const { between } = simulate({ workers: 2 }, noisy(share));

      const { perSecond } = await between(30, 90);

      expect(perSecond).toBeGreaterThan((100 * (1 - share)) / 2);
    },
  );

  it.each([0.05, 0.16, 0.3])('of %f of all calls does so beside a real limit, which is still obeyed', async (share) => {
    const { between } = simulate(
      { workers: 2 },
      noisy(share, (time) => tokenBucket(time, 50)),
    );

    const { perSecond, allowed, refused } = await between(60, 120);

    expect(perSecond).toBeGreaterThan(25);
    expect(refused / (allowed + refused)).toBeLessThan(share + 0.06);
  });
});

it('is not stopped by a reset an hour ahead while there is room', async () => {
  const { between } = simulate({ workers: 2 }, (time) => ({
    counts: { allowed: 0, refused: 0 },
    change: () => undefined,
    empty: () => undefined,
    call(this: Limiter) {
      this.counts.allowed += 1;
      const reset = new Date(time.nowMs() + 3_600_000).toISOString();
      return {
        allowed: true,
        headers: { 'x-ratelimit-limit': '100', 'x-ratelimit-remaining': '95', 'x-ratelimit-reset': reset },
      };
    },
  }));

  expect((await between(5, 30)).perSecond).toBeGreaterThan(50);
});
