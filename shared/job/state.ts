import * as z from 'zod';

import { RollcallError } from '../errors.ts';
import type { ObjectStore } from '../ports.ts';
import { packRowStatuses, unpackRowStatuses } from './row-status.ts';
import type { Calls, Problem, RowEvent } from './events.ts';
import { STATES, type Job, type JobState } from './job.ts';
import { stateKey } from './keys.ts';
import type { Code } from './outcome.ts';

/** A chunk of events: an object of JSON lines (RowEvent), and the range of rows that it speaks of. */
export interface Chunk {
  readonly name: string;
  readonly firstRow: number;
  readonly lastRow: number;
}

/** What is still to be confirmed by an event: sent at once, and again every `resendMs`. `sentAtMs` is in epoch milliseconds, 0 before the first time. */
export interface Outbox {
  readonly enqueue?:
    | {
        readonly id: string;
        readonly from: number;
        readonly to: number;
        readonly sentAtMs: number;
      }
    | undefined;
  /** The validation is asked for again: its message was lost. */
  readonly validation?: { readonly sentAtMs: number } | undefined;
  readonly report?: { readonly revision: number; readonly sentAtMs: number } | undefined;
}

/** Everything the coordinator knows of a job: a fold of its events, kept at `jobs/<id>/state.json` with If-Match as the fence. */
export interface State {
  readonly job: Job;
  readonly state: JobState;
  /** Why the job was halted, or cancelled when it expired. */
  readonly halt?: { readonly code: Code; readonly message: string } | undefined;
  /** Why the manifest was refused, or could not be validated. */
  readonly problems: readonly Problem[];
  readonly rows: number;
  readonly manifest?:
    { readonly encoding: string; readonly delimiter: string; readonly carriedColumns: readonly string[] } | undefined;
  /** A byte a row: see row-status.ts. Folding changes it in place, on a copy that one run owns. */
  readonly rowStatuses: Uint8Array;
  /** The generation of a row's failure, where the row was redriven. */
  readonly generations: ReadonlyMap<number, number>;
  /** How many rows have been released. */
  readonly released: number;
  /** How many rows have an outcome that a worker gave them. */
  readonly outcomes: number;
  /** How far the enqueue came: rows before it were sent. */
  readonly enqueued: number;
  readonly chunks: readonly Chunk[];
  /** Entries that are not in a chunk yet. */
  readonly tail: readonly RowEvent[];
  readonly calls: Calls;
  /** Outcomes a second, lately: measured from `sinceMs`, when there were `outcomes`. */
  readonly rate: { readonly sinceMs: number; readonly outcomes: number; readonly perSecond: number };
  readonly outbox: Outbox;
  /** Ids of the latest events, so that one that comes twice counts once. */
  readonly recentEvents: readonly string[];
  readonly lastEventMs: number;
  /** Until when rows were handed back, at the latest. */
  readonly untilMs: number;
  /** Reconciles that enqueued the job again since the last outcome. */
  readonly rounds: number;
  /** The revision of the newest report that was asked for; 0 before the first. */
  readonly revision: number;
  /** Whether something has happened that the newest report does not say: it is asked for once nothing is under way. */
  readonly reportDue: boolean;
  /** When the job was stopped or ended; ISO 8601. */
  readonly finishedAt?: string | undefined;
  /** When the present state began; epoch milliseconds. */
  readonly stateSinceMs: number;
}

/** A job of which nothing is known yet but that its manifest is being read. */
export function newState(job: Job, nowMs: number): State {
  return {
    job,
    state: 'validating',
    problems: [],
    rows: 0,
    rowStatuses: new Uint8Array(0),
    generations: new Map(),
    released: 0,
    outcomes: 0,
    enqueued: 0,
    chunks: [],
    tail: [],
    calls: { sent: 0, rateLimited: 0, retried: 0 },
    rate: { sinceMs: nowMs, outcomes: 0, perSecond: 0 },
    outbox: {},
    recentEvents: [],
    lastEventMs: nowMs,
    untilMs: 0,
    rounds: 0,
    revision: 0,
    reportDue: false,
    stateSinceMs: nowMs,
  };
}

/** Job states, each read again only when its object has changed since this process saw it. */
export interface StateStore {
  readonly load: (jobId: string) => Promise<StoredState | undefined>;
  /** Throws ConditionNotMet when another run has written since `base` was read. */
  readonly save: (state: State, base: StoredState | undefined) => Promise<void>;
}

/** A state and the etag of the object it was read from: what its next write depends on. */
export interface StoredState {
  readonly state: State;
  readonly etag: string;
}

/** Keeps the states of so many jobs: of those that are active at the same time. */
export function createStateStore(results: ObjectStore, keptStates: number): StateStore {
  const kept = new Map<string, StoredState>();

  const keep = (jobId: string, stored: StoredState): void => {
    kept.delete(jobId);
    kept.set(jobId, stored);
    for (const oldest of kept.keys()) {
      if (kept.size <= keptStates) break;
      kept.delete(oldest);
    }
  };

  return {
    load: async (jobId) => {
      const known = kept.get(jobId);
      const object = await (known ? results.readIfChanged(stateKey(jobId), known.etag) : results.read(stateKey(jobId)));
      if (object === 'unchanged') return known;
      if (!object) return undefined;
      const stored = { state: parseState(await object.text()), etag: object.etag };
      keep(jobId, stored);
      return stored;
    },
    save: async (state, base) => {
      const condition = base ? { ifMatch: base.etag } : ({ ifNoneMatch: '*' } as const);
      const { etag } = await results.write(stateKey(state.job.id), serializeState(state), condition);
      keep(state.job.id, { state, etag });
    },
  };
}

/** A job's state as it stands now; `undefined` when nothing is known of the job. */
export async function readState(results: ObjectStore, jobId: string): Promise<State | undefined> {
  const stored = await results.read(stateKey(jobId));
  return stored && parseState(await stored.text());
}

/** A state that another version of this program has written. */
export class StateOfOtherVersion extends RollcallError {
  readonly code = 'STATE_OF_OTHER_VERSION';
  readonly temporary = true;
}

const VERSION = 2;

const storedSchema = z.object({
  state: z.enum(Object.keys(STATES) as [JobState, ...JobState[]]), // the keys of a Record<JobState, …>
  rows: z.int().nonnegative(),
  rowStatuses: z.string(),
  generations: z.array(z.tuple([z.int(), z.int()])),
});

/** A state as the text that is stored. */
export const serializeState = ({ rowStatuses, generations, ...rest }: State): string =>
  JSON.stringify({
    version: VERSION,
    ...rest,
    rowStatuses: packRowStatuses(rowStatuses),
    generations: [...generations],
  });

/** The inverse of serializeState. Checks what could come from another version; the rest is our own writing, fenced by If-Match. */
export function parseState(text: string): State {
  const raw = JSON.parse(text) as Omit<State, 'rowStatuses' | 'generations'> & { readonly version: unknown }; // written by serializeState
  const { version, ...rest } = raw;
  if (version !== VERSION)
    throw new StateOfOtherVersion(
      `The state of job ${rest.job.id} has version ${String(version)}, expected is ${VERSION}. Deploy the version that began the job until it has ended, or drop its file in again.`,
    );
  const { rowStatuses, generations, ...checked } = storedSchema.parse(raw);
  return {
    ...rest,
    ...checked,
    rowStatuses: unpackRowStatuses(rowStatuses, checked.rows),
    generations: new Map(generations),
  };
}
