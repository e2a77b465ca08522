import { createReadStream, createWriteStream, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { PutObjectCommand, type PutObjectCommandInput, type S3Client } from '@aws-sdk/client-s3';

import { jobIdOf, REPORT_FILES } from '../shared/job/keys.ts';
import type { ObjectStore } from '../shared/ports.ts';
import { CommandFailed } from './failures.ts';

export interface Upload {
  readonly client: S3Client;
  readonly bucket: string;
  readonly target: string;
  readonly operation: string;
  /** The file on this machine. */
  readonly path: string;
  /** What comes with the file, without `rollcall-`: `dry-run`, `approval`, `reason`. */
  readonly options?: Readonly<Record<string, string>>;
}

/** The job of a file that was uploaded, and the folders that the job's files may be in. */
export interface Uploaded {
  readonly jobId: string;
  readonly prefixes: readonly string[];
}

/** Uploads a manifest to its target's and operation's folder. */
export async function uploadManifest({ target, operation, path, ...upload }: Upload): Promise<Uploaded> {
  const bytes = measureFile(path);
  const name = basename(path);
  const key = `${target}/${operation}/${/\.csv$/i.test(name) ? name : `${name}.csv`}`;
  const body = { Body: bytes === 0 ? '' : createReadStream(path), ContentLength: bytes };
  const jobId = await put({ ...upload, key, body });
  return { jobId, prefixes: [`${target}/${operation}/${jobId}/`, `rejected/${jobId}/`] };
}

/** Uploads a manifest that is at hand as text; gives its job's id. */
export const uploadText = ({
  text,
  ...upload
}: Pick<Put, 'client' | 'bucket' | 'key' | 'options'> & { readonly text: string }): Promise<string> =>
  put({ ...upload, body: { Body: text } });

interface Put extends Pick<Upload, 'client' | 'bucket' | 'options'> {
  readonly key: string;
  readonly body: Pick<PutObjectCommandInput, 'Body' | 'ContentLength'>;
}

async function put({ client, bucket, key, body, options = {} }: Put): Promise<string> {
  const Metadata = Object.fromEntries(Object.entries(options).map(([name, value]) => [`rollcall-${name}`, value]));
  const { VersionId: versionId } = await client.send(
    new PutObjectCommand({ Bucket: bucket, Key: key, ...body, ContentType: 'text/csv', Metadata }),
  );
  return jobIdOf({ bucket, key, versionId });
}

/** The bytes of a file; throws CommandFailed when it cannot be read. */
export function measureFile(path: string): number {
  try {
    const stats = statSync(path);
    if (stats.isFile()) return stats.size;
  } catch {
    // said below
  }
  throw new CommandFailed(`${path} is not a file that can be read. Give the path of the CSV file to run.`);
}

/** Makes a folder for reports; throws CommandFailed when it cannot be written to. */
export function makeReportFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    rmSync(mkdtempSync(join(folder, '.probe-')), { recursive: true });
  } catch (cause) {
    throw new CommandFailed(
      `The report cannot be written to ${folder} (${reasonOf(cause)}); a folder that can be written to was expected. Choose one with --out.`,
      { cause },
    );
  }
}

/** Copies a report into its folder, or, as the rows are applied already, into a spare one when that fails; gives that folder. */
export async function saveReport(results: ObjectStore, prefix: string, folder: string): Promise<string> {
  try {
    await fetchReport(results, prefix, folder);
    return folder;
  } catch (error) {
    const spare = mkdtempSync(join(tmpdir(), 'rollcall-report-'));
    await fetchReport(results, prefix, spare);
    console.error(`The report could not be written to ${folder} (${reasonOf(error)}); it is in ${spare} instead.`);
    return spare;
  }
}

/** Copies a job's report into a folder; gives the names of its files, none where there is no report. */
export async function fetchReport(results: ObjectStore, prefix: string, folder: string): Promise<readonly string[]> {
  const names: string[] = [];
  for (const name of REPORT_FILES) {
    const object = await results.read(`${prefix}${name}`);
    if (!object) continue;
    if (names.length === 0) mkdirSync(folder, { recursive: true });
    await pipeline(object.body, createWriteStream(join(folder, name)));
    names.push(name);
  }
  return names;
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
