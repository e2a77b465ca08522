import type { Behaviour } from './behaviour.ts';
import { tokenBuckets, windows } from './buckets.ts';
import {
  burstVerdict,
  dataCenterVerdict,
  NO_LIMIT,
  plainVerdict,
  quotaVerdict,
  type Verdict,
  windowVerdict,
} from './limit-headers.ts';
import { type Endpoint, isWrite } from './router.ts';

type Limits = Behaviour['limits'];

/** Decides about each request that has good credentials; remembers what was let through. */
export interface Limiter {
  readonly admit: (endpoint: Endpoint, caller: string, limits: Limits) => Verdict;
}

/** Requests a second by method, and the endpoints that have more: Jira Cloud's page on rate limiting. */
const PUBLISHED: Readonly<Record<string, number>> = { GET: 100, POST: 100, PUT: 50, DELETE: 50 };
const PUBLISHED_ENDPOINTS: Readonly<Record<string, number>> = { 'GET /rest/api/{version}/user': 150 };

/** The limits of every API, each counted and told in its own way. */
export function limiter(now: () => number): Limiter {
  const buckets = tokenBuckets(now);
  const shares = windows(now);

  const jira = (endpoint: Endpoint, limits: Limits): Verdict => {
    const quota = limits.jiraQuota && quotaVerdict(limits.jiraQuota.requests, shares.take('quota', limits.jiraQuota));
    if (quota?.refusal) return quota;
    if (endpoint.route.userSearch && limits.userSearch !== null) {
      const taken = buckets.take('user-search', limits.userSearch);
      if (taken.waitMs > 0) return burstVerdict(limits.userSearch, taken, now());
    }
    const perSecond = jiraLimit(endpoint, limits);
    if (perSecond === undefined) return quota ?? NO_LIMIT;
    return burstVerdict(perSecond, buckets.take(`jira ${endpoint.name}`, perSecond), now());
  };

  const organisation = (endpoint: Endpoint, limits: Limits): Verdict => {
    const limit = endpoint.route.api === 'organisation' ? limits.organisation : limits.userManagement;
    if (limit) return windowVerdict(endpoint, limit.requests, shares.take(endpoint.name, limit));
    const perSecond = writeLimit(endpoint, limits);
    if (perSecond === undefined) return NO_LIMIT;
    return plainVerdict(endpoint, perSecond, buckets.take(endpoint.name, perSecond), now());
  };

  const dataCenter = (endpoint: Endpoint, caller: string, limits: Limits): Verdict => {
    if (limits.dataCenter) {
      const { size, fillRate, intervalSeconds } = limits.dataCenter;
      return dataCenterVerdict(limits.dataCenter, buckets.take(`user ${caller}`, fillRate / intervalSeconds, size));
    }
    const perSecond = writeLimit(endpoint, limits);
    if (perSecond === undefined) return NO_LIMIT;
    const each = { size: perSecond, fillRate: perSecond, intervalSeconds: 1 };
    return dataCenterVerdict(each, buckets.take(endpoint.name, perSecond));
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
  return (method === 'PATCH' ? undefined : limits.jira?.[method]) ?? writeLimit(endpoint, limits);
}
