import * as z from 'zod';

import type { Chance, Clock } from '../ports.ts';
import { COMMANDS, jobSchema } from './job.ts';
import { CODES, STATUSES, WAIT_REASONS, type Code } from './outcome.ts';

export const codeSchema = z.enum(Object.keys(CODES) as [Code, ...Code[]]); // Object.keys of a const object gives its keys

const rowNumber = z.int().nonnegative();

export const outcomeSchema = z.object({
  row: rowNumber,
  line: z.int().positive(),
  generation: z.int().nonnegative(),
  status: z.enum(STATUSES),
  code: codeSchema.optional(),
  message: z.string().optional(),
  httpStatus: z.int().optional(),
  untouched: z.literal(true).optional(),
  attempts: z.int().nonnegative(),
  traceId: z.string().optional(),
  finishedAt: z.string(),
});

/** Calls at Atlassian: sent in all, answered 429, and sent for a task that had been attempted before. */
export const callsSchema = z.object({
  sent: z.int().nonnegative(),
  rateLimited: z.int().nonnegative(),
  retried: z.int().nonnegative(),
});

/** How many calls went to Atlassian, were answered 429, and were made for a task that had been tried before. */
export type Calls = Readonly<z.infer<typeof callsSchema>>;

const problemSchema = z.object({ line: z.int().positive().optional(), message: z.string() });

/** Why a manifest is refused: the line where there is one, and what to do about it. */
export type Problem = Readonly<z.infer<typeof problemSchema>>;

const eventBodies = z.discriminatedUnion('type', [
  /** The splitter has begun to read the manifest. */
  z.object({ type: z.literal('validating'), job: jobSchema }),
  /** The whole manifest has been read; `jobs/<id>/validation.json` says what is in it. */
  z.object({ type: z.literal('validated'), job: jobSchema }),
  /** The manifest as a whole is refused. */
  z.object({ type: z.literal('rejected'), job: jobSchema, problems: z.array(problemSchema).min(1) }),
  /** A row chunk has been planned: its plan chunk has this SHA-256. */
  z.object({
    type: z.literal('planned'),
    attempt: z.int().positive(),
    chunk: z.int().nonnegative(),
    sha256: z.string(),
    calls: callsSchema,
  }),
  /** Planning, or the gate, has to wait until then: for Atlassian, or for another job. */
  z.object({ type: z.literal('deferred'), until: z.string(), calls: callsSchema }),
  /** The whole plan has been gated: `gate.json` has this SHA-256. */
  z.object({ type: z.literal('gated'), attempt: z.int().positive(), sha256: z.string() }),
  /** Rows before `reached` have been sent; `enqueueId` names the enqueue this answers. */
  z.object({ type: z.literal('enqueued'), enqueueId: z.string(), reached: rowNumber }),
  /** A worker is about to write. */
  z.object({
    type: z.literal('attempting'),
    rows: z.array(z.object({ row: rowNumber, line: z.int().positive() })),
  }),
  /** What a worker's batch came to: outcomes, rows handed back until a time, and rows dropped because the job had stopped. */
  z.object({
    type: z.literal('recorded'),
    outcomes: z.array(outcomeSchema),
    returned: z.array(rowNumber),
    until: z.string().optional(),
    dropped: z.array(rowNumber),
    calls: callsSchema,
  }),
  /** Nothing more may begin until a person has put right what the message says. */
  z.object({ type: z.literal('halted'), code: codeSchema, message: z.string() }),
  /** A person, or whoever acts for one, asks something of the job. */
  z.object({
    type: z.literal('commanded'),
    command: z.enum(COMMANDS),
    /** What an approval names: the plan's hash, the reasons that it accepts, and the step that it is for. */
    approval: z
      .object({ hash: z.string(), accepts: z.array(z.enum(WAIT_REASONS)), step: z.int().positive().optional() })
      .optional(),
    /** The control object that asked, so that resume and approve count once; absent when intake was invoked. */
    versionId: z.string().optional(),
    /** Who asked, as AWS names them. */
    principal: z.string().optional(),
  }),
  z.object({ type: z.literal('reconcile') }),
  z.object({ type: z.literal('reported'), revision: z.int().positive() }),
]);

/** One thing that happened to a job. Events carry ids of their own, so one that is delivered twice is folded once. */
export const jobEventSchema = z
  .object({ version: z.literal(1), id: z.string().min(1), jobId: z.string().min(1), at: z.string() })
  .and(eventBodies);

/** One thing that happened to a job, as it is posted to the events queue. */
export type JobEvent = z.infer<typeof jobEventSchema>;
/** What happened, without the id, job and time that every event has. */
export type EventBody = z.infer<typeof eventBodies>;

/** A line of a chunk: that a write of a row was about to begin, or a row's outcome. */
export type RowEvent =
  | { readonly kind: 'attempting'; readonly row: number; readonly line: number }
  | ({ readonly kind: 'outcome' } & z.infer<typeof outcomeSchema>);

/** What a new event needs: the time, and an id of its own. */
export interface EventPorts {
  readonly clock: Clock;
  readonly chance: Chance;
}

/** An event that happens now, with an id of its own. */
export const createEvent = (jobId: string, body: EventBody, { clock, chance }: EventPorts): JobEvent => ({
  version: 1,
  id: chance.uuid(),
  jobId,
  at: clock.now().toISOString(),
  ...body,
});
