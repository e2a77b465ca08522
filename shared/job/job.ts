import * as z from 'zod';

import type { Code } from './outcome.ts';
import { targetFactsSchema } from '../target.ts';

/** What came with a file, as object metadata or in its name: it can only tighten the stage's policy, or explain the file. */
export const fileOptionsSchema = z
  .object({
    dryRun: z.literal(true).optional(),
    /** The job waits for approval, however few its changes. */
    approval: z.literal('required').optional(),
    /** The job waits again after so many changes. */
    steps: z.int().positive().optional(),
    /** Neither planned nor applied before; ISO 8601, UTC. */
    notBefore: z.iso.datetime().optional(),
    /** Why, in the uploader's words. */
    reason: z.string().optional(),
  })
  .readonly();

/** What came with a file: it can only tighten the stage's policy, or explain the file. */
export type FileOptions = z.infer<typeof fileOptionsSchema>;

/** One manifest being applied, as its first event and its state hold it. */
export const jobSchema = z
  .object({
    id: z.string().min(1),
    target: z.string(),
    operation: z.string(),
    /** As they were when the file came, for a request to validate it that is sent again; absent where there is no such target. */
    targetFacts: targetFactsSchema.optional(),
    /** Whose folder `from-<sender>/` the file arrived in; absent for a file that came by hand. */
    sender: z.string().optional(),
    options: fileOptionsSchema.default({}),
    /** Who put the file there, as S3's event names them. */
    uploadedBy: z.string().optional(),
    manifest: z
      .object({
        bucket: z.string(),
        key: z.string(),
        /** Absent in a bucket without versions. */
        versionId: z.string().optional(),
        bytes: z.int().nonnegative(),
      })
      .readonly(),
    /** When the manifest was first seen; ISO 8601, UTC. */
    startedAt: z.string(),
  })
  .readonly();

/** One manifest being applied: its id, target, operation, and the object that it was read from. */
export type Job = z.infer<typeof jobSchema>;

/** What a person can ask of a job, by putting an object at `control/<jobId>/<command>` in the inbox bucket. */
export const COMMANDS = ['pause', 'resume', 'cancel', 'approve'] as const;

/** What helps somebody who named a job that there is not. */
export const WHERE_IDS_ARE =
  "Give the job's full id: `npx rollcall status` lists the jobs, and the id is also the name of the job's folder in the results bucket.";

/** One of COMMANDS. */
export type Command = (typeof COMMANDS)[number];

/** Whether a command stops a job, rather than letting it go on. */
export const isStop = (command: Command): command is 'pause' | 'cancel' => command === 'pause' || command === 'cancel';

/** Where a job stands: one of the rows of STATES. */
export type JobState =
  | 'validating'
  | 'planning'
  | 'waiting'
  | 'running'
  | 'paused'
  | 'halted'
  | 'completed'
  | 'cancelled'
  | 'rejected'
  | 'broken';

interface StateEntry {
  /** `open`: it goes on by itself or after a pause; `stopped`: only a person can let it go on; `ended`: nobody can. */
  readonly life: 'open' | 'stopped' | 'ended';
  /** The commands that it takes, and the state that each leads to, `former` being the one before the stop; any other does nothing. */
  readonly takes: Readonly<Partial<Record<Command, JobState | 'former'>>>;
  /** Rows are planned. */
  readonly plans?: true;
  /** Rows are released, and their tasks applied. */
  readonly applies?: true;
  /** Somebody is at work, so a job that has been silent for long is asked after. */
  readonly silenceCounts?: true;
  /** A row whose task meets what no row can get past, such as refused credentials, halts it. */
  readonly halts?: true;
  /** A job that nobody attends to for days is cancelled. */
  readonly expires?: true;
  /** The code of rows that have no outcome: without one they are not counted, for they may yet get theirs. */
  readonly unreached?: Code;
}

/** A job's life: what each of its states lets happen. */
export const STATES: Readonly<Record<JobState, StateEntry>> = {
  validating: { life: 'open', takes: { pause: 'paused', cancel: 'cancelled' }, silenceCounts: true },
  planning: {
    life: 'open',
    takes: { pause: 'paused', cancel: 'cancelled' },
    plans: true,
    silenceCounts: true,
    halts: true,
  },
  waiting: {
    life: 'stopped',
    takes: { approve: 'running', pause: 'paused', cancel: 'cancelled' },
    expires: true,
    unreached: 'NOT_APPROVED',
  },
  running: {
    life: 'open',
    takes: { pause: 'paused', cancel: 'cancelled' },
    applies: true,
    silenceCounts: true,
    halts: true,
  },
  paused: { life: 'open', takes: { resume: 'former', cancel: 'cancelled' }, halts: true },
  halted: {
    life: 'stopped',
    takes: { resume: 'former', cancel: 'cancelled' },
    expires: true,
    unreached: 'HALTED',
  },
  completed: { life: 'ended', takes: {} },
  cancelled: { life: 'ended', takes: {}, unreached: 'CANCELLED' },
  rejected: { life: 'ended', takes: {} },
  broken: { life: 'ended', takes: {}, unreached: 'NOT_APPLIED' },
};

/** Whether the manifest is still being read. */
export const isValidating = (state: JobState): boolean => state === 'validating';

/** Whether rows may be planned. */
export const mayPlan = (state: JobState): boolean => STATES[state].plans === true;

/** Whether a person must look at the plan before anything is applied. */
export const isWaiting = (state: JobState): boolean => state === 'waiting';

/** Whether rows may be released, and their tasks applied. */
export const mayApply = (state: JobState): boolean => STATES[state].applies === true;

/** Whether nothing more will be released of a job in this state. */
export const hasEnded = (state: JobState): boolean => STATES[state].life === 'ended';

/** Whether no row gets a further outcome unless a person does something: the job halted or ended. */
export const hasStopped = (state: JobState): boolean => STATES[state].life !== 'open';

/** Whether every row came to its outcome. */
export const isCompleted = (state: JobState): boolean => state === 'completed';

/** Whether a person ended the job, or nobody attended to it. */
export const isCancelled = (state: JobState): boolean => state === 'cancelled';

/** Whether the manifest was refused, so that no row was released. */
export const isRejected = (state: JobState): boolean => state === 'rejected';

/** Whether a job in this state could not be run, whatever its rows say. */
export const hasFailed = (state: JobState): boolean => state === 'rejected' || state === 'broken';
