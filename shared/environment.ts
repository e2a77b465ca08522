import * as z from 'zod';

import { RollcallError } from './errors.ts';

const text = z.string().min(1);
const count = z.coerce.number().int().positive();

/** What each function reads from its environment: the stack sets exactly these, and a test compares the two. */
export const ENVIRONMENTS = {
  splitter: z.object({
    INBOX_BUCKET: text,
    RESULTS_BUCKET: text,
    TASKS_QUEUE_URL: text,
    EVENTS_QUEUE_URL: text,
    /** Bytes. */
    MANIFEST_LIMIT: count,
    ROW_COUNT_LIMIT: count,
    /** Bytes of one row. */
    ROW_LIMIT: count,
    COLUMN_LIMIT: count,
    /** Characters of one cell. */
    CELL_LIMIT: count,
  }),
  worker: z.object({
    RESULTS_BUCKET: text,
    TASKS_QUEUE_URL: text,
    /** ARN, to tell a record of the isolation queue from one of the tasks queue. */
    ISOLATION_QUEUE_ARN: text,
    DEAD_LETTERS_QUEUE_URL: text,
    EVENTS_QUEUE_URL: text,
    MAX_ATTEMPTS: count,
    /** How many worker processes share a target's rate: the event source's maxConcurrency. */
    WORKERS: count,
    CALLS_UNDER_WAY: count,
    /** How long Atlassian may take to show what was written, in seconds. */
    CONSISTENCY_SECONDS: count,
    /** Bytes of one answer. */
    RESPONSE_LIMIT: count,
  }),
  coordinator: z.object({
    RESULTS_BUCKET: text,
    EVENTS_QUEUE_URL: text,
    ENQUEUE_QUEUE_URL: text,
    REPORTS_QUEUE_URL: text,
    WINDOW_ROWS: count,
    WINDOW_SECONDS: count,
    /** Silence after which a job is overdue: the tasks queue's visibility time-out. */
    OVERDUE_SECONDS: count,
    EXPIRY_DAYS: count,
  }),
  reporter: z.object({
    INBOX_BUCKET: text,
    RESULTS_BUCKET: text,
    EVENTS_QUEUE_URL: text,
  }),
} as const;

export type FunctionName = keyof typeof ENVIRONMENTS;

/** The stack and this program do not agree about the environment. */
export class EnvironmentInvalid extends RollcallError {
  readonly code = 'ENVIRONMENT_INVALID';
  readonly temporary = false;
}

/** A function's environment, parsed; throws EnvironmentInvalid that names every variable at fault at once. */
export function readEnvironment<Name extends FunctionName>(
  name: Name,
  environment: Readonly<Record<string, string | undefined>>,
): z.infer<(typeof ENVIRONMENTS)[Name]> {
  const parsed = ENVIRONMENTS[name].safeParse(environment);
  if (parsed.success) return parsed.data as z.infer<(typeof ENVIRONMENTS)[Name]>; // the schema of this very name
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new EnvironmentInvalid(`The ${name}'s environment does not fit: ${faults.join('; ')}. Deploy the stack again.`);
}
