import type { JobEvent, EventBody } from '../../../shared/job/events.ts';
import type { Outcome } from '../../../shared/job/outcome.ts';
import { packRowStatuses, PENDING } from '../../../shared/job/row-status.ts';
import type { Command, Job } from '../../../shared/job/job.ts';
import type { Gate } from '../../../shared/job/plan.ts';
import type { Bounds } from '../../../shared/job/rules.ts';
import type { Validation } from '../../../shared/job/validation.ts';

export const NOW_MS = Date.UTC(2026, 10, 21, 9);

export const JOB: Job = {
  id: 'leavers-0123456789ab',
  target: 'acme',
  operation: 'suspend',
  options: {},
  manifest: { bucket: 'inbox', key: 'acme/suspend/leavers.csv', versionId: 'v1', bytes: 1_000 },
  startedAt: new Date(NOW_MS).toISOString(),
};

export const BOUNDS: Bounds = {
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
  version: 3,
  rows,
  sha256: 'f1e',
  encoding: 'utf-8',
  delimiter: ',',
  header: ['email'],
  columns: ['email'],
  carriedColumns: [],
  escaped: false,
  rowStatuses: packRowStatuses(rowStatuses),
  outcomeChunks: [],
  rowChunks: [],
});

/** What a gate says of so many rows that are all to be changed. */
export const gateOf = (rows: number, more: Partial<Gate> = {}): Gate => ({
  version: 1,
  hash: HASH,
  rowStatuses: packRowStatuses(new Uint8Array(rows).fill(PENDING)),
  outcomeChunks: [],
  dependencies: [],
  counts: { change: rows, unchanged: 0, failed: 0, invalid: 0, unprocessed: 0 },
  codes: {},
  reasons: [],
  twoPersons: false,
  mode: 'apply',
  takes: rows,
  policy: {},
  ...more,
});

/** The hash of a plan, unless a test says another. */
export const HASH = 'a1'.repeat(32);

export const validated = (job: Job = JOB): JobEvent => eventOf({ type: 'validated', job });

export const gated = (attempt = 1): JobEvent => eventOf({ type: 'gated', attempt, sha256: `gate-${attempt}` });

/** A command that was given so many milliseconds after the job's start. */
export const commanded = (
  command: Command,
  { afterMs = 0, ...more }: Partial<Extract<EventBody, { type: 'commanded' }>> & { readonly afterMs?: number } = {},
): JobEvent => ({
  ...eventOf({ type: 'commanded', command, ...more }),
  at: new Date(NOW_MS + afterMs).toISOString(),
});

type Approval = NonNullable<Extract<EventBody, { type: 'commanded' }>['approval']>;

/** Somebody's approval of the plan. */
export const approved = (approval: Partial<Approval> = {}, more: Parameters<typeof commanded>[1] = {}): JobEvent =>
  commanded('approve', { approval: { hash: HASH, accepts: [], ...approval }, ...more });
