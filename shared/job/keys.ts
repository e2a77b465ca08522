import { createHash } from 'node:crypto';

import type { Job } from './job.ts';

/** Where everything about jobs lies: people's files under `<target>/…`, our own under prefixes that no target may be named. */
export const RESERVED_TARGET_NAMES = ['control', 'rejected', 'jobs', 'rows', 'plan', 'open', 'quarantine'] as const;

/** A job's private objects in the results bucket. */
export const stateKey = (jobId: string): string => `jobs/${jobId}/state.json`;
export const validationKey = (jobId: string): string => `jobs/${jobId}/validation.json`;
/** One of a manifest's row chunks, by number from 0: gzipped NDJSON, kept as long as manifests are. */
export const ROWS_PREFIX = 'rows/';
export const rowChunkKey = (jobId: string, index: number): string => `${ROWS_PREFIX}${jobId}/${index}.ndjson.gz`;
/** What planning made of a row chunk, and what the gate decided of the whole; a job that is planned anew has a further attempt, from 1. */
export const PLAN_PREFIX = 'plan/';
export const planPrefix = (jobId: string, attempt: number): string => `${PLAN_PREFIX}${jobId}/${attempt}/`;
export const planChunkKey = (jobId: string, attempt: number, index: number): string =>
  `${planPrefix(jobId, attempt)}${index}.ndjson.gz`;
/** The rows of a chunk that are planned so far, where one message's time did not suffice. */
export const planPartKey = (jobId: string, attempt: number, index: number): string =>
  `${planPrefix(jobId, attempt)}${index}.part.ndjson.gz`;
export const gateKey = (jobId: string, attempt: number): string => `${planPrefix(jobId, attempt)}gate.json`;
export const chunkKey = (jobId: string, name: string): string => `jobs/${jobId}/chunks/${name}.jsonl`;

/** Put there before a row that ended its workers is tried alone: it is tried so once. */
export const isolatedKey = (jobId: string, row: number, generation: number): string =>
  `jobs/${jobId}/isolated/${row}-${generation}`;

/** Of which rows, in which generation, dead letters were sent. */
export const deadLettersKey = (jobId: string): string => `jobs/${jobId}/dead-letters.json`;

/** Put there when a notice was published: an empty object each. */
export const toldKey = (jobId: string, notice: string): string => `jobs/${jobId}/told/${notice}`;
/** The same of what the daily check found of a target. */
export const TOLD_OF_TARGETS_PREFIX = 'jobs/credentials/';
export const toldOfTargetKey = (target: string, notice: string): string =>
  `${TOLD_OF_TARGETS_PREFIX}${target}/${notice}`;

/** What the jobs of a target have changed lately, and out of which files. */
export const LEDGER_PREFIX = 'jobs/ledger/';

/** Which jobs had a manifest with these bytes, for this target and operation: an empty object for each. */
export const sameFilePrefix = (job: Pick<Job, 'target' | 'operation'>, sha256: string): string =>
  `${LEDGER_PREFIX}files/${job.target}/${job.operation}/${sha256}/`;

/** Which of the jobs with these bytes may be planned and applied: its id. */
export const sameFileTurnKey = (job: Pick<Job, 'target' | 'operation'>, sha256: string): string =>
  `${LEDGER_PREFIX}files/${job.target}/${job.operation}/${sha256}.turn`;

/** Of one day (`2026-11-26`), the jobs of a target that take access away or rename: an object for each, which says of how many. */
export const takesPrefix = (target: string, day: string): string => `${LEDGER_PREFIX}takes/${target}/${day}/`;

/** An empty object for each job that has not ended or whose newest report is not confirmed: what the reconcile lists. */
export const OPEN_PREFIX = 'open/';
export const openKey = (jobId: string): string => `${OPEN_PREFIX}${jobId}`;

const NOTICE_PARTS = 4;
const NOTICE_PART_CHARACTERS = 80;

/** Where whoever put an object under `control/` reads why nothing was done: under `rejected/`, and named as the object is. */
export const NOTICE_PREFIX = 'rejected/control/';
export function noticeKey(controlKey: string): string {
  const [, ...parts] = controlKey.split('/');
  const named = parts
    .slice(0, NOTICE_PARTS)
    .map((part) => part.slice(0, NOTICE_PART_CHARACTERS).replace(/[^\w-]/g, '-') || '-');
  return `${NOTICE_PREFIX}${named.join('/')}.txt`;
}

/** Where a message that cannot be read is quarantined. */
export const quarantineKey = (queue: string, messageId: string): string => `quarantine/${queue}/${messageId}.json`;

/** The folder of the files that people read: under `rejected/` when the key named no known target or operation. */
export const resultsPrefix = (job: Job): string =>
  job.target === '' || job.operation === '' ? `rejected/${job.id}/` : `${job.target}/${job.operation}/${job.id}/`;

export const REPORT_FILES = [
  'summary.json',
  'results.csv',
  'failed.csv',
  'unprocessed.csv',
  'plan.csv',
  'undo.csv',
  'report.html',
] as const;

/** `<file stem, a-z 0-9 -, at most 40>-<12 hex>`: the same object version is the same job, however often its event comes. */
export function jobIdOf(object: {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string | undefined;
}): string {
  const hash = createHash('sha256').update(JSON.stringify([object.bucket, object.key, object.versionId ?? '']));
  return `${stemOf(object.key)}-${hash.digest('hex').slice(0, 12)}`;
}

/** The end of a job's id, by which logs name it: the beginning is the file's name, and files are named after people, too. */
export const jobHash = (jobId: string): string => /-([0-9a-f]{12})$/.exec(jobId)?.[1] ?? 'no job id';

function stemOf(key: string): string {
  const name = key.slice(key.lastIndexOf('/') + 1).replace(/\.csv$/i, '');
  const stem = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-+|-+$/g, '');
  return stem === '' ? 'manifest' : stem;
}
