import { createHash } from 'node:crypto';

import type { Job } from './job.ts';

/** Where everything about jobs lies: people's files under `<target>/…`, our own under prefixes that no target may be named. */
export const RESERVED_TARGET_NAMES = ['control', 'rejected', 'jobs', 'rows', 'plan', 'open', 'quarantine'] as const;

/** A job's private objects in the results bucket. */
export const stateKey = (jobId: string): string => `jobs/${jobId}/state.json`;
export const validationKey = (jobId: string): string => `jobs/${jobId}/validation.json`;
/** Which rows of a row chunk wait for which: `[row, afterRow, afterLine]`, by row; absent when no row of the job waits. */
export const orderKey = (jobId: string, index: number): string => `jobs/${jobId}/order/${index}.json`;
/** One of a manifest's row chunks, by number from 0: gzipped NDJSON, kept as long as manifests are. */
export const ROWS_PREFIX = 'rows/';
export const rowChunkKey = (jobId: string, index: number): string => `${ROWS_PREFIX}${jobId}/${index}.ndjson.gz`;
export const chunkKey = (jobId: string, name: string): string => `jobs/${jobId}/chunks/${name}.jsonl`;

/** Put there before a row that ended its workers is tried alone: it is tried so once. */
export const isolatedKey = (jobId: string, row: number, generation: number): string =>
  `jobs/${jobId}/isolated/${row}-${generation}`;

/** Why a row failed first, in this generation: it counts for every delivery of the row. */
export const failureKey = (jobId: string, row: number, generation: number): string =>
  `jobs/${jobId}/failures/${row}-${generation}.json`;

/** What row turned out to be about a thing, in jobs whose rows name things in different terms. */
export const claimKey = (jobId: string, thing: string): string =>
  `jobs/${jobId}/claims/${createHash('sha256').update(thing).digest('hex').slice(0, 32)}`;

/** An empty object for each job that has not ended or whose newest report is not confirmed: what the reconcile lists. */
export const OPEN_PREFIX = 'open/';
export const openKey = (jobId: string): string => `${OPEN_PREFIX}${jobId}`;

/** Where a message that cannot be read is quarantined. */
export const quarantineKey = (queue: string, messageId: string): string => `quarantine/${queue}/${messageId}.json`;

/** The folder of the files that people read: under `rejected/` when the key named no known target or operation. */
export const resultsPrefix = (job: Job): string =>
  job.target === '' || job.operation === '' ? `rejected/${job.id}/` : `${job.target}/${job.operation}/${job.id}/`;

export const REPORT_FILES = ['summary.json', 'results.csv', 'failed.csv', 'unprocessed.csv'] as const;

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
