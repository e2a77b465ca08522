import * as z from 'zod';

import { sightedTargetSchema } from '../target.ts';

const taskFields = {
  version: z.literal(2),
  jobId: z.string().min(1),
  target: z.string().min(1),
  operation: z.string().min(1),
  row: z.int().nonnegative(),
  line: z.int().positive(),
  generation: z.int().nonnegative(),
  attempts: z.int().nonnegative(),
  /** It was found as desired so soon after a write of ours that Atlassian may have shown an older state: what is read now counts. */
  readAgain: z.literal(true).optional(),
  /** A write of this row has begun whose answer was not heard, or told nothing. */
  begun: z.literal(true).optional(),
};

/** One planned change of one job: the body of one SQS message. A task's own line survives redrives; its attempts do not. */
const changeTaskSchema = z.object({
  ...taskFields,
  kind: z.literal('change'),
  subject: z.unknown(),
  before: z.unknown(),
  after: z.unknown(),
  /** When the subject's state was read; ISO 8601, UTC. */
  plannedAt: z.iso.datetime(),
  /** Another row has freed the address that this one takes: Atlassian may not show it yet. */
  freed: z.literal(true).optional(),
});

/** A row that the plan refused, as its dead letter holds it: redriven, it is planned again. */
const rowTaskSchema = z.object({
  ...taskFields,
  kind: z.literal('row'),
  /** Our columns by their canonical names; empty cells are left out. */
  cells: z.record(z.string(), z.string()),
});

export const taskSchema = z.discriminatedUnion('kind', [changeTaskSchema, rowTaskSchema]);

/** A task: one planned change of one job as an SQS message, or, redriven, a row that its plan refused. */
export type Task = Readonly<z.infer<typeof taskSchema>>;

/** A task that holds its change. */
export type ChangeTask = Extract<Task, { readonly kind: 'change' }>;

/** What intake asks of the splitter: validate this object of the inbox. */
export const validateRequestSchema = z.object({
  version: z.literal(2),
  kind: z.literal('validate'),
  bucket: z.string().min(1),
  key: z.string().min(1),
  versionId: z.string().min(1).optional(),
  bytes: z.int().nonnegative(),
  /** When S3 took the object in; ISO 8601, UTC. */
  at: z.string(),
  /** Who put it there, as S3's event names them. */
  principal: z.string().optional(),
  /** The target that the key's first folder names: the splitter reads no secret. Absent where there is none. */
  target: sightedTargetSchema.optional(),
});

/** A request to validate an object of the inbox. */
export type ValidateRequest = Readonly<z.infer<typeof validateRequestSchema>>;

const attempt = z.int().positive();

/** What the coordinator asks of the planner: plan a row chunk, and decide what the whole plan may do. */
export const planRequestSchema = z.discriminatedUnion('kind', [
  z.object({
    version: z.literal(1),
    kind: z.literal('plan'),
    jobId: z.string().min(1),
    attempt,
    chunk: z.int().nonnegative(),
    /** How many rows of the chunk are planned already: they are stored beside it. */
    done: z.int().nonnegative().default(0),
  }),
  z.object({ version: z.literal(1), kind: z.literal('gate'), jobId: z.string().min(1), attempt }),
]);

/** A request to plan a row chunk, or to gate the whole plan. */
export type PlanRequest = Readonly<z.infer<typeof planRequestSchema>>;

/** What the coordinator asks of the splitter: send the changes of the rows from `from` up to but not including `to` that have no outcome. */
export const enqueueRequestSchema = z.object({
  version: z.literal(1),
  kind: z.literal('enqueue'),
  jobId: z.string().min(1),
  enqueueId: z.string().min(1),
  from: z.int().nonnegative(),
  to: z.int().nonnegative(),
  /** Rows that waited for another's outcome, which has come: only these are sent. */
  freed: z.array(z.int().nonnegative()).optional(),
});

/** A request to send the released rows that have no outcome. */
export type EnqueueRequest = Readonly<z.infer<typeof enqueueRequestSchema>>;

/** What the coordinator asks of the reporter: write the job's files, as they stand now. */
export const reportRequestSchema = z.object({
  version: z.literal(1),
  kind: z.literal('report'),
  jobId: z.string().min(1),
});

/** A request to write a job's files. */
export type ReportRequest = Readonly<z.infer<typeof reportRequestSchema>>;

/** What the coordinator asks of the notifier: tell people what has become of a job. */
export const noticeRequestSchema = z.object({
  version: z.literal(1),
  kind: z.literal('notice'),
  jobId: z.string().min(1),
  about: z.enum(['stop', 'reminder', 'failures']),
  /** The stop that it is about: once the job has gone on, there is nothing to tell. */
  stop: z.string().min(1),
  /** Of a reminder: how long the job has waited. */
  hours: z.int().positive().optional(),
  /** Of failures: how often rows had been redriven. */
  redrives: z.int().nonnegative().optional(),
});

/** A request to tell people of a job. */
export type NoticeRequest = Readonly<z.infer<typeof noticeRequestSchema>>;
