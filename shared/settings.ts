import * as z from 'zod';

import { RollcallError } from './errors.ts';

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
  rows: count.default(1_000_000),
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

const settingsSchema = z.strictObject({
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

/** What a deployer may set; what is left out has a sane default. */
export type GivenSettings = z.input<typeof settingsSchema>;

/** The settings of a stage, complete: the stack is made of them, and each function gets the sections that it uses. */
export type Settings = z.output<typeof settingsSchema>;

/** The settings do not make a stage. */
export class SettingsInvalid extends RollcallError {
  readonly code = 'SETTINGS_INVALID';
  readonly temporary = false;
}

/** The settings given, and the defaults for the rest; throws SettingsInvalid that names every setting at fault at once. */
export function completeSettings(given: unknown = {}): Settings {
  const parsed = settingsSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new SettingsInvalid(
    `The stage cannot be deployed with these settings: ${faultsOf(parsed.error, 'the settings')}. Correct them.`,
  );
}

/** The stack's name. */
export const stackNameOf = ({ name }: Settings): string => (name === undefined ? 'Rollcall' : `Rollcall-${name}`);

/** How long a message stays with the function that received it, in seconds: six times its time-out, and the window it was gathered in. (AWS Lambda developer guide, SQS event sources.) */
export const visibilitySeconds = (settings: {
  readonly timeoutSeconds: number;
  readonly batchingWindowSeconds?: number;
}): number => 6 * settings.timeoutSeconds + (settings.batchingWindowSeconds ?? 0);

/** Which sections of the settings, and which buckets (by name) and queues (by URL, or ARN where it says so), each function uses. */
export const FUNCTIONS = {
  splitter: { sections: ['limits'], resources: ['inbox', 'results', 'tasks', 'events'] },
  worker: { sections: ['worker'], resources: ['results', 'tasks', 'isolationArn', 'deadLetters', 'events'] },
  coordinator: { sections: ['coordinator', 'worker'], resources: ['results', 'events', 'enqueue', 'reports'] },
  reporter: { sections: [], resources: ['results', 'events'] },
} as const satisfies Readonly<
  Record<string, { readonly sections: readonly (keyof Settings)[]; readonly resources: readonly string[] }>
>;

export type FunctionName = keyof typeof FUNCTIONS;

type ResourceOf<Name extends FunctionName> = (typeof FUNCTIONS)[Name]['resources'][number];

/** Every bucket and queue that some function uses. */
export type Resources = Readonly<Record<ResourceOf<FunctionName>, string>>;

/** What a function finds in its one variable. */
export interface Environment<Name extends FunctionName> {
  readonly settings: Pick<Settings, (typeof FUNCTIONS)[Name]['sections'][number]>;
  readonly resources: Pick<Resources, ResourceOf<Name>>;
}

/** The one environment variable of a function. */
export const VARIABLE = 'ROLLCALL';

/** The text of a function's variable. */
export function writeEnvironment(name: FunctionName, settings: Settings, resources: Resources): string {
  const used: { readonly sections: readonly (keyof Settings)[]; readonly resources: readonly (keyof Resources)[] } =
    FUNCTIONS[name];
  return JSON.stringify({
    settings: Object.fromEntries(used.sections.map((section) => [section, settings[section]])),
    resources: Object.fromEntries(used.resources.map((resource) => [resource, resources[resource]])),
  });
}

/** The stack and this program do not agree about a function's environment. */
export class EnvironmentInvalid extends RollcallError {
  readonly code = 'ENVIRONMENT_INVALID';
  readonly temporary = false;
}

/** The inverse of writeEnvironment; throws EnvironmentInvalid that names everything at fault at once. */
export function readEnvironment<Name extends FunctionName>(
  name: Name,
  variables: Readonly<Record<string, string | undefined>>,
): Environment<Name> {
  const { sections, resources } = FUNCTIONS[name];
  const schema = z.object({
    settings: z.object(Object.fromEntries(sections.map((section) => [section, settingsSchema.shape[section]]))),
    resources: z.object(Object.fromEntries(resources.map((resource) => [resource, z.string().min(1)]))),
  });
  const parsed = schema.safeParse(parseJson(variables[VARIABLE]));
  if (parsed.success) return parsed.data as unknown as Environment<Name>; // the schema is made of this name's sections and resources
  throw new EnvironmentInvalid(
    `The ${name}'s environment variable ${VARIABLE} does not fit: ${faultsOf(parsed.error, VARIABLE)}. Deploy the stack again.`,
  );
}

function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return text; // which the schema refuses by name
  }
}

const faultsOf = (error: z.ZodError, whole: string): string =>
  error.issues.map(({ path, message }) => `${path.join('.') || whole}: ${message}`).join('; ');

function reservesEnough(
  own: { readonly reservedConcurrency: number | 'none' },
  needed: number,
  context: z.RefinementCtx,
): void {
  if (own.reservedConcurrency === 'none' || own.reservedConcurrency >= needed) return;
  const message = `must be at least ${needed}, what its sources may run at once, or "none"`;
  context.addIssue({ code: 'custom', path: ['reservedConcurrency'], message });
}
