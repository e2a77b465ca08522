import * as z from 'zod';

import { resolveIntrinsics, TemplateUnreadable, type References } from './intrinsics.ts';

export const templateSchema = z.object({
  Parameters: z.record(z.string(), z.object({ Default: z.unknown().optional() })).default({}),
  Resources: z.record(
    z.string(),
    z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) }),
  ),
  Outputs: z.record(z.string(), z.object({ Value: z.unknown() })).default({}),
});

export type Template = z.infer<typeof templateSchema>;

/** The account and region that the local stack says it is in, and what its resources' names begin with. */
export interface Place {
  readonly stackName: string;
  readonly account: string;
  readonly region: string;
  /** Where the queues are served, without a slash at the end. */
  readonly queuesUrl: string;
}

/** Names as CloudFormation gives them: the template's own where it has one, else made from the stack's and the logical id. */
export function references(template: Template, place: Place): References {
  return {
    ref: (name) => pseudoParameter(name, place) ?? parameter(name, template) ?? reference(name, template, place),
    attribute: (logicalId, attribute) => attributeOf(logicalId, attribute, template, place),
  };
}

/** The name of a resource. */
export function physicalName(logicalId: string, template: Template, place: Place): string {
  const { Type: type, Properties: properties } = resource(logicalId, template);
  const generated = `${place.stackName}-${logicalId}`;
  const given = (name: unknown): string | undefined => {
    const resolved = name === undefined ? undefined : resolveIntrinsics(name, references(template, place));
    return typeof resolved === 'string' && resolved !== '' ? resolved : undefined;
  };
  switch (type) {
    case 'AWS::SQS::Queue': {
      const suffix = isTrue(properties['FifoQueue']) ? '.fifo' : '';
      return given(properties['QueueName']) ?? generated.slice(0, 80 - suffix.length) + suffix;
    }
    case 'AWS::S3::Bucket':
      return given(properties['BucketName']) ?? generated.toLowerCase().slice(0, 63);
    case 'AWS::Lambda::Function':
      return given(properties['FunctionName']) ?? generated.slice(0, 64);
    case 'AWS::IAM::Role':
      return given(properties['RoleName']) ?? generated.slice(0, 64);
    default:
      return given(properties['Name'] ?? properties['TopicName'] ?? properties['LogGroupName']) ?? generated;
  }
}

/** The ARN of a resource. */
export function arnOf(logicalId: string, template: Template, place: Place): string {
  const name = physicalName(logicalId, template, place);
  const { account, region } = place;
  switch (resource(logicalId, template).Type) {
    case 'AWS::SQS::Queue':
      return `arn:aws:sqs:${region}:${account}:${name}`;
    case 'AWS::S3::Bucket':
      return `arn:aws:s3:::${name}`;
    case 'AWS::Lambda::Function':
      return `arn:aws:lambda:${region}:${account}:function:${name}`;
    case 'AWS::IAM::Role':
      return `arn:aws:iam::${account}:role/${name}`;
    case 'AWS::SNS::Topic':
      return `arn:aws:sns:${region}:${account}:${name}`;
    case 'AWS::Logs::LogGroup':
      return `arn:aws:logs:${region}:${account}:log-group:${name}:*`;
    default:
      return `arn:aws:other:${region}:${account}:${name}`;
  }
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

function parameter(name: string, template: Template): string | undefined {
  const found = template.Parameters[name];
  return found && String(found.Default ?? '');
}

function reference(logicalId: string, template: Template, place: Place): string {
  const name = physicalName(logicalId, template, place);
  switch (resource(logicalId, template).Type) {
    case 'AWS::SQS::Queue':
      return `${place.queuesUrl}/${place.account}/${name}`;
    case 'AWS::SNS::Topic':
      return arnOf(logicalId, template, place);
    default:
      return name;
  }
}

function attributeOf(logicalId: string, attribute: string, template: Template, place: Place): string {
  switch (attribute) {
    case 'Arn':
    case 'TopicArn':
      return arnOf(logicalId, template, place);
    case 'QueueName':
    case 'TopicName':
      return physicalName(logicalId, template, place);
    case 'QueueUrl':
      return reference(logicalId, template, place);
    default:
      return `${physicalName(logicalId, template, place)}.${attribute}`;
  }
}

function resource(logicalId: string, template: Template): Template['Resources'][string] {
  const found = template.Resources[logicalId];
  if (found) return found;
  throw new TemplateUnreadable(`The template refers to ${logicalId}, and no resource or parameter has that name.`);
}

const isTrue = (value: unknown): boolean => value === true || value === 'true';
