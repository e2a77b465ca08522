import { randomUUID } from 'node:crypto';

import { badRequest } from '../service-refusal.ts';
import type { Bucket } from './bucket.ts';
import type { Created, Version } from './bucket-state.ts';
import { checkWriteConditions } from './conditions.ts';
import { contentOf, storeContent } from './content.ts';
import type { Answer, Call, UnverifiedCall } from './http.ts';

/** PutObject. */
export async function putObject(call: Call): Promise<Answer> {
  const { bucket, request, verified } = call;
  const headers = storedHeaders(Object.entries(request.headers));
  const { blob, etag } = await storeContent(bucket, contentOf(call));
  const content = { key: request.key, etag, headers, blobs: [blob] };
  const object = { ...content, eventName: 'ObjectCreated:Put', principalId: verified.accessKeyId };
  return { status: 200, headers: versionHeaders(await commitObject(call, object)) };
}

interface NewObject
  extends Pick<Version, 'key' | 'etag' | 'headers' | 'blobs'>, Pick<Created, 'eventName' | 'principalId'> {
  readonly uploadId?: string;
}

/** Makes stored content an object, if the request's conditions hold at this very moment; its content is dropped if not. */
export async function commitObject({ bucket, request, now }: UnverifiedCall, object: NewObject): Promise<Version> {
  const { eventName, principalId, uploadId, ...content } = object;
  try {
    checkWriteConditions(request, bucket.state.newest(object.key));
  } catch (error) {
    // A multipart upload that was refused may be completed later, so its parts stay.
    if (uploadId === undefined) for (const blob of object.blobs) await bucket.discard(blob.name);
    throw error;
  }
  const version: Version = {
    ...content,
    versionId: bucket.isVersioned ? newVersionId() : 'null',
    isDeleteMarker: false,
    size: object.blobs.reduce((sum, blob) => sum + blob.size, 0),
    lastModifiedMs: now().getTime(),
  };
  const created = bucket.notifies ? createdBy(bucket, version, { eventName, principalId }) : undefined;
  bucket.append({ type: 'stored', version, created, uploadId });
  return version;
}

/** DeleteObject: with a version id that version goes; without one, a versioned bucket gets a delete marker. */
export function deleteObject({ bucket, request: { key, query }, now }: Call): Answer {
  const versionId = query.get('versionId') ?? (bucket.isVersioned ? undefined : 'null');
  if (versionId !== undefined) {
    if (bucket.state.version(key, versionId)) bucket.append({ type: 'removed', key, versionId });
    return { status: 204, ...(versionId !== 'null' && { headers: { 'x-amz-version-id': versionId } }) };
  }
  const markerId = newVersionId();
  const marker = { key, versionId: markerId, isDeleteMarker: true, size: 0, etag: '', blobs: [], headers: {} };
  bucket.append({ type: 'stored', version: { ...marker, lastModifiedMs: now().getTime() } });
  return { status: 204, headers: { 'x-amz-version-id': markerId, 'x-amz-delete-marker': 'true' } };
}

/** As opaque as S3's, and as long. */
export const newVersionId = (): string => randomUUID().replaceAll('-', '');

/** The headers that say what was written. */
export const versionHeaders = ({ etag, versionId }: Version): Readonly<Record<string, string>> => ({
  etag: `"${etag}"`,
  ...(versionId !== 'null' && { 'x-amz-version-id': versionId }),
});

function createdBy(bucket: Bucket, version: Version, by: Pick<Created, 'eventName' | 'principalId'>): Created {
  const { key, versionId, size, etag, lastModifiedMs } = version;
  const eventTime = new Date(lastModifiedMs).toISOString();
  const created = { id: randomUUID(), bucket: bucket.name, key, size, etag, eventTime, ...by };
  return versionId === 'null' ? created : { ...created, versionId };
}

/** Kept with an object and given back with it. */
const KEPT = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
];
const METADATA = 'x-amz-meta-';
/** Of all user metadata together. (S3 user guide, object metadata.) */
const METADATA_BYTES = 2_048;

/** What of a write's headers, or of a form's fields, is kept with the object. Names are lower-case. */
export function storedHeaders(
  given: Iterable<readonly [string, string | readonly string[] | undefined]>,
): Readonly<Record<string, string>> {
  const kept: Record<string, string> = { 'content-type': 'binary/octet-stream' };
  let bytes = 0;
  for (const [name, value] of given) {
    const isMetadata = name.startsWith(METADATA);
    if (value === undefined || !(isMetadata || KEPT.includes(name))) continue;
    const text = name === 'content-encoding' ? withoutChunking(String(value)) : String(value);
    if (text !== '') kept[name] = text;
    if (isMetadata) bytes += name.length - METADATA.length + Buffer.byteLength(text);
  }
  if (bytes <= METADATA_BYTES) return kept;
  const message = 'Your metadata headers exceed the maximum allowed metadata size';
  throw badRequest('MetadataTooLarge', message, { Size: bytes, MaxSizeAllowed: METADATA_BYTES });
}

// aws-chunked says how the body came, not what it is.
const withoutChunking = (encoding: string): string =>
  encoding
    .split(/\s*,\s*/)
    .filter((one) => one !== 'aws-chunked')
    .join(',');
