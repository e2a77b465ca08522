/** What one answer says of the limit that its call counts against. */
export interface Limits {
  /** Size of the bucket or window. */
  readonly limit?: number | undefined;
  readonly remaining?: number | undefined;
  /** Calls a second that the answer itself names: a policy's quota over its window, a fill rate over its interval. */
  readonly perSecond?: number | undefined;
  /** Calls that a bucket is filled up by, and how often (Data Center). */
  readonly fill?: { readonly calls: number; readonly seconds: number } | undefined;
  /** Less than a fifth is left. */
  readonly near: boolean;
  /** Epoch milliseconds at which the limit starts anew, or has started while the answer was under way. */
  readonly resetMs?: number | undefined;
  /** Epoch milliseconds before which Atlassian asks for no call; absent for `retry-after: 0`. */
  readonly retryAtMs?: number | undefined;
  /** `target` when a quota of the whole site is used up, not this endpoint's burst limit. */
  readonly scope: 'endpoint' | 'target';
}

export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** No answer may silence a target for longer: quotas start anew at the top of the hour (Jira Cloud, "Rate limiting"). */
export const LONGEST_PAUSE_MS = 3_600_000;

/**
 * The limits in an answer's headers, whichever of their spellings it uses: `X-RateLimit-*`, `RateLimit-Reason` and
 * `Beta-RateLimit*` of Jira Cloud, `X-RateLimit-Reset` of the organisation API, `X-RateLimit-FillRate` and
 * `-Interval-Seconds` of Data Center (Atlassian's pages on rate limiting). What cannot be read counts as absent.
 */
export function readLimits(headers: Headers, nowMs: number): Limits {
  const get = (name: string): string | undefined => first(headers[name]);
  const policy = parameters(get('beta-ratelimit-policy') ?? get('ratelimit-policy'));
  const state = parameters(get('beta-ratelimit') ?? get('ratelimit'));
  const retryAtMs = later(readInstant(get('retry-after') ?? get('beta-retry-after'), nowMs), nowMs);
  const fill = readFill(count(get('x-ratelimit-fillrate')), count(get('x-ratelimit-interval-seconds')));
  return {
    limit: count(get('x-ratelimit-limit')) ?? policy.get('q'),
    remaining: count(get('x-ratelimit-remaining')) ?? state.get('r'),
    perSecond: quotient(policy.get('q'), policy.get('w')) ?? quotient(fill?.calls, fill?.seconds),
    fill,
    near: get('x-ratelimit-nearlimit')?.toLowerCase() === 'true',
    resetMs: later(readInstant(get('x-ratelimit-reset'), nowMs), nowMs - LONGEST_WAY_MS),
    retryAtMs,
    scope: get('ratelimit-reason')?.toLowerCase().includes('quota') === true ? 'target' : 'endpoint',
  };
}

/** Backoff where an answer names no time: doubled from 2 s up to 30 s, jitter of 0.7 to 1.3 (Jira Cloud, "Rate limiting"). */
export function backoffMs(refusals: number, random: number): number {
  return Math.min(2_000 * 2 ** Math.max(0, refusals - 1), 30_000) * (0.7 + 0.6 * random);
}

/** When to come back after a refusal: `Retry-After` at the earliest, a quota's reset if that is later, else a backoff. */
export function notBefore(
  limits: Limits,
  options: { readonly nowMs: number; readonly refusals: number; readonly random: number },
): number {
  const { retryAtMs, resetMs, scope } = limits;
  const named = scope === 'target' ? Math.max(retryAtMs ?? 0, resetMs ?? 0) : (retryAtMs ?? resetMs ?? 0);
  const wantedMs =
    named > 0 ? Math.max(named, options.nowMs) : options.nowMs + backoffMs(options.refusals, options.random);
  return Math.min(wantedMs, options.nowMs + LONGEST_PAUSE_MS);
}

/** Seconds from now, or a date: HTTP's (Retry-After) or ISO 8601 (X-RateLimit-Reset). */
function readInstant(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const seconds = count(text);
  if (seconds !== undefined) return secondsOrEpoch(seconds, nowMs);
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

/** Ten years of seconds: a larger number can only be an instant. */
const LARGEST_DELAY_SECONDS = 315_360_000;

const secondsOrEpoch = (seconds: number, nowMs: number): number =>
  seconds > LARGEST_DELAY_SECONDS ? seconds * 1_000 : nowMs + seconds * 1_000;

/** An answer takes no longer; a reset further back is stale. */
const LONGEST_WAY_MS = 2_000;

const later = (ms: number | undefined, nowMs: number): number | undefined =>
  ms !== undefined && ms > nowMs ? ms : undefined;

/** The parameters of a structured header's burst item, or of its first: `"jira-burst-based";q=100;w=1`. */
function parameters(header: string | undefined): ReadonlyMap<string, number> {
  const items = header?.split(',') ?? [];
  const item = items.find((text) => text.includes('burst')) ?? items[0] ?? '';
  const pairs = item.split(';').map((pair) => pair.trim().split('='));
  return new Map(
    pairs.flatMap(([name = '', value]) => {
      const number = count(value);
      return number === undefined ? [] : [[name, number] as const];
    }),
  );
}

function readFill(calls: number | undefined, seconds: number | undefined): Limits['fill'] {
  return calls !== undefined && seconds !== undefined && calls > 0 && seconds > 0 ? { calls, seconds } : undefined;
}

function quotient(quantity: number | undefined, seconds: number | undefined): number | undefined {
  return quantity !== undefined && seconds !== undefined && quantity > 0 && seconds > 0
    ? quantity / seconds
    : undefined;
}

function count(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*\d{1,12}(\.\d{1,6})?\s*$/.test(text) ? Number(text) : undefined;
}

const first = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : value?.[0];
