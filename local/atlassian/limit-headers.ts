import { type Answer, gatewayError, jiraError, organisationError } from './answer.ts';
import type { Behaviour } from './behaviour.ts';
import type { Taken } from './buckets.ts';
import type { Endpoint } from './router.ts';

/** What the limits say to a request: headers for its answer, and the 429 in place of one. */
export interface Verdict {
  readonly headers: Readonly<Record<string, string>>;
  readonly refusal?: Answer;
  /** How long until the next request is let through; 0 when this one is. */
  readonly waitMs: number;
}

export const NO_LIMIT: Verdict = { headers: {}, waitMs: 0 };

/** Below this share Jira says X-RateLimit-NearLimit (not for bursts). */
const NEAR_LIMIT = 0.2;

const iso = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

/** A window of the organisation's: no page of Atlassian's gives its figures, so they are settings. */
export function windowVerdict(
  endpoint: Endpoint,
  requests: number,
  taken: Taken & { readonly endsMs: number },
): Verdict {
  const { remaining, waitMs, endsMs } = taken;
  const headers = rateHeaders(requests, remaining, { 'X-RateLimit-Reset': iso(endsMs) });
  return waitMs === 0 ? { headers, waitMs } : { headers, refusal: tooMany(endpoint), waitMs };
}

function rateHeaders(limit: number, remaining: number, more: Readonly<Record<string, string>> = {}) {
  return { 'X-RateLimit-Limit': String(limit), 'X-RateLimit-Remaining': String(remaining), ...more };
}

/** Jira's burst limit, with the structured Beta headers beside the plain ones. */
export function burstVerdict(perSecond: number, { remaining, waitMs }: Taken, nowMs: number): Verdict {
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

export function quotaVerdict(requests: number, taken: Taken & { readonly endsMs: number }): Verdict {
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

export function plainVerdict(endpoint: Endpoint, limit: number, { remaining, waitMs }: Taken, nowMs: number): Verdict {
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
export function dataCenterVerdict(
  { size, fillRate, intervalSeconds }: NonNullable<Behaviour['limits']['dataCenter']>,
  { remaining, waitMs }: Taken,
): Verdict {
  const headers = rateHeaders(size, remaining, {
    'X-RateLimit-Interval-Seconds': String(intervalSeconds),
    'X-RateLimit-FillRate': String(fillRate),
    'retry-after': String(Math.ceil(waitMs / 1000)),
  });
  return waitMs === 0 ? { headers, waitMs } : { headers, refusal: JIRA_429, waitMs };
}
