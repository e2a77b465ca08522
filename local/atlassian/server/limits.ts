import { type Answer, gatewayError, jiraError, organisationError } from '../routes/answer.ts';
import type { Behaviour } from './behaviour.ts';
import { type Endpoint, isWrite } from './router.ts';

type Limits = Behaviour['limits'];

/** What the limits say to a request: headers for its answer, and the 429 in place of one. */
export interface Admission {
  readonly headers: Readonly<Record<string, string>>;
  readonly refusal?: Answer;
  /** How long until the next request is let through; 0 when this one is. */
  readonly waitMs: number;
}

/** Decides about each request that has good credentials; remembers what was let through. */
export interface Limiter {
  readonly admit: (endpoint: Endpoint, caller: string, limits: Limits) => Admission;
}

/** Requests a second by method, and the endpoints that have more: Jira Cloud's page on rate limiting. */
const PUBLISHED: Readonly<Record<string, number>> = { GET: 100, POST: 100, PUT: 50, DELETE: 50 };
const PUBLISHED_ENDPOINTS: Readonly<Record<string, number>> = { 'GET /rest/api/{version}/user': 150 };

/** The limits of every API, each counted and told in its own way. */
export function createLimiter(now: () => number): Limiter {
  const buckets = createBuckets(now);
  const shares = createWindows(now);

  const jira = (endpoint: Endpoint, limits: Limits): Admission => {
    const quota = limits.jiraQuota && admitByQuota(limits.jiraQuota.requests, shares.take('quota', limits.jiraQuota));
    if (quota?.refusal) return quota;
    if (endpoint.route.userSearch && limits.userSearch !== null) {
      const taken = buckets.take('user-search', limits.userSearch);
      if (taken.waitMs > 0) return admitByBurst(limits.userSearch, taken, now());
    }
    const perSecond = jiraLimit(endpoint, limits);
    if (perSecond === undefined) return quota ?? NO_LIMIT;
    return admitByBurst(perSecond, buckets.take(`jira ${endpoint.name}`, perSecond), now());
  };

  const organisation = (endpoint: Endpoint, limits: Limits): Admission => {
    const limit = endpoint.route.api === 'organisation' ? limits.organisation : limits.userManagement;
    if (limit) return admitByWindow(endpoint, limit.requests, shares.take(endpoint.name, limit));
    const perSecond = writeLimit(endpoint, limits);
    if (perSecond === undefined) return NO_LIMIT;
    return admitByRate(endpoint, perSecond, buckets.take(endpoint.name, perSecond), now());
  };

  const dataCenter = (endpoint: Endpoint, caller: string, limits: Limits): Admission => {
    if (limits.dataCenter) {
      const { size, fillRate, intervalSeconds } = limits.dataCenter;
      return admitByBucket(limits.dataCenter, buckets.take(`user ${caller}`, fillRate / intervalSeconds, size));
    }
    const perSecond = writeLimit(endpoint, limits);
    if (perSecond === undefined) return NO_LIMIT;
    const each = { size: perSecond, fillRate: perSecond, intervalSeconds: 1 };
    return admitByBucket(each, buckets.take(endpoint.name, perSecond));
  };

  return {
    admit: (endpoint, caller, limits) => {
      switch (endpoint.route.api) {
        case 'jira':
          return jira(endpoint, limits);
        case 'organisation':
        case 'user-management':
          return organisation(endpoint, limits);
        case 'data-center':
          return dataCenter(endpoint, caller, limits);
        case 'site':
          return NO_LIMIT;
      }
    },
  };
}

const writeLimit = ({ route }: Endpoint, { writesPerSecond }: Limits): number | undefined =>
  isWrite(route) ? (writesPerSecond ?? undefined) : undefined;

function jiraLimit(endpoint: Endpoint, limits: Limits): number | undefined {
  const { method } = endpoint.route;
  if (limits.jira === 'published') return PUBLISHED_ENDPOINTS[endpoint.name] ?? PUBLISHED[method];
  return limits.jira?.[method] ?? writeLimit(endpoint, limits);
}

const NO_LIMIT: Admission = { headers: {}, waitMs: 0 };

/** Below this share Jira says X-RateLimit-NearLimit (not for bursts). */
const NEAR_LIMIT = 0.2;

const iso = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

/** A window of the organisation's: no page of Atlassian's gives its figures, so they are settings. */
function admitByWindow(endpoint: Endpoint, requests: number, taken: Taken & { readonly endsMs: number }): Admission {
  const { remaining, waitMs, endsMs } = taken;
  const headers = rateHeaders(requests, remaining, { 'X-RateLimit-Reset': iso(endsMs) });
  return waitMs === 0 ? { headers, waitMs } : { headers, refusal: tooMany(endpoint), waitMs };
}

function rateHeaders(limit: number, remaining: number, more: Readonly<Record<string, string>> = {}) {
  return { 'X-RateLimit-Limit': String(limit), 'X-RateLimit-Remaining': String(remaining), ...more };
}

/** Jira's burst limit, with the structured Beta headers beside the plain ones. */
function admitByBurst(perSecond: number, { remaining, waitMs }: Taken, nowMs: number): Admission {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  const headers = rateHeaders(perSecond, remaining, {
    'Beta-RateLimit-Policy': `"jira-burst-based";q=${perSecond};w=1`,
    'Beta-RateLimit': `"jira-burst-based";r=${remaining};t=${seconds}`,
  });
  if (waitMs === 0) return { headers, waitMs };
  return {
    headers: { ...headers, ...refusalHeaders(seconds, nowMs + waitMs, 'jira-burst-based') },
    refusal: JIRA_429,
    waitMs,
  };
}

/** Jira's quota, which starts again with each window. */
function admitByQuota(requests: number, taken: Taken & { readonly endsMs: number }): Admission {
  const near: Record<string, string> =
    taken.remaining < requests * NEAR_LIMIT ? { 'X-RateLimit-NearLimit': 'true' } : {};
  const headers = rateHeaders(requests, taken.remaining, near);
  if (taken.waitMs === 0) return { headers, waitMs: 0 };
  const seconds = Math.ceil(taken.waitMs / 1000);
  return {
    headers: { ...headers, ...refusalHeaders(seconds, taken.endsMs, 'jira-quota-tenant-based') },
    refusal: JIRA_429,
    waitMs: taken.waitMs,
  };
}

const refusalHeaders = (seconds: number, resetMs: number, reason: string) => ({
  'Retry-After': String(seconds),
  'Beta-Retry-After': String(seconds),
  'X-RateLimit-Reset': iso(Math.ceil(resetMs / 1000) * 1000),
  'RateLimit-Reason': reason,
});

const JIRA_429: Answer = jiraError(429, ['Rate limit exceeded.']);

/** So many writes a second, told as the organisation tells its own. */
function admitByRate(endpoint: Endpoint, limit: number, { remaining, waitMs }: Taken, nowMs: number): Admission {
  const resetMs = Math.ceil((nowMs + Math.max(waitMs, 1)) / 1000) * 1000;
  const headers = rateHeaders(limit, remaining, { 'X-RateLimit-Reset': iso(resetMs) });
  return waitMs === 0 ? { headers, waitMs } : { headers, refusal: tooMany(endpoint), waitMs };
}

/** Admin API: v2 answers `errors[]`, v1 and the gateway their own shape. */
function tooMany({ route }: Endpoint): Answer {
  return route.path.startsWith('/v2/')
    ? organisationError(429, 'ADMIN-429-1', 'Too many requests')
    : gatewayError(429, 'Too many requests');
}

/** Data Center's bucket headers are on every answer, `retry-after: 0` while tokens remain. */
function admitByBucket(
  { size, fillRate, intervalSeconds }: NonNullable<Behaviour['limits']['dataCenter']>,
  { remaining, waitMs }: Taken,
): Admission {
  const headers = rateHeaders(size, remaining, {
    'X-RateLimit-Interval-Seconds': String(intervalSeconds),
    'X-RateLimit-FillRate': String(fillRate),
    'retry-after': String(Math.ceil(waitMs / 1000)),
  });
  return waitMs === 0 ? { headers, waitMs } : { headers, refusal: JIRA_429, waitMs };
}

/** What taking from a bucket or a window came to. */
interface Taken {
  readonly remaining: number;
  /** How long until there is something again; 0 when something was taken. */
  readonly waitMs: number;
}

/** A share of requests for each stretch of the clock. */
interface Windowed {
  readonly requests: number;
  readonly windowSeconds: number;
}

/** Token buckets by key: full at first, then filled by the second up to their size. */
function createBuckets(now: () => number) {
  const buckets = new Map<string, { tokens: number; atMs: number }>();
  return {
    take: (key: string, perSecond: number, size = Math.max(1, perSecond)): Taken => {
      const nowMs = now();
      const bucket = buckets.get(key) ?? { tokens: size, atMs: nowMs };
      buckets.set(key, bucket);
      bucket.tokens = Math.min(size, bucket.tokens + ((nowMs - bucket.atMs) * perSecond) / 1000);
      bucket.atMs = nowMs;
      if (bucket.tokens < 1) return { remaining: 0, waitMs: Math.ceil(((1 - bucket.tokens) / perSecond) * 1000) };
      bucket.tokens -= 1;
      return { remaining: Math.floor(bucket.tokens), waitMs: 0 };
    },
  };
}

/** Windows by key, which begin on the clock: an hour's quota starts again at the top of the hour. */
function createWindows(now: () => number) {
  const open = new Map<string, { used: number; readonly endsMs: number }>();
  return {
    take: (key: string, { requests, windowSeconds }: Windowed): Taken & { readonly endsMs: number } => {
      const nowMs = now();
      const lengthMs = windowSeconds * 1000;
      let window = open.get(key);
      if (!window || window.endsMs <= nowMs) {
        window = { used: 0, endsMs: (Math.floor(nowMs / lengthMs) + 1) * lengthMs };
        open.set(key, window);
      }
      const { endsMs } = window;
      if (window.used >= requests) return { remaining: 0, waitMs: endsMs - nowMs, endsMs };
      window.used += 1;
      return { remaining: requests - window.used, waitMs: 0, endsMs };
    },
  };
}
