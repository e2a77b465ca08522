/** One request as the log keeps it. */
export interface LoggedRequest {
  /** From 1, in order of arrival. */
  readonly n: number;
  readonly time: string;
  readonly method: string;
  /** With its query, as it was sent. */
  readonly path: string;
  /** 0 when no answer was sent. */
  readonly status: number;
  readonly endpoint: string;
  /** Whether the endpoint may change anything, whatever became of the request. */
  readonly access: 'read' | 'write';
  /** Whether it changed the state. */
  readonly effective: boolean;
  /** What it was about: `membership/<groupId>/<accountId>`. */
  readonly things: readonly string[];
  /** The fault that was injected. */
  readonly fault?: string | undefined;
}

type Counts = Record<string, number>;

export interface RequestSummary {
  readonly requests: number;
  /** Of endpoints that only read, and of those that may change something. */
  readonly reads: number;
  readonly writes: number;
  readonly statuses: Counts;
  readonly methods: Counts;
  /** Statuses by endpoint. */
  readonly endpoints: Record<string, Counts>;
  readonly faults: Counts;
  readonly effective: {
    /** Requests that changed the state, by every thing they were about. */
    readonly writes: number;
    readonly things: number;
    /** Things that were changed more than once. */
    readonly repeated: Counts;
  };
}

/** Every request since the start: the newest ones whole, the counts of all. */
export interface RequestLog {
  readonly add: (request: Omit<LoggedRequest, 'n'>) => void;
  /** The requests after the nth, as far as they are kept; so with all that follow. */
  readonly since: (n: number) => readonly LoggedRequest[];
  readonly summary: (n: number) => RequestSummary;
  /** How often each thing was changed. */
  readonly effective: (n: number) => Counts;
}

const KEPT = 200_000;

export function createRequestLog(): RequestLog {
  const ring: LoggedRequest[] = [];
  const all = emptyCounts();
  let last = 0;

  const since = (n: number): readonly LoggedRequest[] => {
    const first = Math.max(n, last - ring.length);
    return Array.from({ length: Math.max(0, last - first) }, (_, at) => ring[(first + at) % KEPT]).flatMap(
      (request) => request ?? [],
    );
  };
  const countsSince = (n: number): AllCounts => {
    if (n === 0) return all;
    const counts = emptyCounts();
    for (const request of since(n)) count(counts, request);
    return counts;
  };

  return {
    add: (request) => {
      last += 1;
      const logged = { n: last, ...request };
      if (ring.length < KEPT) ring.push(logged);
      else ring[(last - 1) % KEPT] = logged;
      count(all, logged);
    },
    since,
    summary: (n) => summarise(countsSince(n)),
    effective: (n) => Object.fromEntries(countsSince(n).things),
  };
}

const emptyCounts = () => ({
  requests: 0,
  reads: 0,
  writes: 0,
  statuses: {} as Counts,
  methods: {} as Counts,
  endpoints: {} as Record<string, Counts>,
  faults: {} as Counts,
  effectiveWrites: 0,
  things: new Map<string, number>(),
  repeated: new Set<string>(),
});

type AllCounts = ReturnType<typeof emptyCounts>;

function count(counts: AllCounts, request: LoggedRequest): void {
  const { method, endpoint, access, status, fault, effective, things } = request;
  counts.requests += 1;
  counts[access === 'read' ? 'reads' : 'writes'] += 1;
  increase(counts.statuses, String(status));
  increase(counts.methods, method);
  increase((counts.endpoints[endpoint] ??= {}), String(status));
  if (fault !== undefined) increase(counts.faults, fault);
  if (!effective) return;
  for (const thing of things) {
    const times = (counts.things.get(thing) ?? 0) + 1;
    counts.effectiveWrites += 1;
    counts.things.set(thing, times);
    if (times > 1) counts.repeated.add(thing);
  }
}

function increase(counts: Counts, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

const summarise = ({ things, repeated, effectiveWrites, ...counts }: AllCounts): RequestSummary => ({
  ...counts,
  effective: {
    writes: effectiveWrites,
    things: things.size,
    repeated: Object.fromEntries([...repeated].map((thing) => [thing, things.get(thing) ?? 0])),
  },
});
