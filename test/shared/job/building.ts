import type { JobEvent, EventBody } from '../../../shared/job/events.ts';
import type { Outcome } from '../../../shared/job/outcome.ts';
import { packRowStatuses, PENDING } from '../../../shared/job/row-status.ts';
import type { Job } from '../../../shared/job/job.ts';
import type { Policy } from '../../../shared/job/rules.ts';
import type { Validation } from '../../../shared/job/validation.ts';

export const NOW_MS = Date.UTC(2026, 10, 21, 9);

export const JOB: Job = {
  id: 'leavers-0123456789ab',
  target: 'acme',
  operation: 'suspend',
  manifest: { bucket: 'inbox', key: 'acme/suspend/leavers.csv', versionId: 'v1', bytes: 1_000 },
  startedAt: new Date(NOW_MS).toISOString(),
};

export const POLICY: Policy = {
  windowRows: 100,
  windowSeconds: 2,
  overdueMs: 181_000,
  expiryMs: 7 * 86_400_000,
  resendMs: 30_000,
};

let eventCount = 0;

/** An event from the one thing that matters of it. */
export function eventOf(body: EventBody): JobEvent {
  eventCount += 1;
  return { version: 1, id: `event-${eventCount}`, jobId: JOB.id, at: JOB.startedAt, ...body };
}

export const recorded = (
  outcomes: readonly Outcome[],
  more: Partial<Extract<EventBody, { type: 'recorded' }>> = {},
): JobEvent =>
  eventOf({
    type: 'recorded',
    outcomes: [...outcomes],
    returned: [],
    awaiting: [],
    dropped: [],
    calls: { sent: outcomes.length, rateLimited: 0, retried: 0 },
    ...more,
  });

export const outcomeOf = (row: number, more: Partial<Outcome> = {}): Outcome => ({
  row,
  line: row + 2,
  generation: 0,
  status: 'changed',
  attempts: 1,
  finishedAt: JOB.startedAt,
  ...more,
});

export const validationOf = (rows: number, rowStatuses = new Uint8Array(rows).fill(PENDING)): Validation => ({
  version: 2,
  rows,
  encoding: 'utf-8',
  delimiter: ',',
  header: ['email'],
  columns: ['email'],
  carriedColumns: [],
  escaped: false,
  rowStatuses: packRowStatuses(rowStatuses),
  outcomeChunks: [],
  rowChunks: [],
  mixed: false,
  ordered: false,
});
