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
  TopicDescription,
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
    buckets: template.resources('AWS::S3::Bucket').map(describeBucket),
    topics: describeTopics(template),
    functions: describeFunctions(template, folderOf),
    eventSources: template.resources('AWS::Lambda::EventSourceMapping').map(describeEventSource),
    schedules: template.resources('AWS::Events::Rule').flatMap(describeSchedules),
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
const notificationSchema = z.object({
  Event: z.string(),
  Queue: z.string(),
  Filter: z.object({ S3Key: z.object({ Rules: z.array(filterSchema) }) }).optional(),
});
const bucketSchema = z.object({
  VersioningConfiguration: z.object({ Status: z.string() }).optional(),
  NotificationConfiguration: z.object({ QueueConfigurations: z.array(notificationSchema).default([]) }).optional(),
});

function describeBucket({ name, arn, properties }: Resource): BucketDescription {
  const bucket = bucketSchema.parse(properties);
  const versioned = bucket.VersioningConfiguration?.Status === 'Enabled';
  const notifications = bucket.NotificationConfiguration?.QueueConfigurations.map(describeNotification) ?? [];
  return { name, arn, versioned, notifications };
}

function describeNotification(notification: z.infer<typeof notificationSchema>): NotificationDescription {
  const { Event: event, Queue: queueArn, Filter: filter } = notification;
  const valueOf = (name: string): string =>
    filter?.S3Key.Rules.find((rule) => rule.Name.toLowerCase() === name)?.Value ?? '';
  return { queueArn, event, prefix: valueOf('prefix'), suffix: valueOf('suffix') };
}

const subscriptionSchema = z.object({
  TopicArn: z.string(),
  Protocol: z.string(),
  Endpoint: z.string(),
  FilterPolicy: z.record(z.string(), z.array(z.string())).default({}),
});

function describeTopics(template: Template): readonly TopicDescription[] {
  const subscriptions = template
    .resources('AWS::SNS::Subscription')
    .map(({ properties }) => subscriptionSchema.parse(properties));
  return template.resources('AWS::SNS::Topic').map(({ arn }) => ({
    arn,
    subscriptions: subscriptions
      .filter(({ TopicArn: topicArn }) => topicArn === arn)
      .map(({ Protocol: protocol, Endpoint: endpoint, FilterPolicy: filter }) => ({ protocol, endpoint, filter })),
  }));
}

/** What CDK adds to an id to make it a logical id. */
const CDK_HASH = /[0-9A-F]{8}$/;

const functionSchema = z.object({
  Handler: z.string(),
  Role: z.string(),
  Code: z.object({ S3Key: z.string() }),
  Environment: z.object({ Variables: z.record(z.string(), z.string()).default({}) }).optional(),
  Timeout: z.coerce.number().default(3),
  MemorySize: z.coerce.number().default(128),
  ReservedConcurrentExecutions: z.coerce.number().optional(),
});

const aliasSchema = z.object({ FunctionName: z.string(), Name: z.string() });

function describeFunctions(
  template: Template,
  folderOf: (assetKey: string) => string | undefined,
): readonly FunctionDescription[] {
  const aliases = template.resources('AWS::Lambda::Alias').map(({ properties }) => aliasSchema.parse(properties));
  return template.resources('AWS::Lambda::Function').map((resource) => ({
    ...describeFunction(resource, folderOf),
    aliases: aliases.filter(({ FunctionName: name }) => name === resource.name).map(({ Name: alias }) => alias),
  }));
}

function describeFunction(
  { logicalId, name, arn, properties }: Resource,
  folderOf: (assetKey: string) => string | undefined,
): Omit<FunctionDescription, 'aliases'> {
  const parsed = functionSchema.parse(properties);
  const folder = folderOf(parsed.Code.S3Key);
  if (folder === undefined) {
    throw new TemplateUnreadable(`The code of ${name} is ${parsed.Code.S3Key}, and the assembly has no such asset.`);
  }
  return {
    name,
    label: logicalId.replace(CDK_HASH, '').toLowerCase(),
    arn,
    roleArn: parsed.Role,
    handler: parsed.Handler,
    folder,
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

const ruleSchema = z.object({
  ScheduleExpression: z.string(),
  // Strict: the emulator gives a target EventBridge's own event, and nothing else.
  Targets: z.array(z.strictObject({ Arn: z.string(), Id: z.string() })),
});

const UNIT_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

function describeSchedules({ name, properties }: Resource): readonly ScheduleDescription[] {
  const { ScheduleExpression: expression, Targets: targets } = ruleSchema.parse(properties);
  const [, count, unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const unitMs = UNIT_MS[unit];
  if (unitMs === undefined) {
    throw new TemplateUnreadable(
      `The schedule ${name} is "${expression}"; the local stack knows rate(n minutes|hours|days).`,
    );
  }
  return targets.map(({ Arn: functionArn }) => ({ name, functionArn, everyMs: Number(count) * unitMs }));
}

const texts = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? [value] : value));

/** Strict, as it would be wrong to overlook what changes a statement's meaning: NotAction, NotResource. */
const statementSchema = z
  .strictObject({
    Sid: z.string().optional(),
    Effect: z.enum(['Allow', 'Deny']),
    Action: texts,
    Resource: texts,
    Condition: z.unknown().optional(),
  })
  .transform(({ Effect: effect, Action: actions, Resource: resources }): Statement => ({ effect, actions, resources }));
const documentSchema = z.object({ Statement: z.array(statementSchema) });
const policySchema = z.object({ Roles: z.array(z.string()).default([]), PolicyDocument: documentSchema });
const roleSchema = z.object({
  Policies: z.array(z.object({ PolicyDocument: documentSchema })).default([]),
  ManagedPolicyArns: z.array(z.unknown()).default([]),
});

function describeRoles(template: Template): readonly RoleDescription[] {
  const policies = template.resources('AWS::IAM::Policy').map(({ properties }) => policySchema.parse(properties));
  return template.resources('AWS::IAM::Role').map(({ name, arn, properties }) => {
    const role = roleSchema.parse(properties);
    if (role.ManagedPolicyArns.length > 0) {
      throw new TemplateUnreadable(`The role ${name} has managed policies; write their actions into the template.`);
    }
    const attached = policies.filter((policy) => policy.Roles.includes(name));
    const statements = [...role.Policies, ...attached].flatMap((policy) => policy.PolicyDocument.Statement);
    return { name, arn, statements };
  });
}
