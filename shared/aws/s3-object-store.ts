import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  S3ServiceException,
  type GetObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';

import {
  ConditionNotMet,
  type ObjectStore,
  type ReadOptions,
  type StoredObject,
  type WriteCondition,
} from '../ports.ts';

interface Bucket {
  readonly client: S3Client;
  readonly bucket: string;
}

/** One S3 bucket as an ObjectStore. Its role needs s3:ListBucket besides: without it S3 answers 403 for a key that is not there. */
export function s3ObjectStore(bucket: Bucket): ObjectStore {
  return {
    read: (key, options) => read(bucket, key, options),
    readIfChanged: (key, etag) => readIfChanged(bucket, key, etag),
    write: (key, body, condition) => write(bucket, key, body, condition),
    writeStream: (key, body) => writeStream(bucket, key, body),
    list: (prefix) => list(bucket, prefix),
    delete: async (key) => {
      await bucket.client.send(new DeleteObjectCommand({ Bucket: bucket.bucket, Key: key }));
    },
  };
}

async function read(bucket: Bucket, key: string, options: ReadOptions = {}): Promise<StoredObject | undefined> {
  const { versionId, from = 0, signal } = options;
  const version = versionId === undefined ? {} : { VersionId: versionId };
  try {
    return await get(bucket, { Key: key, ...version, ...(from > 0 && { Range: `bytes=${from}-` }) }, signal);
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    if (statusOf(error) === 416) return nothingLeft(bucket, { Key: key, ...version }, signal);
    throw error;
  }
}

async function readIfChanged(
  bucket: Bucket,
  key: string,
  etag: string,
): Promise<StoredObject | 'unchanged' | undefined> {
  try {
    return await get(bucket, { Key: key, IfNoneMatch: etag });
  } catch (error) {
    if (statusOf(error) === 304) return 'unchanged';
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

async function get(
  { client, bucket }: Bucket,
  input: Omit<GetObjectCommandInput, 'Bucket'>,
  signal?: AbortSignal,
): Promise<StoredObject> {
  const answer = await client.send(new GetObjectCommand({ Bucket: bucket, ...input }), abortedBy(signal));
  const body = answer.Body as Readable; // in Node the SDK's body is the response's stream
  return {
    body,
    etag: answer.ETag ?? '',
    metadata: answer.Metadata ?? {},
    bytes: answer.ContentLength ?? 0,
    text: async () => Buffer.concat(await body.toArray()).toString(),
  };
}

// 416 says that the offset is at or beyond the end, and not which object was there.
async function nothingLeft(
  { client, bucket }: Bucket,
  input: { readonly Key: string; readonly VersionId?: string },
  signal?: AbortSignal,
): Promise<StoredObject> {
  const answer = await client.send(new HeadObjectCommand({ Bucket: bucket, ...input }), abortedBy(signal));
  return {
    body: Readable.from([]),
    etag: answer.ETag ?? '',
    metadata: answer.Metadata ?? {},
    bytes: 0,
    text: async () => '',
  };
}

async function write(
  { client, bucket }: Bucket,
  key: string,
  body: string | Uint8Array,
  condition?: WriteCondition,
): Promise<{ readonly etag: string }> {
  try {
    const answer = await client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: Buffer.from(body),
        ...contentType(key),
        ...conditionOf(condition),
      }),
    );
    return { etag: answer.ETag ?? '' };
  } catch (error) {
    if (condition && isUnmet(error)) throw new ConditionNotMet(key, { cause: error });
    throw error;
  }
}

async function writeStream({ client, bucket }: Bucket, key: string, body: AsyncIterable<string | Uint8Array>) {
  // Only who writes streams pays for loading this.
  const { Upload } = await import('@aws-sdk/lib-storage');
  const stream = Readable.from(body, { objectMode: false });
  await new Upload({
    client,
    params: { Bucket: bucket, Key: key, Body: stream, ...contentType(key) },
    queueSize: 2,
  }).done();
}

async function* list({ client, bucket }: Bucket, prefix: string): AsyncIterable<string> {
  for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix })) {
    for (const { Key } of page.Contents ?? []) if (Key !== undefined) yield Key;
  }
}

const conditionOf = (condition?: WriteCondition) =>
  condition === undefined
    ? {}
    : 'ifMatch' in condition
      ? { IfMatch: condition.ifMatch }
      : { IfNoneMatch: condition.ifNoneMatch };

// 412: it exists or moved on; 409: a race was lost; 404: what had to be there was deleted. (S3 user guide, conditional writes.)
const isUnmet = (error: unknown): boolean => [404, 409, 412].includes(statusOf(error) ?? 0);

const isNoBucket = (error: unknown): boolean => error instanceof Error && error.name === 'NoSuchBucket';

const statusOf = (error: unknown): number | undefined =>
  error instanceof S3ServiceException && !isNoBucket(error) ? error.$metadata.httpStatusCode : undefined;

const abortedBy = (signal: AbortSignal | undefined) => (signal ? { abortSignal: signal } : {});

const CONTENT_TYPES: readonly (readonly [ending: string, type: string])[] = [
  ['.csv', 'text/csv; charset=utf-8'],
  ['.html', 'text/html; charset=utf-8'],
  ['.json', 'application/json'],
];

/** So that a browser shows a report rather than offering unknown bytes. */
function contentType(key: string): { readonly ContentType?: string } {
  const [, type] = CONTENT_TYPES.find(([ending]) => key.endsWith(ending)) ?? [];
  return type === undefined ? {} : { ContentType: type };
}
