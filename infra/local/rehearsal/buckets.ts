import type { Answer } from './answer.ts';
import { gatewayError, jiraError, organisationError } from './answer.ts';
import type { Behaviour } from './behaviour.ts';
import { type Endpoint, isWrite } from './router.ts';

/** What the limits say to a request: headers for its answer, or the 429 in its place. */
export interface Verdict {
  readonly headers: Readonly<Record<string, string>>;
  readonly refusal?: Answer;
}

/** The limits' memory: token buckets and windows, by tenant, endpoint and method. */
export interface Limiter {
  readonly admit: (endpoint: Endpoint, caller: string, limits: Behaviour['limits']) => Verdict;
}

/** Tokens a second by method, and the endpoints that have more: Jira Cloud's page on rate limiting. */
const PUBLISHED: Readonly<Record<string, number>> = { GET: 100, POST: 100, PUT: 50, DELETE: 50 };
const PUBLISHED_ENDPOINTS: Readonly<Record<string, number>> = { 'GET /rest/api/{version}/user': 150 };

/** Below this share Jira says X-RateLimit-NearLimit (not for bursts). */
const NEAR_LIMIT = 0.2;

interface Bucket {
  tokens: number;
  atMs: number;
}

interface Taken {
  readonly remaining: number;
  /** How long until a token is there; 0 when one was taken. */
  readonly waitMs: number;
}

export function limiter(now: () => number): Limiter {
  const buckets = new Map<string, Bucket>();
  const windows = new Map<string, { used: number; endsMs: number }>();

  const takeToken = (key: string, size: number, perSecond: number): Taken => {
    const nowMs = now();
    const bucket = buckets.get(key) ?? { tokens: size, atMs: nowMs };
    buckets.set(key, bucket);
    bucket.tokens = Math.min(size, bucket.tokens + ((nowMs - bucket.atMs) * perSecond) / 1000);
    bucket.atMs = nowMs;
    if (bucket.tokens < 1) return { remaining: 0, waitMs: Math.ceil(((1 - bucket.tokens) / perSecond) * 1000) };
    bucket.tokens -= 1;
    return { remaining: Math.floor(bucket.tokens), waitMs: 0 };
  };

  const takeFromWindow = (key: string, { requests, windowSeconds }: Windowed): Taken & { readonly endsMs: number } => {
    const nowMs = now();
    const lengthMs = windowSeconds * 1000;
    let window = windows.get(key);
    // Windows begin on the clock: an hour's quota starts again at the top of the hour.
    if (!window || window.endsMs <= nowMs) window = { used: 0, endsMs: (Math.floor(nowMs / lengthMs) + 1) * lengthMs };
    windows.set(key, window);
    const { endsMs } = window;
    if (window.used >= requests) return { remaining: 0, waitMs: endsMs - nowMs, endsMs };
    window.used += 1;
    return { remaining: requests - window.used, waitMs: 0, endsMs };
  };

  const jira = (endpoint: Endpoint, limits: Behaviour['limits']): Verdict => {
    if (limits.jiraQuota) {
      const quota = takeFromWindow('quota', limits.jiraQuota);
      const verdict = quotaVerdict(limits.jiraQuota.requests, quota);
      if (verdict.refusal) return verdict;
    }
    if (endpoint.route.userSearch && limits.userSearch !== null) {
      const taken = takeToken('user-search', limits.userSearch, limits.userSearch);
      if (taken.waitMs > 0) return burstVerdict(limits.userSearch, taken, now());
    }
    const perSecond = jiraLimit(endpoint, limits);
    if (perSecond === undefined) return limits.jiraQuota ? quotaLeft(limits.jiraQuota) : NO_LIMIT;
    return burstVerdict(perSecond, takeToken(`jira ${endpoint.name}`, perSecond, perSecond), now());
  };

  const quotaLeft = ({ requests }: Windowed): Verdict => {
    const remaining = requests - (windows.get('quota')?.used ?? 0);
    return quotaVerdict(requests, { remaining, waitMs: 0, endsMs: 0 });
  };

  const windowed = (endpoint: Endpoint, limit: Windowed): Verdict => {
    const taken = takeFromWindow(endpoint.name, limit);
    const headers = rateHeaders(limit.requests, taken.remaining, { 'X-RateLimit-Reset': iso(taken.endsMs) });
    return taken.waitMs === 0 ? { headers } : { headers, refusal: tooMany(endpoint) };
  };

  return {
    admit: (endpoint, caller, limits) => {
      const api = endpoint.route.api;
      const ofWrites = isWrite(endpoint.route) ? limits.writesPerSecond : null;
      if (api === 'jira') return jira(endpoint, limits);
      if (api === 'organisation' || api === 'user-management') {
        const limit = api === 'organisation' ? limits.organisation : limits.userManagement;
        if (limit) return windowed(endpoint, limit);
        return ofWrites === null
          ? NO_LIMIT
          : plainVerdict(endpoint, ofWrites, takeToken(endpoint.name, ofWrites, ofWrites), now());
      }
      if (api !== 'data-center') return NO_LIMIT;
      const { dataCenter } = limits;
      if (dataCenter) {
        const perSecond = dataCenter.fillRate / dataCenter.intervalSeconds;
        return dataCenterVerdict(dataCenter, takeToken(`data-center ${caller}`, dataCenter.size, perSecond));
      }
      if (ofWrites === null) return NO_LIMIT;
      const each = { size: ofWrites, fillRate: ofWrites, intervalSeconds: 1 };
      return dataCenterVerdict(each, takeToken(endpoint.name, ofWrites, ofWrites));
    },
  };
}

interface Windowed {
  readonly requests: number;
  readonly windowSeconds: number;
}

const NO_LIMIT: Verdict = { headers: {} };

const iso = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

function jiraLimit({ name, route }: Endpoint, { jira, writesPerSecond }: Behaviour['limits']): number | undefined {
  if (jira === 'published') return PUBLISHED_ENDPOINTS[name] ?? PUBLISHED[route.method];
  const ofMethod = route.method === 'PATCH' ? undefined : jira?.[route.method];
  return ofMethod ?? (isWrite(route) ? (writesPerSecond ?? undefined) : undefined);
}

function rateHeaders(limit: number, remaining: number, more: Readonly<Record<string, string>> = {}) {
  return { 'X-RateLimit-Limit': String(limit), 'X-RateLimit-Remaining': String(remaining), ...more };
}

/** Jira's burst limit, with the structured Beta headers beside the plain ones. */
function burstVerdict(perSecond: number, { remaining, waitMs }: Taken, nowMs: number): Verdict {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  const headers = rateHeaders(perSecond, remaining, {
    'Beta-RateLimit-Policy': `"jira-burst-based";q=${perSecond};w=1`,
    'Beta-RateLimit': `"jira-burst-based";r=${remaining};t=${seconds}`,
  });
  if (waitMs === 0) return { headers };
  return { headers: { ...headers, ...refusalHeaders(seconds, nowMs + waitMs, 'jira-burst-based') }, refusal: JIRA_429 };
}

function quotaVerdict(requests: number, taken: Taken & { readonly endsMs: number }): Verdict {
  const near: Record<string, string> = taken.remaining < requests * NEAR_LIMIT ? { 'X-RateLimit-NearLimit': 'true' } : {};
  const headers = rateHeaders(requests, taken.remaining, near);
  if (taken.waitMs === 0) return { headers };
  const seconds = Math.ceil(taken.waitMs / 1000);
  return {
    headers: { ...headers, ...refusalHeaders(seconds, taken.endsMs, 'jira-quota-tenant-based') },
    refusal: JIRA_429,
  };
}

const refusalHeaders = (seconds: number, resetMs: number, reason: string) => ({
  'Retry-After': String(seconds),
  'Beta-Retry-After': String(seconds),
  'X-RateLimit-Reset': iso(Math.ceil(resetMs / 1000) * 1000),
  'RateLimit-Reason': reason,
});

const JIRA_429: Answer = jiraError(429, ['Rate limit exceeded.']);

function plainVerdict(endpoint: Endpoint, limit: number, { remaining, waitMs }: Taken, nowMs: number): Verdict {
  const resetMs = Math.ceil((nowMs + Math.max(waitMs, 1)) / 1000) * 1000;
  const headers = rateHeaders(limit, remaining, { 'X-RateLimit-Reset': iso(resetMs) });
  return waitMs === 0 ? { headers } : { headers, refusal: tooMany(endpoint) };
}

/** Admin API: v2 answers `errors[]`, v1 and the gateway their own shape. */
function tooMany({ route }: Endpoint): Answer {
  return route.path.startsWith('/v2/')
    ? organisationError(429, 'ADMIN-429-1', 'Too many requests')
    : gatewayError(429, 'Too many requests');
}

/** Data Center's bucket headers are on every answer, `retry-after: 0` while tokens remain. */
function dataCenterVerdict(
  { size, fillRate, intervalSeconds }: NonNullable<Behaviour['limits']['dataCenter']>,
  { remaining, waitMs }: Taken,
): Verdict {
  const headers = rateHeaders(size, remaining, {
    'X-RateLimit-Interval-Seconds': String(intervalSeconds),
    'X-RateLimit-FillRate': String(fillRate),
    'retry-after': String(Math.ceil(waitMs / 1000)),
  });
  return waitMs === 0 ? { headers } : { headers, refusal: jiraError(429, ['Rate limit exceeded.']) };
}
