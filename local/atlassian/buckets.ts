/** What taking from a bucket or a window came to. */
export interface Taken {
  readonly remaining: number;
  /** How long until there is something again; 0 when something was taken. */
  readonly waitMs: number;
}

/** A share of requests for each stretch of the clock. */
export interface Windowed {
  readonly requests: number;
  readonly windowSeconds: number;
}

/** Token buckets by key: full at first, then filled by the second up to their size. */
export function tokenBuckets(now: () => number) {
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
export function windows(now: () => number) {
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
