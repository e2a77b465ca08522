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

/** An answer's headers, by their names in lower case. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** No answer may silence a target for longer: quotas start anew at the top of the hour (Jira Cloud, "Rate limiting"). */
const LONGEST_PAUSE_MS = 3_600_000;

/**
 * The limits in an answer's headers, whichever of their spellings it uses: `X-RateLimit-*`, `RateLimit-Reason` and
 * `Beta-RateLimit*` of Jira Cloud, `X-RateLimit-Reset` of the organisation API, `X-RateLimit-FillRate` and
 * `-Interval-Seconds` of Data Center (Atlassian's pages on rate limiting). What cannot be read counts as absent.
 */
export function readRateLimit(headers: Headers, nowMs: number): RateLimitReading {
  const get = (name: string): string | undefined => listValues(headers[name])[0];
  const list = (name: string): string | undefined => listValues(headers[name]).join(',') || undefined;
  const reason = list('ratelimit-reason')?.toLowerCase();
  const policies = parseItems(list('beta-ratelimit-policy') ?? list('ratelimit-policy'));
  const states = parseItems(list('beta-ratelimit') ?? list('ratelimit'));
  const name = choosePolicy([...policies.keys(), ...states.keys()], reason);
  const policy = policies.get(name);
  const state = states.get(name);
  const aheadMs = measureSkew(get('date'), nowMs);
  const fill = readFill(parseCount(get('x-ratelimit-fillrate')), parseCount(get('x-ratelimit-interval-seconds')));
  const stateSeconds = state?.get('t');
  return {
    limit: parseCount(get('x-ratelimit-limit')) ?? policy?.get('q'),
    remaining: parseCount(get('x-ratelimit-remaining')) ?? state?.get('r'),
    perSecond: divide(policy?.get('q'), policy?.get('w')) ?? divide(fill?.calls, fill?.seconds),
    fill,
    near: get('x-ratelimit-nearlimit')?.toLowerCase() === 'true',
    resetMs: keepAfter(readInstant(get('x-ratelimit-reset'), nowMs, aheadMs), nowMs - LONGEST_WAY_MS),
    retryAtMs: keepAfter(readInstant(get('retry-after') ?? get('beta-retry-after'), nowMs, aheadMs), nowMs),
    stateEndsAtMs: stateSeconds === undefined ? undefined : keepAfter(nowMs + stateSeconds * 1_000, nowMs),
    scope: reason?.includes('quota') === true ? 'target' : 'endpoint',
  };
}

/** Backoff where an answer names no time: doubled from 2 s up to 30 s, jitter of 0.7 to 1.3 (Jira Cloud, "Rate limiting"). */
export function computeBackoffMs(refusals: number, random: number): number {
  return Math.min(2_000 * 2 ** Math.max(0, refusals - 1), 30_000) * (0.7 + 0.6 * random);
}

/**
 * When to come back after a refusal: `Retry-After` at the earliest, a quota's reset if that is later, else what the structured
 * headers say, else a backoff.
 */
export function computeNotBefore(
  { retryAtMs, resetMs: namedResetMs, stateEndsAtMs, remaining = 0, scope }: RateLimitReading,
  { nowMs, refusals, random }: { readonly nowMs: number; readonly refusals: number; readonly random: number },
): number {
  // A reset is when there is room again: where some is left, it says nothing about this refusal.
  const resetMs = remaining > 0 && scope !== 'target' ? undefined : namedResetMs;
  const areBoth = scope === 'target' && retryAtMs !== undefined && resetMs !== undefined;
  const named = areBoth ? Math.max(retryAtMs, resetMs) : (retryAtMs ?? resetMs ?? stateEndsAtMs);
  const wantedMs = named === undefined ? nowMs + computeBackoffMs(refusals, random) : Math.max(named, nowMs);
  return Math.min(wantedMs, nowMs + LONGEST_PAUSE_MS);
}

/** How full Atlassian's own bucket or window was when it counted a call. */
export interface Fullness {
  readonly atMs: number;
  readonly limit: number;
  readonly remaining: number;
  /** When it is filled again: the end of its window. */
  readonly resetMs?: number | undefined;
  /** Calls that it is filled by then; a window that starts anew is filled whole. */
  readonly fill: number;
}

/** What the answers have shown of Atlassian's limit. */
export interface ObservedLimit {
  readonly fullness?: Fullness | undefined;
  /** From one filling to the next; absent for a bucket that is filled all the time, and until two resets were named. */
  readonly windowMs?: number | undefined;
  /** When one that is filled in steps was last seen to be. */
  readonly filledAtMs?: number | undefined;
}

/** Half-full leaves as much room for others that come as for gaps that are made up; a window is so on the average. */
const WANTED_FULLNESS = 0.5;
/** Two readings further apart than this say nothing about how fast it changes. */
const STALE_FULLNESS_MS = 3_000;
/** Resets are rounded to seconds, and those that are named as seconds from now waver. */
const SHORTEST_WINDOW_MS = 500;

/** The same limit after an answer to a call that was counted at `atMs`. */
export function observe(known: ObservedLimit, atMs: number, reading: RateLimitReading): ObservedLimit {
  const { limit, remaining, resetMs, fill } = reading;
  if (limit === undefined || limit <= 0 || remaining === undefined) return known;
  const fullness = { atMs, limit, remaining: Math.min(remaining, limit), resetMs, fill: limit };
  if (fill !== undefined) return observeSteps(known, fullness, fill);
  return { ...known, fullness, windowMs: measureWindow(known.fullness, fullness) ?? known.windowMs };
}

/** A bucket that is filled in steps does not say when: it shows. */
function observeSteps(
  { fullness: last, filledAtMs }: ObservedLimit,
  fullness: Fullness,
  { calls, seconds }: NonNullable<RateLimitReading['fill']>,
): ObservedLimit {
  const { atMs, limit, remaining } = fullness;
  const fill = Math.min(calls, limit);
  const everyMs = seconds * 1_000;
  const hasLeapt = last !== undefined && remaining - last.remaining > fill / 2 && atMs - last.atMs < everyMs / 2;
  const lastMs = hasLeapt ? atMs : filledAtMs;
  const resetMs = lastMs === undefined ? undefined : atMs + everyMs - ((atMs - lastMs) % everyMs);
  return { fullness: { ...fullness, resetMs, fill }, windowMs: everyMs, filledAtMs: lastMs };
}

/** A window's length, when the reset that is named has leapt. One that only moves on as time does ends no window. */
function measureWindow(last: Fullness | undefined, fullness: Fullness): number | undefined {
  if (last?.resetMs === undefined || fullness.resetMs === undefined) return undefined;
  const movedMs = fullness.resetMs - last.resetMs;
  return movedMs > SHORTEST_WINDOW_MS && movedMs > 2 * (fullness.atMs - last.atMs) ? movedMs : undefined;
}

/** Calls above the wanted fullness: half-full, and in a window as much more or less as an even rate leaves at that time. */
export function measureSurplus(fullness: Fullness, windowMs: number | undefined): number {
  const { limit, remaining, resetMs, fill, atMs } = fullness;
  const aboveHalf = remaining - limit * WANTED_FULLNESS;
  if (resetMs === undefined || windowMs === undefined) return aboveHalf;
  const left = Math.min(Math.max(resetMs - atMs, 0), windowMs) / windowMs;
  return aboveHalf - fill * (left - WANTED_FULLNESS);
}

/** How fast that grows, in calls a second. */
export function measureGrowth(last: Fullness | undefined, now: Fullness, windowMs: number | undefined): number {
  if (last === undefined || last.limit !== now.limit) return 0;
  const elapsedMs = now.atMs - last.atMs;
  if (elapsedMs <= 0 || elapsedMs > STALE_FULLNESS_MS) return 0;
  return ((measureSurplus(now, windowMs) - measureSurplus(last, windowMs)) / elapsedMs) * 1_000;
}

/** Seconds from now, or a date: HTTP's (Retry-After) or ISO 8601 (X-RateLimit-Reset). */
function readInstant(text: string | undefined, nowMs: number, aheadMs: number): number | undefined {
  if (text === undefined) return undefined;
  const seconds = parseCount(text);
  if (seconds !== undefined && seconds <= LARGEST_DELAY_SECONDS) return nowMs + seconds * 1_000;
  const ms = seconds === undefined ? (DATE.test(text) ? Date.parse(text) : NaN) : seconds * 1_000;
  return Number.isNaN(ms) ? undefined : ms - aheadMs;
}

/** HTTP's dates have names of months, and ISO's a full date: Date.parse takes much else for one, such as -3600. */
const DATE = /\d [A-Z][a-z]{2} \d|^\s*\d{4}-\d\d-\d\dT/;

/** A Date header has whole seconds, and an answer takes time. */
const LEAST_SKEW_MS = 3_000;

/** How far the server's clock is ahead of ours, by the answer's own Date: the instants that it names are of its clock. */
function measureSkew(date: string | undefined, nowMs: number): number {
  const aheadMs = Date.parse(date ?? '') - nowMs;
  return Math.abs(aheadMs) > LEAST_SKEW_MS ? aheadMs : 0;
}

/** Ten years of seconds: a larger number can only be an instant. */
const LARGEST_DELAY_SECONDS = 315_360_000;

/** An answer takes no longer; a reset further back is stale. */
const LONGEST_WAY_MS = 2_000;

const keepAfter = (ms: number | undefined, earliestMs: number): number | undefined =>
  ms !== undefined && ms > earliestMs ? ms : undefined;

type Items = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Which policy's numbers count: of the one that refused, else of the burst limit, else of the first. */
function choosePolicy(names: readonly string[], reason: string | undefined): string {
  return names.find((name) => name === reason) ?? names.find((name) => name.includes('burst')) ?? names[0] ?? '';
}

/** A structured header's numbers by the name of their policy: `"jira-burst-based";q=100;w=1`. */
function parseItems(header: string | undefined): Items {
  return new Map(
    (header?.split(',') ?? []).map((item) => {
      const [name = '', ...pairs] = item.split(';').map((text) => text.trim());
      return [name.replaceAll('"', '').toLowerCase(), parseNumbers(pairs)] as const;
    }),
  );
}

function parseNumbers(pairs: readonly string[]): ReadonlyMap<string, number> {
  return new Map(
    pairs.flatMap((pair) => {
      const [key = '', value] = pair.split('=');
      const number = parseCount(value);
      return number === undefined ? [] : [[key, number] as const];
    }),
  );
}

function readFill(calls: number | undefined, seconds: number | undefined): RateLimitReading['fill'] {
  return calls !== undefined && seconds !== undefined && calls > 0 && seconds > 0 ? { calls, seconds } : undefined;
}

function divide(quantity: number | undefined, seconds: number | undefined): number | undefined {
  return quantity !== undefined && seconds !== undefined && quantity > 0 && seconds > 0
    ? quantity / seconds
    : undefined;
}

function parseCount(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*\d{1,12}(\.\d{1,6})?\s*$/.test(text) ? Number(text) : undefined;
}

/** A header that was sent in several lines comes as several values. */
const listValues = (value: string | readonly string[] | undefined): readonly string[] =>
  typeof value === 'string' ? [value] : (value ?? []);
