import { createHash } from 'node:crypto';

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
