import { readFileSync } from 'node:fs';
import * as z from 'zod';

import { RollcallError } from '../shared/errors.ts';

/** The retention periods of CloudWatch Logs. (CloudWatch Logs API reference, PutRetentionPolicy.) */
const LOG_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653] as const;

const count = z.int().positive();
const bucketName = z.string().regex(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/, 'must be 3 to 63 of a-z, 0-9 and -');

/** Lambda's own limits: 15 minutes, 128 to 10,240 MB. (AWS Lambda developer guide, quotas.) */
const timeoutSeconds = z.int().min(1).max(900);
const memoryMegabytes = z.int().min(128).max(10_240);
/** The least and most that an SQS event source takes. (AWS Lambda developer guide, maximum concurrency.) */
const maxConcurrency = z.int().min(2).max(1_000);
/** How much of the account's concurrency is reserved; `none` in an account whose quota is too small to reserve any. */
const reservedConcurrency = z.union([count, z.literal('none')]);

/** How often SQS delivers a message before it is redriven: below five, throttled batches would reach the dead letters unrun. */
const maxReceiveCount = z.int().min(5).max(1_000);

const splitter = z
  .strictObject({
    timeoutSeconds: timeoutSeconds.default(900),
    memoryMegabytes: memoryMegabytes.default(1_024),
    reservedConcurrency: reservedConcurrency.default(4),
    intakeConcurrency: maxConcurrency.default(2),
    enqueueConcurrency: maxConcurrency.default(2),
  })
  .superRefine((own, context) => reservesEnough(own, own.intakeConcurrency + own.enqueueConcurrency, context));

const worker = z
  .strictObject({
    timeoutSeconds: timeoutSeconds.default(30),
    memoryMegabytes: memoryMegabytes.default(512),
    reservedConcurrency: reservedConcurrency.default(4),
    tasksConcurrency: maxConcurrency.default(2),
    isolationConcurrency: maxConcurrency.default(2),
    batchSize: z.int().min(1).max(10_000).default(200),
    batchingWindowSeconds: z.int().min(0).max(300).default(1),
    /** How often a row is tried before it has failed for good. */
    maxAttempts: count.default(5),
    /** Calls at Atlassian that one process keeps under way. */
    callsUnderWay: count.default(100),
    /** How long Atlassian may take to show what was written. */
    consistencySeconds: count.default(60),
    /** Bytes of one answer of Atlassian's. */
    responseBytes: count.default(8 * 2 ** 20),
  })
  .superRefine((own, context) => {
    reservesEnough(own, own.tasksConcurrency + own.isolationConcurrency, context);
    if (own.batchSize > 10 && own.batchingWindowSeconds < 1) {
      const message = `must be at least 1 when batchSize is ${own.batchSize}: AWS gathers more than 10 messages only over a window`;
      context.addIssue({ code: 'custom', path: ['batchingWindowSeconds'], message });
    }
  });

const coordinator = z
  .strictObject({
    timeoutSeconds: timeoutSeconds.default(30),
    memoryMegabytes: memoryMegabytes.default(512),
    /** One more than its event source takes, for the reconcile. */
    reservedConcurrency: reservedConcurrency.default(3),
    eventsConcurrency: maxConcurrency.default(2),
    /** The least that a job's full window holds. */
    windowRows: count.default(300),
    /** The work that a job's full window holds at its present rate. */
    windowSeconds: count.default(2),
    /** How long a halted or waiting job is kept before it is cancelled. */
    expiryDays: count.default(7),
  })
  .superRefine((own, context) => reservesEnough(own, own.eventsConcurrency + 1, context));

const reporter = z
  .strictObject({
    timeoutSeconds: timeoutSeconds.default(900),
    memoryMegabytes: memoryMegabytes.default(1_024),
    reservedConcurrency: reservedConcurrency.default(2),
    reportsConcurrency: maxConcurrency.default(2),
  })
  .superRefine((own, context) => reservesEnough(own, own.reportsConcurrency, context));

const limits = z.strictObject({
  manifestBytes: count.default(2 ** 30),
  rows: count.default(5_000_000),
  rowBytes: z
    .int()
    .positive()
    // A row travels as one SQS message of at most 1 MiB, and JSON may double it.
    .max(512 * 1_024)
    .default(256 * 1_024),
  columns: count.default(1_000),
  /** A spreadsheet's own limit of one cell; at the most, all of our cells of a row still fit into one SQS message. */
  cellCharacters: z.int().min(1).max(65_535).default(32_767),
});

const retention = z
  .strictObject({
    /** Manifests, and the versions of them that were replaced. */
    manifestDays: count.default(90),
    /** Reports, and what we keep of a job besides. */
    resultDays: count.default(400),
    accessLogDays: count.default(90),
    /** One of the periods that CloudWatch Logs knows. */
    logDays: z.union(LOG_DAYS.map((days) => z.literal(days))).default(90),
  })
  .prefault({});

const alarms = z.strictObject({
  /** Who is told of alarms; each gets a mail from AWS first that asks whether they want to be. */
  emails: z.array(z.email()).default([]),
  oldestRowMinutes: count.default(30),
});

const stageSchema = z.strictObject({
  /** Tells stages in one account apart: the stack is `Rollcall`, or `Rollcall-<name>`. */
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,19}$/, 'must be at most 20 of a-z, 0-9 and -, a letter first')
    .optional(),
  /** `<stack>-inbox-<account>-<region>` unless given. */
  inboxBucketName: bucketName.optional(),
  /** `<stack>-results-<account>-<region>` unless given. */
  resultsBucketName: bucketName.optional(),
  splitter: splitter.prefault({}),
  worker: worker.prefault({}),
  coordinator: coordinator.prefault({}),
  reporter: reporter.prefault({}),
  limits: limits.prefault({}),
  retention,
  alarms: alarms.prefault({}),
  maxReceiveCount: maxReceiveCount.default(5),
});

/** Everything that a deployer may choose; what is left out has a sane value. */
export type StageSettings = z.input<typeof stageSchema>;

/** A stage, complete. */
export type Stage = z.output<typeof stageSchema>;

/** The settings do not make a stage. */
export class StageInvalid extends RollcallError {
  readonly code = 'STAGE_INVALID';
  readonly temporary = false;
}

/** A stage of these settings and the defaults; throws StageInvalid that names every setting at fault at once. */
export function pipelineStage(settings: unknown = {}): Stage {
  const parsed = stageSchema.safeParse(settings);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the settings'}: ${message}`);
  throw new StageInvalid(`The stage cannot be deployed as it is: ${faults.join('; ')}. Correct these settings.`);
}

/** A stage out of a JSON file of settings; throws StageInvalid when there is no such file or it is not JSON. */
export function readStage(path: string): Stage {
  return pipelineStage(jsonOf(path));
}

/** The stack's name. */
export const stackNameOf = ({ name }: Stage): string => (name === undefined ? 'Rollcall' : `Rollcall-${name}`);

/** How long a message stays with the function that received it: six times its time-out, and the window it was gathered in. (AWS Lambda developer guide, SQS event sources.) */
export const visibilitySeconds = (settings: {
  readonly timeoutSeconds: number;
  readonly batchingWindowSeconds?: number;
}): number => 6 * settings.timeoutSeconds + (settings.batchingWindowSeconds ?? 0);

function jsonOf(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const message = `The stage's settings cannot be read from ${path} (${cause instanceof Error ? cause.message : String(cause)}). Name a JSON file of settings.`;
    throw new StageInvalid(message, { cause });
  }
}

function reservesEnough(
  own: { readonly reservedConcurrency: number | 'none' },
  needed: number,
  context: z.RefinementCtx,
): void {
  if (own.reservedConcurrency === 'none' || own.reservedConcurrency >= needed) return;
  const message = `must be at least ${needed}, what its sources may run at once, or "none"`;
  context.addIssue({ code: 'custom', path: ['reservedConcurrency'], message });
}
