import { settledStatus } from '../../shared/job/row-status.ts';
import type { JobEvent } from '../../shared/job/events.ts';
import { join, type Outcome } from '../../shared/job/outcome.ts';
import { parseState, type State } from '../../shared/job/state.ts';
import { imbalanceOf, type Summary } from '../../shared/job/summary.ts';
import { taskSchema } from '../../shared/job/messages.ts';
import type { MemoryObjectStore } from '../fakes/memory-object-store.ts';
import type { Received } from './simulated-queue.ts';
import type { World } from './world.ts';

/** Watches the promises while a simulation runs; a promise that is broken is a violation. */
export interface Promises {
  readonly violations: readonly string[];
  readonly violate: (promise: string, what: string) => void;
  /** The newest state of each job, by its id. */
  readonly states: ReadonlyMap<string, State>;
  readonly written: (key: string) => void;
  readonly posted: (event: JobEvent) => void;
  /** What the job's events of a job was told in all. */
  readonly eventsOf: (jobId: string) => Posted;
  /** A call of this job has begun. */
  readonly callBegan: (jobId: string, name: string) => void;
  readonly deleted: (received: Received) => void;
  /** From now on rows of ended jobs are redriven. */
  readonly redriven: () => void;
  readonly isRedriven: () => boolean;
}

/** What a job's events was told, each event counted once. */
export interface Posted {
  readonly events: number;
  readonly callsSent: number;
  /** The outcome of each row that counts most. */
  readonly outcomes: ReadonlyMap<number, Outcome>;
}

const STOP_MS = 1_000;

/** What the job's events was told of a row, and when. */
interface Told {
  readonly outcome: boolean;
  readonly atMs: number;
}

export function watchPromises(results: MemoryObjectStore, world: World): Promises {
  const violations: string[] = [];
  const states = new Map<string, State>();
  const stoppedMs = new Map<string, number>();
  const told = new Map<string, Told>();
  const eventsQueues = new Map<string, { ids: Set<string>; callsSent: number; outcomes: Map<number, Outcome> }>();
  let isRedriving = false;

  const violate = (promise: string, what: string): void => {
    world.note(() => `VIOLATION ${promise}: ${what}`);
    violations.push(`${promise}: ${what}`);
  };

  const stateWritten = (key: string): void => {
    const state = parseState(results.textOf(key));
    const { id } = state.job;
    states.set(id, state);
    world.note(() => describe(state));
    // A job that is complete was not stopped: what came twice may still be read back.
    if (state.state === 'running' || state.state === 'completed') stoppedMs.delete(id);
    else if (!stoppedMs.has(id)) stoppedMs.set(id, world.nowMs());
  };

  const summaryWritten = (key: string): void => {
    const summary = JSON.parse(results.textOf(key)) as Summary; // our own writing
    const imbalance = key.endsWith('summary.json') ? imbalanceOf(summary.counts) : undefined;
    if (imbalance !== undefined) violate('Conservation', imbalance);
    if (summary.state === 'broken' && states.get(summary.job)?.state !== 'broken')
      violate('Conservation', `${key} is broken: ${JSON.stringify(summary.problems)}`);
  };

  const eventsOf = (jobId: string) => {
    const eventsQueue = eventsQueues.get(jobId) ?? {
      ids: new Set<string>(),
      callsSent: 0,
      outcomes: new Map<number, Outcome>(),
    };
    eventsQueues.set(jobId, eventsQueue);
    return eventsQueue;
  };

  const tell = (jobId: string, row: number, outcome: boolean): void => {
    const key = `${jobId}/${row}`;
    told.set(key, { outcome: outcome || (told.get(key)?.outcome ?? false), atMs: world.nowMs() });
  };

  return {
    violations,
    violate,
    states,
    written: (key) => {
      if (!results.objects.has(key)) return;
      if (key.endsWith('/state.json') && key.startsWith('jobs/')) stateWritten(key);
      if (key.endsWith('/summary.json') || key.endsWith('/status.json')) summaryWritten(key);
    },
    posted: (event) => {
      const eventsQueue = eventsOf(event.jobId);
      if (eventsQueue.ids.has(event.id)) return;
      eventsQueue.ids.add(event.id);
      if (event.type !== 'recorded') return;
      eventsQueue.callsSent += event.calls.sent;
      for (const outcome of event.outcomes) {
        const known = eventsQueue.outcomes.get(outcome.row);
        eventsQueue.outcomes.set(outcome.row, known ? join(known, outcome) : outcome);
      }
      for (const { row } of event.outcomes) tell(event.jobId, row, true);
      for (const row of [...event.returned, ...event.awaiting, ...event.dropped]) tell(event.jobId, row, false);
    },
    eventsOf: (jobId) => {
      const { ids, callsSent, outcomes } = eventsOf(jobId);
      return { events: ids.size, callsSent, outcomes };
    },
    callBegan: (jobId, name) => {
      const sinceMs = stoppedMs.get(jobId);
      // Redriven rows belong to a job that has ended.
      if (sinceMs === undefined || isRedriving) return;
      const lateMs = world.nowMs() - sinceMs;
      if (lateMs > STOP_MS) violate('Stop means stop', `${name} began ${lateMs} ms after ${jobId} had stopped`);
    },
    deleted: ({ parcel: { body, id }, atMs }) => {
      const { jobId, row } = taskSchema.parse(JSON.parse(body));
      const known = told.get(`${jobId}/${row}`);
      const state = states.get(jobId);
      const settled = state && settledStatus(state.rowStatuses[row] ?? 0) !== undefined;
      if (settled || known?.outcome || (known && known.atMs >= atMs)) return;
      violate('Fail closed', `${id}, row ${row} of ${jobId}, was deleted and no event tells of it`);
    },
    redriven: () => {
      isRedriving = true;
    },
    isRedriven: () => isRedriving,
  };
}

const describe = ({ job, state, released, rows, enqueued, outcomes, revision, reportDue, outbox }: State): string =>
  `  ${job.id} is ${state}: released ${released}/${rows}, enqueued ${enqueued}, outcomes ${outcomes}, revision ${revision}${reportDue ? ', report due' : ''}${outbox.report ? ', report asked for' : ''}`;
