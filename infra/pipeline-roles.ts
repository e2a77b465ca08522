import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';

import type { FunctionName } from '../shared/settings.ts';
import {
  deadLettersKey,
  LEDGER_PREFIX,
  NOTICE_PREFIX,
  openKey,
  PLAN_PREFIX,
  REPORT_FILES,
  ROWS_PREFIX,
  stateKey,
  TOLD_OF_TARGETS_PREFIX,
  toldKey,
  validationKey,
} from '../shared/job/keys.ts';
import {
  listsTargets,
  onObjects,
  publishes,
  readsTargets,
  receives,
  receivesAgain,
  sends,
  tellsMissing,
} from './constructs/statements.ts';
import type { Queues } from './pipeline-queues.ts';

/** What the functions work with. */
export interface Holdings {
  readonly inbox: Bucket;
  readonly results: Bucket;
  readonly queues: Queues;
  /** Where people are told of jobs. */
  readonly notices: Topic;
  /** What the names of the targets' secrets begin with. */
  readonly secretPrefix: string;
}

/** A job's private objects, as they are named in shared/job/keys.ts. */
export const STATE = stateKey('*');
export const VALIDATION = validationKey('*');
export const ROWS = `${ROWS_PREFIX}*`;
export const PLAN = `${PLAN_PREFIX}*`;
export const CHUNKS = 'jobs/*/chunks/*';
export const LEDGER = `${LEDGER_PREFIX}*`;
export const DEAD_LETTERS = deadLettersKey('*');
/** Marks that something was told. */
export const TOLD = [toldKey('*', '*'), `${TOLD_OF_TARGETS_PREFIX}*`];
/** Marks that a row was tried alone. */
const ISOLATED = 'jobs/*/isolated/*';
const OPEN = openKey('*');
export const APPROVALS = 'control/*/approve';
const QUARANTINE = 'quarantine/*';
export const NOTICES = `${NOTICE_PREFIX}*`;
const SUMMARY = '*/summary.json';
const REPORT = REPORT_FILES.map((file) => `*/${file}`);
/** Written in parts, which are thrown away where a report breaks off. */
const TABLES = REPORT.filter((file) => file.endsWith('.csv'));

/** What each function may do, action by action: no more than its code calls. */
export function rolesOver(scope: Construct, holdings: Holdings): Readonly<Record<FunctionName, PolicyStatement[]>> {
  const { inbox, results, queues, secretPrefix } = holdings;
  return {
    intake: [
      receivesAgain(queues.intake),
      sends(queues.validate, queues.events),
      onObjects(inbox, ['s3:GetObjectVersion'], APPROVALS),
      onObjects(results, ['s3:GetObject'], STATE),
      onObjects(results, ['s3:PutObject'], QUARANTINE, NOTICES),
      tellsMissing(inbox, results),
      readsTargets(scope, secretPrefix),
    ],
    splitter: [
      receivesAgain(queues.validate, queues.enqueue),
      sends(queues.tasks, queues.events),
      onObjects(inbox, ['s3:GetObjectVersion'], '*'),
      onObjects(results, ['s3:GetObject'], STATE, VALIDATION, PLAN),
      onObjects(results, ['s3:PutObject'], VALIDATION, ROWS, CHUNKS, QUARANTINE),
      tellsMissing(inbox, results),
    ],
    planner: [
      receivesAgain(queues.plan),
      sends(queues.plan, queues.events),
      onObjects(results, ['s3:GetObject'], STATE, VALIDATION, ROWS, PLAN, LEDGER),
      onObjects(results, ['s3:PutObject'], PLAN, CHUNKS, LEDGER, QUARANTINE),
      tellsMissing(results),
      readsTargets(scope, secretPrefix),
    ],
    worker: [
      receives(queues.tasks, queues.isolation),
      sends(queues.tasks, queues.events),
      onObjects(results, ['s3:GetObject'], STATE),
      onObjects(results, ['s3:PutObject'], ISOLATED, QUARANTINE),
      tellsMissing(results),
      readsTargets(scope, secretPrefix),
    ],
    coordinator: [
      receivesAgain(queues.events),
      sends(queues.validate, queues.plan, queues.enqueue, queues.events, queues.reports, queues.notices),
      onObjects(results, ['s3:GetObject'], STATE, VALIDATION, PLAN),
      onObjects(results, ['s3:PutObject'], STATE, CHUNKS, OPEN, '*/status.json', '*/status.html', QUARANTINE, NOTICES),
      onObjects(results, ['s3:DeleteObject'], OPEN),
      tellsMissing(results),
    ],
    ...rolesThatTell(scope, holdings),
  };
}

/** Of the functions that tell what became of a job. */
function rolesThatTell(
  scope: Construct,
  { results, queues, notices, secretPrefix }: Holdings,
): Readonly<Record<'reporter' | 'notifier', PolicyStatement[]>> {
  return {
    reporter: [
      receivesAgain(queues.reports),
      sends(queues.deadLetters, queues.events),
      onObjects(results, ['s3:GetObject'], STATE, VALIDATION, ROWS, PLAN, CHUNKS, DEAD_LETTERS),
      onObjects(results, ['s3:PutObject'], ...REPORT, DEAD_LETTERS, QUARANTINE),
      onObjects(results, ['s3:AbortMultipartUpload'], ...TABLES),
      tellsMissing(results),
    ],
    notifier: [
      receivesAgain(queues.notices),
      publishes(notices),
      onObjects(results, ['s3:GetObject'], STATE, SUMMARY, ...TOLD),
      onObjects(results, ['s3:PutObject'], ...TOLD, QUARANTINE),
      tellsMissing(results),
      readsTargets(scope, secretPrefix),
      listsTargets(),
    ],
  };
}
