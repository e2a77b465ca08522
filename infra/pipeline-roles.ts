import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

import type { FunctionName } from '../shared/settings.ts';
import { openKey, REPORT_FILES, ROWS_PREFIX, stateKey, validationKey } from '../shared/job/keys.ts';
import { onObjects, readsTargets, receives, sends, tellsMissing } from './constructs/statements.ts';
import type { Queues } from './pipeline-queues.ts';

/** What the functions work with. */
export interface Holdings {
  readonly inbox: Bucket;
  readonly results: Bucket;
  readonly queues: Queues;
}

/** A job's private objects, as they are named in shared/job/keys.ts. */
export const STATE = stateKey('*');
export const VALIDATION = validationKey('*');
/** Which rows wait for which, a part for each of a job's row chunks. */
export const ORDER = 'jobs/*/order/*';
export const ROWS = `${ROWS_PREFIX}*`;
const CHUNKS = 'jobs/*/chunks/*';
/** Marks that a row was tried alone. */
const ISOLATED = 'jobs/*/isolated/*';
/** Why rows failed first. */
const FAILURES = 'jobs/*/failures/*';
/** What rows turned out to be about, in jobs whose rows name things in different terms. */
const CLAIMS = 'jobs/*/claims/*';
const OPEN = openKey('*');
const QUARANTINE = 'quarantine/*';
const REPORT = REPORT_FILES.map((file) => `*/${file}`);
/** Written in parts, which are thrown away where a report breaks off. */
const TABLES = REPORT.filter((file) => file.endsWith('.csv'));

/** What each function may do, action by action: no more than its code calls. */
export function rolesOver(scope: Construct, holdings: Holdings): Readonly<Record<FunctionName, PolicyStatement[]>> {
  const { inbox, results, queues } = holdings;
  return {
    splitter: [
      receives(queues.intake, queues.enqueue),
      sends(queues.tasks, queues.events),
      onObjects(inbox, ['s3:GetObjectVersion'], '*'),
      onObjects(results, ['s3:GetObject'], STATE, VALIDATION, ORDER, ROWS),
      onObjects(results, ['s3:PutObject'], VALIDATION, ORDER, ROWS, CHUNKS, QUARANTINE),
      tellsMissing(inbox, results),
      readsTargets(scope),
    ],
    worker: [
      receives(queues.tasks, queues.isolation),
      sends(queues.tasks, queues.deadLetters, queues.events),
      onObjects(results, ['s3:GetObject'], STATE, FAILURES, CLAIMS),
      onObjects(results, ['s3:PutObject'], ISOLATED, FAILURES, CLAIMS, QUARANTINE),
      tellsMissing(results),
      readsTargets(scope),
    ],
    coordinator: [
      receives(queues.events),
      sends(queues.enqueue, queues.events, queues.reports),
      onObjects(results, ['s3:GetObject'], STATE, VALIDATION),
      onObjects(results, ['s3:PutObject'], STATE, CHUNKS, OPEN, '*/status.json', QUARANTINE),
      onObjects(results, ['s3:DeleteObject'], OPEN),
      tellsMissing(results),
    ],
    reporter: [
      receives(queues.reports),
      sends(queues.events),
      onObjects(results, ['s3:GetObject'], STATE, VALIDATION, ROWS, CHUNKS),
      onObjects(results, ['s3:PutObject'], ...REPORT, QUARANTINE),
      onObjects(results, ['s3:AbortMultipartUpload'], ...TABLES),
      tellsMissing(results),
    ],
  };
}
