import * as z from 'zod';

import { RollcallError } from '../errors.ts';
import type { ObjectStore } from '../ports.ts';
import { packRowStatuses, unpackRowStatuses } from './row-status.ts';
import type { Calls, Problem, RowEvent } from './events.ts';
import { STATES, type Command, type Job, type JobState } from './job.ts';
import { stateKey } from './keys.ts';
import type { Code, WaitReasonCode } from './outcome.ts';
import type { Told } from './notices.ts';
import type { Gate, WaitReason } from './plan.ts';

/** A chunk of events: an object of JSON lines (RowEvent), and the range of rows that it speaks of. */
export interface Chunk {
  readonly name: string;
  readonly firstRow: number;
  readonly lastRow: number;
}

/** What is still to be confirmed by an event: sent at once, and again every `resendMs`. `sentAtMs` is in epoch milliseconds, 0 before the first time. */
export interface Outbox {
  /** The chunks that are not planned are asked for; all of them again after silence only. */
  readonly plan?: { readonly sentAtMs: number } | undefined;
  readonly gate?: { readonly sentAtMs: number } | undefined;
  /** Rows whose other row has its outcome: they are enqueued though the release went past them. */
  readonly freed?: { readonly id: string; readonly rows: readonly number[]; readonly sentAtMs: number } | undefined;
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

/** The plan of a job as far as it has come. */
export interface Plan {
  /** From 1; a job that is planned anew has a further one. */
  readonly attempt: number;
  /** By row chunk: the SHA-256 of its plan chunk, null until it is planned. */
  readonly chunks: readonly (string | null)[];
  /** When it was begun; epoch milliseconds. */
  readonly sinceMs: number;
  /** A byte a row as validation left them, deflated, base64: what a plan that is made anew begins with. */
  readonly validated: string;
  /** What the gate made of it; without the bytes of the rows, which are the state's own. */
  readonly gate?: GateSummary | undefined;
}

/** As much of a gate as a job's state keeps. */
export interface GateSummary extends Pick<Gate, Exclude<keyof Gate, 'version' | 'rowStatuses' | 'outcomeChunks'>> {
  readonly sha256: string;
  /** When; epoch milliseconds. */
  readonly atMs: number;
}

/** Who did what to a job, and when, from AWS's events. */
export interface Actor {
  readonly action: 'upload' | Command;
  readonly principal: string;
  readonly at: string;
}

/** What a person has released of a plan. */
export interface Approval {
  readonly hash: string;
  readonly accepts: readonly WaitReasonCode[];
  /** How many steps of a job in steps may be applied. */
  readonly steps: number;
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
    | {
        readonly encoding: string;
        readonly delimiter: string;
        readonly carriedColumns: readonly string[];
        readonly sha256: string;
      }
    | undefined;
  /** Absent until the manifest is validated. */
  readonly plan?: Plan | undefined;
  /** Where a stopped job goes on when it is resumed. */
  readonly former?: JobState | undefined;
  /** Why the job waits; empty unless it does. */
  readonly waitReasons: readonly WaitReason[];
  readonly approval?: Approval | undefined;
  /** When rows were first let out; ISO 8601. Absent in a job that never began to apply. */
  readonly appliedAt?: string | undefined;
  readonly actors: readonly Actor[];
  /** Versions of control objects that counted: one that is told twice counts once. */
  readonly commandVersions: readonly string[];
  /** When the last stop was asked for; ISO 8601. A resume or an approval that was given before it does nothing. */
  readonly stoppedAt?: string | undefined;
  /** The run of failures that a breaker watches: since the last start, by code, and the last hundred outcomes. */
  readonly breaker: Breaker;
  /** A byte a row: see row-status.ts. Folding changes it in place, on a copy that one run owns. */
  readonly rowStatuses: Uint8Array;
  /** The generation of a row's failure, where the row was redriven. */
  readonly generations: ReadonlyMap<number, number>;
  /** How many rows have been released. */
  readonly released: number;
  /** How many changes of rows before `released` there were: what steps count. */
  readonly releasedChanges: number;
  /** Rows whose other row has its outcome, which are still to be asked for. */
  readonly freed: readonly number[];
  /** How many rows have an outcome that a worker gave them. */
  readonly outcomes: number;
  /** How many of these came out well, or failed for reasons of their own: what the ramp grows by. */
  readonly sound: number;
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
  /** The latest stretches in which rows waited for Atlassian's rate: from and until, epoch seconds. */
  readonly waits?: readonly (readonly [from: number, until: number])[] | undefined;
  /** Reconciles that enqueued the job again since the last outcome. */
  readonly rounds: number;
  /** The revision of the newest report that was asked for; 0 before the first. */
  readonly revision: number;
  /** Whether something has happened that the newest report does not say: it is asked for once nothing is under way. */
  readonly reportDue: boolean;
  /** Absent before anybody was told anything. */
  readonly told?: Told | undefined;
  /** When the job was stopped or ended; ISO 8601. */
  readonly finishedAt?: string | undefined;
  /** When the present state began; epoch milliseconds. */
  readonly stateSinceMs: number;
}

/** The latest outcomes since the job was started or resumed, newest last: for each its failure's code, or null. */
export interface Breaker {
  readonly latest: readonly (Code | null)[];
  /** How many outcomes there were. */
  readonly outcomes: number;
}

/** A breaker that has seen nothing. */
export const NO_FAILURES: Breaker = { latest: [], outcomes: 0 };

/** A job of which nothing is known yet but that its manifest is being read. */
export function newState(job: Job, nowMs: number): State {
  return {
    job,
    state: 'validating',
    problems: [],
    waitReasons: [],
    actors: job.uploadedBy === undefined ? [] : [{ action: 'upload', principal: job.uploadedBy, at: job.startedAt }],
    commandVersions: [],
    breaker: NO_FAILURES,
    rows: 0,
    rowStatuses: new Uint8Array(0),
    generations: new Map(),
    released: 0,
    releasedChanges: 0,
    freed: [],
    outcomes: 0,
    sound: 0,
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

const VERSION = 3;

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
