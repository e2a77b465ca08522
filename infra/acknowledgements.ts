import { Stack, Validations } from 'aws-cdk-lib';
import type { Bucket, CfnBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

import { REPORT_FILES } from '../shared/job/keys.ts';
import {
  APPROVALS,
  CHUNKS,
  DEAD_LETTERS,
  type Holdings,
  LEDGER,
  NOTICES,
  PLAN,
  ROWS,
  STATE,
  TOLD,
  VALIDATION,
} from './pipeline-roles.ts';

/**
 * The findings of cdk-nag's AwsSolutions pack that we stand by, each with its reason. All are AwsSolutions-IAM5, a pattern in
 * a statement's resources: the keys behind them are made by uploaders and jobs, and are not known when the stack is deployed.
 */
export function acknowledgeFindings(
  scope: Construct,
  { inbox, results, secretPrefix }: Pick<Holdings, 'inbox' | 'results' | 'secretPrefix'>,
): void {
  const objects = (bucket: Bucket, pattern: string): string => `<${logicalId(bucket)}.Arn>/${pattern}`;
  const acknowledge = (resource: string, reason: string): void =>
    Validations.of(scope).acknowledge({ id: `AwsSolutions-IAM5[Resource::${resource}]`, reason });

  acknowledge(objects(inbox, '*'), 'Manifests lie under targets and folders that uploaders name; they are only read.');
  acknowledge(objects(inbox, APPROVALS), 'An approval lies under the job that it is for; it is only read.');
  for (const key of [STATE, VALIDATION, DEAD_LETTERS]) {
    acknowledge(objects(results, key), "It lies under its job's id, which is made from the upload.");
  }
  acknowledge(objects(results, ROWS), 'The rows of a file lie in chunks under its job, as many as it needs.');
  acknowledge(objects(results, PLAN), 'The plan of a file lies in chunks under its job, as many as it needs.');
  acknowledge(
    objects(results, LEDGER),
    'What jobs have changed lately is kept by target, and targets are added later.',
  );
  acknowledge(objects(results, CHUNKS), "A job's events are kept in chunks, as many as it needs.");
  acknowledge(
    objects(results, 'jobs/*/isolated/*'),
    'A mark lies under the job and the number of the row that it is about.',
  );
  acknowledge(objects(results, 'open/*'), 'There is one marker for each open job, under its id.');
  acknowledge(
    objects(results, 'quarantine/*'),
    'A message that is quarantined lies under its own id; this is only written.',
  );
  acknowledge(
    objects(results, NOTICES),
    'A notice lies under the name of the control object that it answers; this is only written.',
  );
  for (const key of TOLD)
    acknowledge(objects(results, key), 'A mark lies under the job or target that people were told of.');
  acknowledge(
    '*',
    'Secrets are listed by name, daily, which knows no resource; in a network, interfaces have no name before Lambda makes them.',
  );
  for (const file of [...REPORT_FILES, 'status.json', 'status.html']) {
    acknowledge(objects(results, `*/${file}`), 'The file lies in the folder of its job; its name is fixed.');
  }
  acknowledge(
    `arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:${secretPrefix}*`,
    'Targets are added after deployment, one secret each under this prefix, and Secrets Manager adds characters to the name.',
  );
}

function logicalId(bucket: Bucket): string {
  const resource = bucket.node.defaultChild as CfnBucket; // what an L2 bucket is made of
  return String(Stack.of(bucket).resolve(resource.logicalId));
}
