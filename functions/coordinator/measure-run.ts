import type { JobEvent } from '../../shared/job/events.ts';
import { hasEnded } from '../../shared/job/job.ts';
import type { State } from '../../shared/job/state.ts';
import type { TargetMetric } from '../../shared/metrics.ts';

type Figures = Partial<Record<TargetMetric, number>>;

/** What one run of a job adds to the figures of its target. An outcome that comes twice is counted twice: reports are exact, and these are for watching. */
export function measureRun(
  before: State | undefined,
  after: State,
  events: readonly JobEvent[],
  nowMs: number,
): Figures | undefined {
  const figures: Figures = {
    ...countOutcomes(events),
    calls: after.calls.sent - (before?.calls.sent ?? 0),
    callsRateLimited: after.calls.rateLimited - (before?.calls.rateLimited ?? 0),
    rateLimitWaitSeconds: Math.max(0, after.untilMs - Math.max(before?.untilMs ?? 0, nowMs)) / 1_000,
    planSeconds: planSecondsOf(before, after),
    jobSeconds: hasEnded(after.state) && before?.state !== after.state ? secondsSince(after.job.startedAt, nowMs) : 0,
  };
  const counted = Object.entries(figures).filter(([, figure]) => figure > 0);
  return counted.length === 0 ? undefined : Object.fromEntries(counted);
}

function countOutcomes(events: readonly JobEvent[]): Figures {
  const outcomes = events.flatMap((event) => (event.type === 'recorded' ? event.outcomes : []));
  const count = (status: string): number => outcomes.filter((outcome) => outcome.status === status).length;
  return { rowsChanged: count('changed'), rowsUnchanged: count('unchanged'), rowsFailed: count('failed') };
}

function planSecondsOf(before: State | undefined, { plan }: State): number {
  if (!plan?.gate || plan.gate.sha256 === before?.plan?.gate?.sha256) return 0;
  return (plan.gate.atMs - plan.sinceMs) / 1_000;
}

const secondsSince = (at: string, nowMs: number): number => (nowMs - Date.parse(at)) / 1_000;
