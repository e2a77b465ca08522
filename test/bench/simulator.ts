import type { LoggedRequest, RequestSummary } from '../../local/atlassian/server/request-log.ts';

/** The control endpoints of a simulator; docs/simulator.md describes them. */
export interface SimulatorControl {
  readonly url: string;
  /** Replaces all people and groups by made-up ones, and counts the requests from then on. */
  readonly seed: (seed: {
    readonly users: number;
    readonly groups: number;
    readonly dataCenterUsers?: number;
    readonly dataCenterGroups?: number;
  }) => Promise<void>;
  readonly behave: (behaviour: {
    readonly latencyMs?: number;
    readonly limits?: Readonly<Record<string, unknown>>;
  }) => Promise<void>;
  readonly requests: () => Promise<readonly LoggedRequest[]>;
  readonly summary: () => Promise<RequestSummary>;
}

export function simulatorControl(url: string): SimulatorControl {
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const answer = await fetch(`${url}/_simulator/${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`The simulator answered ${answer.status} to ${method} ${path}: ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  let before = 0;
  const summary = async () => (await call('GET', `requests?summary=1&after=${before}`)) as RequestSummary; // docs/simulator.md
  return {
    url,
    seed: async (seed) => {
      await call('PUT', 'state', { seed: { groupsPerUser: 0, ...seed } });
      before += (await summary()).requests;
    },
    behave: async (behaviour) => void (await call('PATCH', 'behaviour', behaviour)),
    requests: async () => {
      const { requests } = (await call('GET', `requests?after=${before}`)) as {
        readonly requests: readonly LoggedRequest[];
      }; // docs/simulator.md
      return requests;
    },
    summary,
  };
}

/** No limits at all, or those that Atlassian publishes for Jira Cloud. */
export const LIMITS = { none: { jira: null, dataCenter: null }, published: { jira: 'published' } } as const;

/** What the requests to one endpoint came to. */
export interface Traffic {
  readonly calls: number;
  readonly rateLimited: number;
  readonly failed: number;
  /** Requests that were let through, a second: between the first and the last, and between the twentieth and the ninety-fifth of a hundred. */
  readonly perSecond: number;
  readonly steadyPerSecond: number;
}

/** Sums up the requests that went to one endpoint; `about` counts as calls whatever else was asked for meanwhile. */
export function trafficOf(requests: readonly LoggedRequest[], endpoint: string): Traffic {
  const own = requests.filter((request) => request.endpoint === endpoint);
  const through = own.filter(({ status }) => status !== 429).map(({ time }) => Date.parse(time));
  return {
    calls: requests.length,
    rateLimited: requests.filter(({ status }) => status === 429).length,
    failed: own.filter(({ status }) => status !== 429 && (status < 200 || status > 299)).length,
    perSecond: rateBetween(through, 0, 1),
    steadyPerSecond: rateBetween(through, 0.2, 0.95),
  };
}

function rateBetween(timesMs: readonly number[], from: number, to: number): number {
  const [first, last] = [Math.floor((timesMs.length - 1) * from), Math.floor((timesMs.length - 1) * to)];
  const elapsedMs = (timesMs[last] ?? 0) - (timesMs[first] ?? 0);
  return elapsedMs > 0 ? ((last - first) * 1_000) / elapsedMs : Number.NaN;
}
