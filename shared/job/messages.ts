import * as z from 'zod';

/** One row of one job: the body of one SQS message. A task's own line survives redrives; its attempts do not. */
export const taskSchema = z.object({
  version: z.literal(1),
  jobId: z.string().min(1),
  target: z.string().min(1),
  operation: z.string().min(1),
  row: z.int().nonnegative(),
  line: z.int().positive(),
  /** Our columns by their canonical names; empty cells are left out. */
  cells: z.record(z.string(), z.string()),
  /** The row that frees the address that this one takes. */
  after: z.object({ row: z.int().nonnegative(), line: z.int().positive() }).optional(),
  /** Other rows name people or groups in other terms: what this one turns out to be about has to be compared with them. */
  mixed: z.literal(true).optional(),
  generation: z.int().nonnegative(),
  attempts: z.int().nonnegative(),
});

/** A task: one row of one job as an SQS message. */
export type Task = Readonly<z.infer<typeof taskSchema>>;

/** What the coordinator asks of the splitter: send the rows from `from` up to but not including `to` that have no outcome. */
export const enqueueRequestSchema = z.object({
  version: z.literal(1),
  kind: z.literal('enqueue'),
  jobId: z.string().min(1),
  enqueueId: z.string().min(1),
  from: z.int().nonnegative(),
  to: z.int().nonnegative(),
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
