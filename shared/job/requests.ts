import * as z from 'zod';

/** What the coordinator asks of the splitter: send the rows from `from` up to but not including `to` that have no outcome. */
export const enqueueRequestSchema = z.object({
  version: z.literal(1),
  kind: z.literal('enqueue'),
  jobId: z.string().min(1),
  enqueueId: z.string().min(1),
  from: z.int().nonnegative(),
  to: z.int().nonnegative(),
});

export type EnqueueRequest = Readonly<z.infer<typeof enqueueRequestSchema>>;

/** What the coordinator asks of the reporter: write the job's files, as they stand now. */
export const reportRequestSchema = z.object({
  version: z.literal(1),
  kind: z.literal('report'),
  jobId: z.string().min(1),
});

export type ReportRequest = Readonly<z.infer<typeof reportRequestSchema>>;
