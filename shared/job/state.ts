import * as z from 'zod';

import { packRowStatuses, unpackRowStatuses } from './row-status.ts';
import type { Job, JobState } from './job.ts';
import { ENDED_STATES, OPEN_STATES } from './job.ts';
import type { Calls, RowEvent, Problem } from './events.ts';
import type { Code } from './codes.ts';

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
  /** The generation of a row's failure, where it was put up again by hand. */
  readonly generations: ReadonlyMap<number, number>;
  /** How many rows have been let out. */
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

const storedSchema = z.object({
  version: z.literal(1),
  state: z.enum([...OPEN_STATES, ...ENDED_STATES]),
  rows: z.int().nonnegative(),
  rowStatuses: z.string(),
  generations: z.array(z.tuple([z.int(), z.int()])),
});

/** A state as the text that is stored. */
export const serializeState = ({ rowStatuses, generations, ...rest }: State): string =>
  JSON.stringify({ version: 1, ...rest, rowStatuses: packRowStatuses(rowStatuses), generations: [...generations] });

/** The inverse of serializeState. Checks what could come from another version; the rest is our own writing, fenced by If-Match. */
export function parseState(text: string): State {
  const raw: unknown = JSON.parse(text);
  const { version: _version, rowStatuses, generations, ...checked } = storedSchema.parse(raw);
  return {
    ...(raw as Omit<State, 'rowStatuses' | 'generations'>), // written by serializeState of the version just checked
    ...checked,
    rowStatuses: unpackRowStatuses(rowStatuses, checked.rows),
    generations: new Map(generations),
  };
}
