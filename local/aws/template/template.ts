import * as z from 'zod';

import { resolveIntrinsics, TemplateUnreadable, type References } from './intrinsics.ts';

/** A synthesized template, its resources named as CloudFormation names them and every reference resolved. */
export interface Template {
  readonly resources: (type: string) => readonly Resource[];
  readonly outputs: Readonly<Record<string, string>>;
}

export interface Resource {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  /** What `Ref` gives. */
  readonly ref: string;
  readonly properties: unknown;
}

/** The account and region that the local stack says it is in, and what its resources' names begin with. */
export interface Place {
  readonly stackName: string;
  readonly account: string;
  readonly region: string;
  /** Where the queues are served, without a slash at the end. */
  readonly queuesUrl: string;
}

const templateSchema = z.object({
  Parameters: z.record(z.string(), z.object({ Default: z.unknown().optional() })).default({}),
  Resources: z.record(
    z.string(),
    z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) }),
  ),
  Outputs: z.record(z.string(), z.object({ Value: z.unknown() })).default({}),
});

interface Context {
  readonly place: Place;
  readonly template: z.infer<typeof templateSchema>;
}

/** Reads a template; what refers to something unknown throws TemplateUnreadable when it is asked for. */
export function readTemplate(json: unknown, place: Place): Template {
  const context: Context = { place, template: templateSchema.parse(json) };
  const resolve = (value: unknown): unknown => resolveIntrinsics(value, referencesIn(context));
  const { Resources: resources, Outputs: outputs } = context.template;
  return {
    resources: (type) =>
      Object.entries(resources)
        .filter(([, resource]) => resource.Type === type)
        .map(([logicalId, resource]) => ({
          logicalId,
          name: nameOf(logicalId, context),
          arn: arnOf(logicalId, context),
          ref: refOf(logicalId, context),
          properties: resolve(resource.Properties),
        })),
    outputs: Object.fromEntries(
      Object.entries(outputs).map(([name, { Value: value }]) => [name, String(resolve(value))]),
    ),
  };
}

/** How CloudFormation names resources of one type. */
interface Naming {
  /** The property that names one; without it the name is made from the stack's and the logical id. */
  readonly property: string;
  readonly mostCharacters: number;
  readonly arn: string;
}

const NAMINGS: Readonly<Record<string, Naming>> = {
  'AWS::SQS::Queue': { property: 'QueueName', mostCharacters: 80, arn: 'arn:aws:sqs:{region}:{account}:{name}' },
  'AWS::S3::Bucket': { property: 'BucketName', mostCharacters: 63, arn: 'arn:aws:s3:::{name}' },
  'AWS::Lambda::Function': {
    property: 'FunctionName',
    mostCharacters: 64,
    arn: 'arn:aws:lambda:{region}:{account}:function:{name}',
  },
  'AWS::IAM::Role': { property: 'RoleName', mostCharacters: 64, arn: 'arn:aws:iam::{account}:role/{name}' },
  'AWS::SNS::Topic': { property: 'TopicName', mostCharacters: 256, arn: 'arn:aws:sns:{region}:{account}:{name}' },
  'AWS::Logs::LogGroup': {
    property: 'LogGroupName',
    mostCharacters: 512,
    arn: 'arn:aws:logs:{region}:{account}:log-group:{name}:*',
  },
};

/** Of what no emulator has: its ARN only has to be one that nothing else has. */
const OTHER_NAMING: Naming = {
  property: 'Name',
  mostCharacters: 255,
  arn: 'arn:aws:other:{region}:{account}:{name}',
};

function nameOf(logicalId: string, context: Context): string {
  const { Type: type, Properties: properties } = resourceOf(logicalId, context);
  const { property, mostCharacters } = NAMINGS[type] ?? OTHER_NAMING;
  const given = resolveIntrinsics(properties[property], referencesIn(context));
  if (typeof given === 'string' && given !== '') return given;
  const generated = `${context.place.stackName}-${logicalId}`;
  if (type === 'AWS::S3::Bucket') return generated.toLowerCase().slice(0, mostCharacters);
  const suffix = properties['FifoQueue'] === true || properties['FifoQueue'] === 'true' ? '.fifo' : '';
  return generated.slice(0, mostCharacters - suffix.length) + suffix;
}

function arnOf(logicalId: string, context: Context): string {
  const { arn } = NAMINGS[resourceOf(logicalId, context).Type] ?? OTHER_NAMING;
  const { region, account } = context.place;
  return arn.replace('{region}', region).replace('{account}', account).replace('{name}', nameOf(logicalId, context));
}

function refOf(logicalId: string, context: Context): string {
  const { queuesUrl, account } = context.place;
  switch (resourceOf(logicalId, context).Type) {
    case 'AWS::SQS::Queue':
      return `${queuesUrl}/${account}/${nameOf(logicalId, context)}`;
    case 'AWS::SNS::Topic':
      return arnOf(logicalId, context);
    default:
      return nameOf(logicalId, context);
  }
}

function referencesIn(context: Context): References {
  return {
    ref: (name) => pseudoParameter(name, context.place) ?? parameter(name, context) ?? refOf(name, context),
    attribute: (logicalId, attribute) => attributeOf(logicalId, attribute, context),
  };
}

function pseudoParameter(name: string, { account, region, stackName }: Place): string | undefined {
  const parameters: Readonly<Record<string, string>> = {
    'AWS::AccountId': account,
    'AWS::Region': region,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': stackName,
    'AWS::StackId': `arn:aws:cloudformation:${region}:${account}:stack/${stackName}/local`,
  };
  return parameters[name];
}

function parameter(name: string, { template }: Context): string | undefined {
  const found = template.Parameters[name];
  return found && String(found.Default ?? '');
}

function attributeOf(logicalId: string, attribute: string, context: Context): string {
  switch (attribute) {
    case 'Arn':
    case 'TopicArn':
      return arnOf(logicalId, context);
    case 'QueueName':
    case 'TopicName':
      return nameOf(logicalId, context);
    case 'QueueUrl':
      return refOf(logicalId, context);
    default:
      return `${nameOf(logicalId, context)}.${attribute}`;
  }
}

function resourceOf(logicalId: string, { template }: Context): Context['template']['Resources'][string] {
  const found = template.Resources[logicalId];
  if (found) return found;
  throw new TemplateUnreadable(`The template refers to ${logicalId}, and no resource or parameter has that name.`);
}
