import * as z from 'zod';

import { RollcallError } from './errors.ts';
import { networkSettings } from './network-settings.ts';
import { NOTICE_STATES } from './notice.ts';

/** The retention periods of CloudWatch Logs. (CloudWatch Logs API reference, PutRetentionPolicy.) */
const LOG_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653] as const;

const count = z.int().positive();

/** Names that S3 keeps for itself, though their characters are right. (Amazon S3 user guide, bucket naming rules.) */
const RESERVED_BUCKET_NAME = /^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|--x-s3|--table-s3|-an)$/;
const bucketName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/, 'must be 3 to 63 of a-z, 0-9 and -, a letter or digit first and last')
  .refine((name) => !RESERVED_BUCKET_NAME.test(name), 'begins or ends as S3 lets no bucket be named; choose another');

/** Lambda's own limits: 15 minutes, 128 to 10,240 MB. (AWS Lambda developer guide, quotas.) */
const timeoutSeconds = z.int().min(1).max(900);
const memoryMegabytes = z.int().min(128).max(10_240);
/** The least and most that an SQS event source takes. (AWS Lambda developer guide, maximum concurrency.) */
const maxConcurrency = z.int().min(2).max(1_000);
/** How much of the account's concurrency is reserved; `none` in an account whose quota is too small to reserve any. */
const reservedConcurrency = z.union([count, z.literal('none')]);

/** How often SQS delivers a message before it is redriven: below five, throttled batches would reach the dead letters unrun. */
const maxReceiveCount = z.int().min(5).max(1_000);

const intake = z
  .strictObject({
    timeoutSeconds: timeoutSeconds.default(10),
    memoryMegabytes: memoryMegabytes.default(512),
    /** One more than its event source takes, for who asks it directly to stop a job. */
    reservedConcurrency: reservedConcurrency.default(3),
    intakeConcurrency: maxConcurrency.default(2),
  })
  .superRefine((own, context) => reservesEnough(own, own.intakeConcurrency + 1, context));

const splitter = z
  .strictObject({
    timeoutSeconds: timeoutSeconds.default(900),
    memoryMegabytes: memoryMegabytes.default(1_024),
    reservedConcurrency: reservedConcurrency.default(4),
    validateConcurrency: maxConcurrency.default(2),
    enqueueConcurrency: maxConcurrency.default(2),
  })
  .superRefine((own, context) => reservesEnough(own, own.validateConcurrency + own.enqueueConcurrency, context));

const planner = z
  .strictObject({
    timeoutSeconds: timeoutSeconds.default(120),
    memoryMegabytes: memoryMegabytes.default(1_024),
    reservedConcurrency: reservedConcurrency.default(2),
    planConcurrency: maxConcurrency.default(2),
  })
  .superRefine((own, context) => reservesEnough(own, own.planConcurrency, context));

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
    expiryDays: count.default(14),
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

const notifier = z
  .strictObject({
    timeoutSeconds: timeoutSeconds.default(120),
    memoryMegabytes: memoryMegabytes.default(512),
    /** One more than its event source takes, for the daily check. */
    reservedConcurrency: reservedConcurrency.default(3),
    noticesConcurrency: maxConcurrency.default(2),
  })
  .superRefine((own, context) => reservesEnough(own, own.noticesConcurrency + 1, context));

/** No number of people is unlimited. */
const people = z.int().min(0).max(100_000);
const percent = z.int().min(0).max(100);

/** How many changes run without approval: of both kinds, or of those that take access away or rename and those that give access. */
const above = z.union([
  people.transform((both) => ({ takes: both, gives: both })),
  z.strictObject({ takes: people, gives: people }),
]);

const policyRule = z
  .strictObject({
    /** Which files the rule is for: those of this target, operation and sender; of any where it names none. */
    target: z.string().min(1).optional(),
    operation: z.string().min(1).optional(),
    sender: z.string().min(1).optional(),
    above: above.optional(),
    /** Whoever uploaded a file does not approve it. */
    twoPersons: z.boolean().optional(),
    /** After so many changes a job waits for approval again. */
    steps: people.min(1).optional(),
    /** Nothing is applied, whatever the file says. */
    dryRun: z.literal(true).optional(),
  })
  .refine(({ sender, above: stated }) => sender === undefined || stated !== undefined, {
    path: ['above'],
    message: "must be stated for a sender: how many changes the sender's files may make without approval",
  });

/** All settings of a function go into one variable, and Lambda gives 4 KB to all of them. (AWS Lambda developer guide, quotas.) */
const RULES_CHARACTERS = 2_000;

const policy = z.strictObject({
  /** What of a rule is set counts over the rules before it. */
  rules: z
    .array(policyRule)
    .refine((rules) => JSON.stringify(rules).length <= RULES_CHARACTERS, {
      message: `must be at most ${RULES_CHARACTERS} characters of JSON together; merge rules that say the same`,
    })
    .default([]),
  /** A job waits that takes access away from, or renames, more people than both of these, or so many where the total is not known. */
  tooMany: z
    .strictObject({
      percent: percent.default(5),
      people: people.default(10),
      unknownTotal: people.default(100),
      /** Likewise for what is taken out of one group, where it has at least so many members. */
      groupPercent: percent.default(20),
      groupSize: people.default(50),
    })
    .prefault({}),
  /** A job waits of whose rows more than this share is refused, and at least so many. */
  manyRefused: z.strictObject({ share: z.number().min(0).max(1).default(0.5), least: people.default(20) }).prefault({}),
  /** A job that is approved later than this is planned anew first. */
  approvalMinutes: z.int().min(1).max(10_080).default(60),
});

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
    resultDays: count.default(760),
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

/** A queue of somebody's own, which lets the topic send to it. */
const queueArn = z
  .string()
  .regex(/^arn:[\w-]+:sqs:[\w-]+:\d{12}:[\w-]{1,80}$/, 'must be the ARN of an SQS queue (no FIFO queue)');

const subscriber = z
  .strictObject({
    email: z.email().optional(),
    https: z.url({ protocol: /^https$/, error: 'must be an https address' }).optional(),
    queue: queueArn.optional(),
    /** Only of these; of all where it is left out. */
    targets: z.array(z.string().min(1)).min(1).optional(),
    operations: z.array(z.string().min(1)).min(1).optional(),
    states: z.array(z.enum(NOTICE_STATES)).min(1).optional(),
    /** Nothing that needs nobody: jobs that went well, and what waits for its time. */
    quietOnSuccess: z.literal(true).optional(),
  })
  .refine(({ email, https, queue }) => [email, https, queue].filter((one) => one !== undefined).length === 1, {
    message: 'must name one of email, https and queue',
  });

const notices = z
  .strictObject({
    subscribers: z.array(subscriber).default([]),
    /** Mail addresses that are told when a suspend or deactivate still waits after 1, 4 and 24 hours. */
    escalation: z.array(z.email()).default([]),
  })
  .superRefine(({ subscribers, escalation }, context) => {
    // SNS keeps one subscription of an address to a topic.
    const told = [...subscribers.map(({ email, https, queue }) => email ?? https ?? queue), ...escalation];
    for (const twice of new Set(told.filter((one, index) => told.indexOf(one) !== index)))
      context.addIssue(`${twice} stands there twice: SNS takes one subscription of an address, so merge the two`);
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
  intake: intake.prefault({}),
  splitter: splitter.prefault({}),
  planner: planner.prefault({}),
  worker: worker.prefault({}),
  coordinator: coordinator.prefault({}),
  reporter: reporter.prefault({}),
  notifier: notifier.prefault({}),
  policy: policy.prefault({}),
  limits: limits.prefault({}),
  retention,
  alarms: alarms.prefault({}),
  notices: notices.prefault({}),
  maxReceiveCount: maxReceiveCount.default(5),
  /** Put on everything in the stack that takes tags. */
  tags: z.record(z.string().min(1).max(128), z.string().max(256)).default({}),
  /** The ARN of a policy that bounds every role of the stack. */
  permissionsBoundary: z
    .string()
    .regex(/^arn:[\w-]+:iam::\d{12}:policy\/.+$/, 'must be the ARN of a policy')
    .optional(),
  ...networkSettings,
});

const settingsSchema = stageSchema.superRefine(bucketsHaveNames);

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
export const stackNameOf = ({ name }: Pick<Settings, 'name'>): string =>
  name === undefined ? 'Rollcall' : `Rollcall-${name}`;

/** What a bucket's own name is when none is given: before the account and the region come. */
export const bucketPrefixOf = (settings: Pick<Settings, 'name'>, purpose: 'inbox' | 'results'): string =>
  `${stackNameOf(settings).toLowerCase()}-${purpose}-`;

/** How long a message stays with the function that received it, in seconds: six times its time-out, and the window it was gathered in. (AWS Lambda developer guide, SQS event sources.) */
export const visibilitySeconds = (settings: {
  readonly timeoutSeconds: number;
  readonly batchingWindowSeconds?: number;
}): number => 6 * settings.timeoutSeconds + (settings.batchingWindowSeconds ?? 0);

/** Which sections of the settings, and which buckets (by name) and queues (by URL, or ARN where it says so), each function uses. */
export const FUNCTIONS = {
  intake: { sections: ['name'], resources: ['inbox', 'results', 'validate', 'events'] },
  splitter: { sections: ['limits'], resources: ['inbox', 'results', 'tasks', 'events'] },
  planner: { sections: ['name', 'planner', 'worker', 'policy', 'proxy'], resources: ['results', 'plan', 'events'] },
  worker: { sections: ['name', 'worker', 'proxy'], resources: ['results', 'tasks', 'isolationArn', 'events'] },
  coordinator: {
    sections: ['coordinator', 'worker', 'policy'],
    resources: ['results', 'validate', 'plan', 'enqueue', 'events', 'reports', 'notices'],
  },
  reporter: { sections: [], resources: ['results', 'deadLetters', 'events'] },
  notifier: {
    sections: ['name', 'worker', 'proxy'],
    resources: ['results', 'notices', 'noticesTopic'],
  },
} as const satisfies Readonly<
  Record<string, { readonly sections: readonly (keyof Settings)[]; readonly resources: readonly string[] }>
>;

export type FunctionName = keyof typeof FUNCTIONS;

/** Whether a function calls Atlassian, by the proxy and with the certificates that are set. */
export const callsAtlassian = (name: FunctionName): boolean => ['planner', 'worker', 'notifier'].includes(name);

/** The alias by which people invoke intake: who may invoke it may stop jobs, and can pass nothing off as a message of the intake queue. */
export const STOP_ALIAS = 'stop';

type ResourceOf<Name extends FunctionName> = (typeof FUNCTIONS)[Name]['resources'][number];

/** Every bucket and queue that some function uses. */
export type Resources = Readonly<Record<ResourceOf<FunctionName>, string>>;

/** What a function finds in its one variable. */
export interface Environment<Name extends FunctionName> {
  /** By which metrics and logs tell stacks apart. */
  readonly stackName: string;
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
    stackName: stackNameOf(settings),
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
    stackName: z.string().min(1),
    settings: z.object(Object.fromEntries(sections.map((section) => [section, stageSchema.shape[section]]))),
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

const BUCKET_NAME_CHARACTERS = 63;
/** An account and a region of the longest name that AWS has, as they end a bucket's name. */
const LONGEST_PLACE = '123456789012-us-isof-south-1';

function bucketsHaveNames(settings: z.output<typeof stageSchema>, context: z.RefinementCtx): void {
  const { name = '', inboxBucketName, resultsBucketName } = settings;
  const refuse = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
  const tooLong = Math.max(
    inboxBucketName === undefined ? bucketPrefixOf(settings, 'inbox').length : 0,
    resultsBucketName === undefined ? bucketPrefixOf(settings, 'results').length : 0,
  );
  const excess = tooLong + LONGEST_PLACE.length - BUCKET_NAME_CHARACTERS;
  if (excess > 0) {
    refuse(
      'name',
      `the stage "${name}" has ${name.length} characters, and a bucket's name has room for ${name.length - excess} beside the account and a long region; ` +
        'shorten it, or name both buckets with inboxBucketName and resultsBucketName',
    );
  }
  if (inboxBucketName !== undefined && inboxBucketName === resultsBucketName) {
    refuse('resultsBucketName', `is "${resultsBucketName}", as is inboxBucketName; choose two names`);
  }
}
