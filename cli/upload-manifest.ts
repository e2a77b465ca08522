import { createReadStream, statSync } from 'node:fs';
import { basename } from 'node:path';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';

import { jobIdOf } from '../shared/job/job-id.ts';
import { CommandFailed } from './failure.ts';

export interface Upload {
  readonly client: S3Client;
  readonly bucket: string;
  readonly target: string;
  readonly operation: string;
  /** The file on this machine. */
  readonly path: string;
}

/** Uploads a manifest to where its target and operation say; gives the job that it becomes, and where its files may come to lie. */
export async function uploadManifest({ client, bucket, target, operation, path }: Upload): Promise<{
  readonly jobId: string;
  readonly prefixes: readonly string[];
}> {
  const bytes = sizeOf(path);
  const name = basename(path);
  const key = `${target}/${operation}/${/\.csv$/i.test(name) ? name : `${name}.csv`}`;
  const { VersionId: versionId } = await client.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: bytes === 0 ? '' : createReadStream(path),
      ContentLength: bytes,
      ContentType: 'text/csv',
    }),
  );
  const jobId = jobIdOf({ bucket, key, versionId });
  return { jobId, prefixes: [`${target}/${operation}/${jobId}/`, `rejected/${jobId}/`] };
}

/** Bytes of a file; throws CommandFailed when there is none that can be read. */
export function sizeOf(path: string): number {
  try {
    const stats = statSync(path);
    if (stats.isFile()) return stats.size;
  } catch {
    // said below
  }
  throw new CommandFailed(`${path} is no file that can be read. Name the CSV that is to be carried out.`);
}
