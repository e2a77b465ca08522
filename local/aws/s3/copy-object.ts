import { badRequest, type ServiceRefusal } from '../service-refusal.ts';
import { decodePart } from '../signature/url.ts';
import type { Bucket } from './bucket.ts';
import type { Version } from './bucket-state.ts';
import { checkCopyConditions } from './conditions.ts';
import { storeContent, type Content } from './content.ts';
import { findVersion, openContent, type Range } from './get-object.ts';
import { header, xmlAnswer, type Answer, type Call } from './http.ts';
import { storePart } from './multipart.ts';
import { commitObject, storedHeaders } from './put-object.ts';

/** CopyObject. */
export async function copyObject(call: Call): Promise<Answer> {
  const { bucket, request, verified } = call;
  const source = copySourceOf(call);
  const version = findSource(call, source);
  const replaces = replacesMetadata(call);
  if (!replaces && source.bucket === bucket && source.key === request.key && source.versionId === undefined) {
    const message =
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.";
    throw badRequest('InvalidRequest', message);
  }
  const headers = replaces ? storedHeaders(Object.entries(request.headers)) : version.headers;
  const whole = { start: 0, end: version.size };
  const { blob, etag } = await readSource(source.bucket, version, whole, (content) => storeContent(bucket, content));
  const content = { key: request.key, etag, headers, blobs: [blob] };
  const object = { ...content, eventName: 'ObjectCreated:Copy', principalId: verified.accessKeyId };
  return copyAnswer('CopyObjectResult', version, await commitObject(call, object));
}

/** UploadPartCopy. */
export async function uploadPartCopy(call: Call): Promise<Answer> {
  const source = copySourceOf(call);
  const version = findSource(call, source);
  const range = rangeIn(header(call.request, 'x-amz-copy-source-range'), version.size);
  const { etag } = await readSource(source.bucket, version, range, (content) => storePart(call, content));
  return copyAnswer('CopyPartResult', version, { etag, lastModifiedMs: call.now().getTime(), versionId: 'null' });
}

/** What is copied; its version is the newest when none is named. */
export interface CopySource {
  readonly bucket: Bucket;
  readonly key: string;
  readonly versionId?: string | undefined;
}

/** Reads `x-amz-copy-source`: `<bucket>/<key>?versionId=<id>`, percent-encoded, a slash in front or not. */
export function copySourceOf({ request, bucketOf }: Call): CopySource {
  const text = header(request, 'x-amz-copy-source') ?? '';
  const [, bucket, key, versionId] = text.match(/^\/?([^/]+)\/(.+?)(?:\?versionId=([^?]+))?$/s) ?? [];
  if (bucket !== undefined && key !== undefined)
    return { bucket: bucketOf(decodePart(bucket)), key: decodePart(key), versionId };
  throw invalidArgument('Copy Source must mention the source bucket and key: sourcebucket/sourcekey');
}

function findSource({ request }: Call, { bucket, key, versionId }: CopySource): Version {
  if (versionId !== undefined && bucket.state.version(key, versionId)?.isDeleteMarker) {
    const message = 'The source of a copy request may not specifically refer to a delete marker by version id.';
    throw badRequest('InvalidRequest', message);
  }
  const version = findVersion(bucket, key, versionId);
  checkCopyConditions(request, version);
  return version;
}

function replacesMetadata({ request }: Call): boolean {
  const directive = header(request, 'x-amz-metadata-directive') ?? 'COPY';
  if (directive === 'COPY' || directive === 'REPLACE') return directive === 'REPLACE';
  throw invalidArgument('Unknown metadata directive.');
}

function rangeIn(text: string | undefined, size: number): Range {
  if (text === undefined) return { start: 0, end: size };
  const [, first, last] = text.match(/^bytes=(\d+)-(\d+)$/) ?? [];
  const range = { start: Number(first), end: Number(last) + 1 };
  if (range.start < range.end && range.end <= size) return range;
  throw invalidArgument(`Range specified is not valid for source object of size: ${size}`);
}

async function readSource<T>(bucket: Bucket, version: Version, range: Range, read: (content: Content) => Promise<T>) {
  const { bytes, release } = openContent(bucket, version, range);
  try {
    return await read({ bytes });
  } finally {
    release();
  }
}

type Copied = Pick<Version, 'etag' | 'lastModifiedMs' | 'versionId'>;

function copyAnswer(root: string, source: Version, { etag, lastModifiedMs, versionId }: Copied): Answer {
  const content = { LastModified: new Date(lastModifiedMs).toISOString(), ETag: `"${etag}"` };
  return xmlAnswer(root, content, {
    ...(source.versionId !== 'null' && { 'x-amz-copy-source-version-id': source.versionId }),
    ...(versionId !== 'null' && { 'x-amz-version-id': versionId }),
  });
}

const invalidArgument = (message: string): ServiceRefusal => badRequest('InvalidArgument', message);
