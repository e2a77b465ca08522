import { randomUUID } from 'node:crypto';

import type { Verified } from '../signature/signature.ts';
import type { Answer } from './answer.ts';
import type { Bucket } from './bucket.ts';
import type { Blob, Created, Version } from './bucket-record.ts';
import { checkWriteConditions } from './conditions.ts';
import { contentOf, storeContent } from './content.ts';
import type { StoreRequest } from './request.ts';
import { storedHeaders } from './stored-headers.ts';

/** What a write needs of the store besides its bucket. */
export interface WriteContext {
  readonly bucket: Bucket;
  readonly now: () => Date;
  /** Called when an object has come that somebody is to be told of. */
  readonly announce: (bucket: Bucket, created: Created) => void;
}

/** PutObject. */
export async function putObject(context: WriteContext, request: StoreRequest, verified: Verified): Promise<Answer> {
  const headers = storedHeaders(Object.entries(request.headers));
  const { blob, etag } = await storeContent(context.bucket, contentOf(request, verified));
  const version = await commitObject(context, {
    request,
    key: request.key,
    etag,
    headers,
    blobs: [blob],
    eventName: 'ObjectCreated:Put',
  });
  return { status: 200, headers: versionHeaders(version) };
}

interface NewObject {
  readonly request: StoreRequest;
  readonly key: string;
  readonly etag: string;
  readonly headers: Version['headers'];
  readonly blobs: readonly Blob[];
  readonly eventName: string;
  readonly uploadId?: string;
}

/** Makes stored content an object, if the request's conditions hold at this very moment; its content is dropped if not. */
export async function commitObject(context: WriteContext, object: NewObject): Promise<Version> {
  const { bucket } = context;
  try {
    checkWriteConditions(object.request, bucket.state.newest(object.key));
  } catch (error) {
    // A multipart upload that was refused may be completed later, so its parts stay.
    if (object.uploadId === undefined) for (const blob of object.blobs) await bucket.discard(blob.name);
    throw error;
  }
  const { key, etag, headers, blobs, uploadId } = object;
  const version: Version = {
    key,
    versionId: bucket.isVersioned ? newVersionId() : 'null',
    isDeleteMarker: false,
    size: blobs.reduce((sum, blob) => sum + blob.size, 0),
    etag,
    lastModifiedMs: context.now().getTime(),
    blobs,
    headers,
  };
  const created = bucket.notifies ? createdBy(bucket, version, object.eventName) : undefined;
  bucket.append({ type: 'stored', version, created, uploadId });
  if (created) context.announce(bucket, created);
  return version;
}

/** As opaque as S3's, and as long. */
export const newVersionId = (): string => randomUUID().replaceAll('-', '');

/** The headers that say what was written. */
export const versionHeaders = ({ etag, versionId }: Version): Readonly<Record<string, string>> => ({
  etag: `"${etag}"`,
  ...(versionId !== 'null' && { 'x-amz-version-id': versionId }),
});

function createdBy(bucket: Bucket, version: Version, eventName: string): Created {
  const { key, versionId, size, etag, lastModifiedMs } = version;
  return {
    id: randomUUID(),
    bucket: bucket.name,
    key,
    ...(versionId !== 'null' && { versionId }),
    size,
    etag,
    eventTime: new Date(lastModifiedMs).toISOString(),
    eventName,
  };
}
