/** What one answer says of the limit that its call counts against. */
export interface RateLimitReading {
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
  /** Epoch milliseconds until which the structured headers' state holds: not always a window's end (Jira Cloud's bucket). */
  readonly stateEndsAtMs?: number | undefined;
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
export function readRateLimit(headers: Headers, nowMs: number): RateLimitReading {
  const get = (name: string): string | undefined => lines(headers[name])[0];
  const list = (name: string): string | undefined => lines(headers[name]).join(',') || undefined;
  const reason = list('ratelimit-reason')?.toLowerCase();
  const { policy, state } = structured({
    policies: items(list('beta-ratelimit-policy') ?? list('ratelimit-policy')),
    states: items(list('beta-ratelimit') ?? list('ratelimit')),
    reason,
  });
  const fill = readFill(count(get('x-ratelimit-fillrate')), count(get('x-ratelimit-interval-seconds')));
  const stateSeconds = state?.get('t');
  return {
    limit: count(get('x-ratelimit-limit')) ?? policy?.get('q'),
    remaining: count(get('x-ratelimit-remaining')) ?? state?.get('r'),
    perSecond: quotient(policy?.get('q'), policy?.get('w')) ?? quotient(fill?.calls, fill?.seconds),
    fill,
    near: get('x-ratelimit-nearlimit')?.toLowerCase() === 'true',
    resetMs: later(readInstant(get('x-ratelimit-reset'), nowMs), nowMs - LONGEST_WAY_MS),
    retryAtMs: later(readInstant(get('retry-after') ?? get('beta-retry-after'), nowMs), nowMs),
    stateEndsAtMs: stateSeconds === undefined ? undefined : later(nowMs + stateSeconds * 1_000, nowMs),
    scope: reason?.includes('quota') === true ? 'target' : 'endpoint',
  };
}

/** Backoff where an answer names no time: doubled from 2 s up to 30 s, jitter of 0.7 to 1.3 (Jira Cloud, "Rate limiting"). */
export function backoffMs(refusals: number, random: number): number {
  return Math.min(2_000 * 2 ** Math.max(0, refusals - 1), 30_000) * (0.7 + 0.6 * random);
}

/**
 * When to come back after a refusal: `Retry-After` at the earliest, a quota's reset if that is later, else what the structured
 * headers say, else a backoff.
 */
export function notBefore(
  reading: RateLimitReading,
  options: { readonly nowMs: number; readonly refusals: number; readonly random: number },
): number {
  const { retryAtMs, resetMs, stateEndsAtMs, scope } = reading;
  const areBoth = scope === 'target' && retryAtMs !== undefined && resetMs !== undefined;
  const named = areBoth ? Math.max(retryAtMs, resetMs) : (retryAtMs ?? resetMs ?? stateEndsAtMs);
  const wantedMs =
    named === undefined ? options.nowMs + backoffMs(options.refusals, options.random) : Math.max(named, options.nowMs);
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

type Items = ReadonlyMap<string, ReadonlyMap<string, number>>;

interface Structured {
  readonly policies: Items;
  readonly states: Items;
  readonly reason: string | undefined;
}

/** What structured headers say of one policy: the one that refused, else the burst limit, else the first. */
function structured({ policies, states, reason }: Structured) {
  const names = [...policies.keys(), ...states.keys()];
  const name = names.find((text) => text === reason) ?? names.find((text) => text.includes('burst')) ?? names[0] ?? '';
  return { policy: policies.get(name), state: states.get(name) };
}

/** A structured header's numbers by the name of their policy: `"jira-burst-based";q=100;w=1`. */
function items(header: string | undefined): Items {
  return new Map(
    (header?.split(',') ?? []).map((item) => {
      const [name = '', ...pairs] = item.split(';').map((text) => text.trim());
      return [name.replaceAll('"', '').toLowerCase(), numbers(pairs)] as const;
    }),
  );
}

function numbers(pairs: readonly string[]): ReadonlyMap<string, number> {
  return new Map(
    pairs.flatMap((pair) => {
      const [key = '', value] = pair.split('=');
      const number = count(value);
      return number === undefined ? [] : [[key, number] as const];
    }),
  );
}

function readFill(calls: number | undefined, seconds: number | undefined): RateLimitReading['fill'] {
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

/** A header that was sent in several lines comes as several values. */
const lines = (value: string | readonly string[] | undefined): readonly string[] =>
  typeof value === 'string' ? [value] : (value ?? []);
