import * as z from 'zod';

import type {
  BucketDescription,
  EventSourceDescription,
  FunctionDescription,
  NotificationDescription,
  QueueDescription,
  RoleDescription,
  ScheduleDescription,
  StackDescription,
  Statement,
} from './description.ts';
import { TemplateUnreadable } from './intrinsics.ts';
import { readTemplate, type Place, type Resource, type Template } from './template.ts';

/** Reads a synthesized template. `folderOf` finds the folder of an asset by its S3 key. */
export function describeTemplate(
  json: unknown,
  place: Place,
  folderOf: (assetKey: string) => string | undefined,
): StackDescription {
  const template = readTemplate(json, place);
  return {
    queues: template.resources('AWS::SQS::Queue').map(describeQueue),
    buckets: describeBuckets(template),
    functions: template.resources('AWS::Lambda::Function').map((resource) => describeFunction(resource, folderOf)),
    eventSources: template.resources('AWS::Lambda::EventSourceMapping').map(describeEventSource),
    schedules: describeSchedules(template),
    roles: describeRoles(template),
    outputs: template.outputs,
  };
}

const NOT_ATTRIBUTES = new Set(['QueueName', 'Tags']);

function describeQueue({ logicalId, name, arn, ref, properties }: Resource): QueueDescription {
  const attributes = Object.entries(z.record(z.string(), z.unknown()).parse(properties))
    .filter(([attribute]) => !NOT_ATTRIBUTES.has(attribute))
    .map(([attribute, value]): [string, string] => [
      attribute,
      typeof value === 'object' ? JSON.stringify(value) : String(value),
    ]);
  return { logicalId, name, arn, url: ref, attributes: Object.fromEntries(attributes) };
}

const filterSchema = z.object({ Name: z.string(), Value: z.string() });
const bucketSchema = z.object({
  VersioningConfiguration: z.object({ Status: z.string() }).optional(),
  NotificationConfiguration: z
    .object({
      QueueConfigurations: z
        .array(
          z.object({
            Event: z.string(),
            Queue: z.string(),
            Filter: z.object({ S3Key: z.object({ Rules: z.array(filterSchema) }) }).optional(),
          }),
        )
        .default([]),
    })
    .optional(),
});

// CDK's own addEventNotification writes a custom resource instead of the bucket's property.
const notificationsSchema = z.object({
  BucketName: z.string(),
  NotificationConfiguration: z.object({
    QueueConfigurations: z
      .array(
        z.object({
          Events: z.array(z.string()),
          QueueArn: z.string(),
          Filter: z.object({ Key: z.object({ FilterRules: z.array(filterSchema) }) }).optional(),
        }),
      )
      .default([]),
  }),
});

function describeBuckets(template: Template): readonly BucketDescription[] {
  const custom = template
    .resources('Custom::S3BucketNotifications')
    .map(({ properties }) => notificationsSchema.parse(properties));
  return template.resources('AWS::S3::Bucket').map(({ logicalId, name, arn, properties }) => {
    const bucket = bucketSchema.parse(properties);
    const own = (bucket.NotificationConfiguration?.QueueConfigurations ?? []).map((configuration) =>
      describeNotification(configuration.Queue, [configuration.Event], configuration.Filter?.S3Key.Rules),
    );
    const others = custom
      .filter(({ BucketName: bucketName }) => bucketName === name)
      .flatMap(({ NotificationConfiguration: { QueueConfigurations: configurations } }) => configurations)
      .map(({ QueueArn: queueArn, Events: events, Filter: filter }) =>
        describeNotification(queueArn, events, filter?.Key.FilterRules),
      );
    const versioned = bucket.VersioningConfiguration?.Status === 'Enabled';
    return { logicalId, name, arn, versioned, notifications: [...own, ...others] };
  });
}

function describeNotification(
  queueArn: string,
  events: readonly string[],
  rules: readonly z.infer<typeof filterSchema>[] = [],
): NotificationDescription {
  const rule = (name: string): string => rules.find((one) => one.Name.toLowerCase() === name)?.Value ?? '';
  return { queueArn, events, prefix: rule('prefix'), suffix: rule('suffix') };
}

/** What CDK adds to an id to make it a logical id. */
const CDK_HASH = /[0-9A-F]{8}$/;

const lambdaSchema = z.object({
  Handler: z.string(),
  Role: z.string(),
  Code: z.object({ S3Key: z.string().optional() }),
  Environment: z.object({ Variables: z.record(z.string(), z.string()).default({}) }).optional(),
  Timeout: z.coerce.number().default(3),
  MemorySize: z.coerce.number().default(128),
  ReservedConcurrentExecutions: z.coerce.number().optional(),
});

function describeFunction(
  { logicalId, name, arn, properties }: Resource,
  folderOf: (assetKey: string) => string | undefined,
): FunctionDescription {
  const parsed = lambdaSchema.parse(properties);
  return {
    logicalId,
    name,
    label: logicalId.replace(CDK_HASH, '').toLowerCase(),
    arn,
    roleArn: parsed.Role,
    handler: parsed.Handler,
    folder: parsed.Code.S3Key === undefined ? undefined : folderOf(parsed.Code.S3Key),
    environment: parsed.Environment?.Variables ?? {},
    timeoutSeconds: parsed.Timeout,
    memoryMegabytes: parsed.MemorySize,
    reservedConcurrency: parsed.ReservedConcurrentExecutions,
  };
}

const eventSourceSchema = z.object({
  EventSourceArn: z.string(),
  FunctionName: z.string(),
  BatchSize: z.coerce.number().default(10),
  MaximumBatchingWindowInSeconds: z.coerce.number().default(0),
  ScalingConfig: z.object({ MaximumConcurrency: z.coerce.number() }).optional(),
  FunctionResponseTypes: z.array(z.string()).default([]),
});

function describeEventSource({ properties }: Resource): EventSourceDescription {
  const parsed = eventSourceSchema.parse(properties);
  return {
    functionName: parsed.FunctionName.slice(parsed.FunctionName.lastIndexOf(':') + 1),
    queueArn: parsed.EventSourceArn,
    batchSize: parsed.BatchSize,
    windowSeconds: parsed.MaximumBatchingWindowInSeconds,
    maxConcurrency: parsed.ScalingConfig?.MaximumConcurrency,
    partialResponses: parsed.FunctionResponseTypes.includes('ReportBatchItemFailures'),
  };
}

const targetSchema = z.object({ Arn: z.string(), Input: z.string().optional() });
const ruleSchema = z.object({ ScheduleExpression: z.string().optional(), Targets: z.array(targetSchema).default([]) });
const scheduleSchema = z.object({ ScheduleExpression: z.string(), Target: targetSchema });

function describeSchedules(template: Template): readonly ScheduleDescription[] {
  const rules = template.resources('AWS::Events::Rule').flatMap(({ name, properties }) => {
    const { ScheduleExpression: rate, Targets: targets } = ruleSchema.parse(properties);
    return rate === undefined ? [] : targets.map((target) => describeSchedule(name, rate, target));
  });
  const scheduler = template.resources('AWS::Scheduler::Schedule').map(({ name, properties }) => {
    const { ScheduleExpression: rate, Target: target } = scheduleSchema.parse(properties);
    return describeSchedule(name, rate, target);
  });
  return [...rules, ...scheduler];
}

const UNIT_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

function describeSchedule(name: string, rate: string, target: z.infer<typeof targetSchema>): ScheduleDescription {
  const [, count, unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(rate) ?? [];
  const unitMs = UNIT_MS[unit];
  if (unitMs === undefined) {
    throw new TemplateUnreadable(
      `The schedule ${name} is "${rate}"; the local stack knows rate(n minutes|hours|days).`,
    );
  }
  return { name, functionArn: target.Arn, everyMs: Number(count) * unitMs, input: target.Input };
}

const texts = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? [value] : value));

/** Strict, as it would be wrong to overlook what changes a statement's meaning: NotAction, NotResource. */
const statementSchema = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: texts,
  Resource: texts,
  Condition: z.record(z.string(), z.record(z.string(), texts)).default({}),
});
const documentSchema = z.object({ Statement: z.array(statementSchema) });
const roleSchema = z.object({
  Policies: z.array(z.object({ PolicyDocument: documentSchema })).default([]),
  ManagedPolicyArns: z.array(z.string()).default([]),
});
const policySchema = z.object({ Roles: z.array(z.string()).default([]), PolicyDocument: documentSchema });

function describeRoles(template: Template): readonly RoleDescription[] {
  const policies = [...template.resources('AWS::IAM::Policy'), ...template.resources('AWS::IAM::ManagedPolicy')].map(
    ({ properties }) => policySchema.parse(properties),
  );
  return template.resources('AWS::IAM::Role').map(({ name, arn, properties }) => {
    const role = roleSchema.parse(properties);
    const attached = policies.filter((policy) => policy.Roles.includes(name));
    const documents = [...role.Policies, ...attached].map((policy) => policy.PolicyDocument);
    const written = documents.flatMap((document) => document.Statement.map(describeStatement));
    return { name, arn, statements: [...written, ...role.ManagedPolicyArns.flatMap(managedStatements)] };
  });
}

const describeStatement = (statement: z.infer<typeof statementSchema>): Statement => ({
  effect: statement.Effect,
  actions: statement.Action,
  resources: statement.Resource,
  conditions: statement.Condition,
});

/** What AWS's own managed policies allow of the calls that the local stack sees. Source: the AWS managed policy reference. */
function managedStatements(policyArn: string): readonly Statement[] {
  // Logging and tracing go past the local stack, so a policy for them allows nothing that it could see.
  if (/AWSLambdaBasicExecutionRole$|AWSXRayDaemonWriteAccess$/.test(policyArn)) return [];
  throw new TemplateUnreadable(
    `A role has the managed policy ${policyArn}; write its actions into the template instead.`,
  );
}
