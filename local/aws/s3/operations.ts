import type { AwsCall } from '../access-control.ts';
import { notFound, ServiceRefusal } from '../service-refusal.ts';
import { verifySignature } from '../signature/signature.ts';
import type { Credentials, Verifier } from '../signature/signing-key.ts';
import type { Bucket } from './bucket.ts';
import { copyObject, copySourceOf, uploadPartCopy, type CopySource } from './copy-object.ts';
import { getObject, getObjectTagging } from './get-object.ts';
import type { Answer, Call, StoreRequest, UnverifiedCall } from './http.ts';
import { header, methodNotAllowed, notImplemented, xmlAnswer } from './http.ts';
import { listObjects, listObjectsV2, listObjectVersions } from './list-objects.ts';
import { abortUpload, completeUpload, createUpload, uploadPart } from './multipart.ts';
import { postObject } from './post-object.ts';
import { deleteObject, putObject } from './put-object.ts';

/** What requests are answered from. */
export interface Store {
  readonly buckets: ReadonlyMap<string, Bucket>;
  readonly credentials: Credentials;
  readonly region: string;
  /** Called once for each request whose signature holds; what it throws refuses the request. */
  readonly record: (call: AwsCall) => void;
  readonly now: () => Date;
}

/** Answers a request: verified, recorded as IAM names it, and run. Throws ServiceRefusal, 501 for what the store does not have. */
export async function answerRequest(store: Store, request: StoreRequest): Promise<Answer> {
  const { credentials, region, now } = store;
  const verifier: Verifier = { credentials, region, service: 's3', nowMs: now().getTime() };
  if (isForm(request)) return answerForm(store, request, verifier);
  const { method, message } = request;
  const signed = { method, url: message.url ?? '/', headers: message.headersDistinct };
  const verified = await verifySignature(signed, verifier);
  const { accessKeyId } = verified;
  if (request.bucket === '') return listBuckets(store, request, accessKeyId);
  const call = { ...callOf(store, request), verified };
  const { action, besides, run } = operationOf(request);
  const version = request.query.has('versionId') ? 'Version' : '';
  recordCall(store, request, { action: `${action}${version}`, accessKeyId, besides: besides?.(call) });
  return run(call);
}

type Besides = NonNullable<AwsCall['besides']>;

interface Operation {
  readonly method: string;
  /** A name in the query that tells it from others of the same method. */
  readonly by?: string;
  /** The headers of a copy that it reads; `x-amz-copy-source` tells it from others. */
  readonly copy?: readonly string[];
  /** As IAM names it, without `s3:`; `Version` is added when a version is asked for. */
  readonly action: string;
  readonly besides?: (call: Call) => Besides;
  /** The names in the query that it reads. */
  readonly query?: readonly string[];
  readonly run: (call: Call) => Answer | Promise<Answer>;
}

const LISTING = ['prefix', 'delimiter', 'max-keys', 'encoding-type'];
const LISTING_V2 = [...LISTING, 'continuation-token', 'start-after', 'fetch-owner'];
const LISTING_VERSIONS = [...LISTING, 'key-marker', 'version-id-marker'];
const VERSION = ['versionId'];
const PART = ['partNumber'];
const SOURCE = ['', '-if-match', '-if-none-match', '-if-modified-since', '-if-unmodified-since'].map(
  (name) => `x-amz-copy-source${name}`,
);
const PART_COPY = [...SOURCE, 'x-amz-copy-source-range'];
const COPY = [...SOURCE, 'x-amz-metadata-directive', 'x-amz-tagging-directive'];

// The first that fits a request is meant. (S3 API reference, actions; service authorization reference, Amazon S3.)
const OF_BUCKETS: readonly Operation[] = [
  { method: 'HEAD', action: 'ListBucket', run: headBucket },
  { method: 'GET', by: 'location', action: 'GetBucketLocation', run: getBucketLocation },
  { method: 'GET', by: 'versioning', action: 'GetBucketVersioning', run: getBucketVersioning },
  { method: 'GET', by: 'versions', action: 'ListBucketVersions', query: LISTING_VERSIONS, run: listObjectVersions },
  { method: 'GET', by: 'list-type', action: 'ListBucket', query: LISTING_V2, run: listObjectsV2 },
  { method: 'GET', action: 'ListBucket', query: [...LISTING, 'marker'], run: listObjects },
];
const OF_OBJECTS: readonly Operation[] = [
  { method: 'GET', by: 'tagging', action: 'GetObjectTagging', besides: requireListing, run: getObjectTagging },
  { method: 'GET', action: 'GetObject', query: VERSION, besides: requireListing, run: getObject },
  { method: 'HEAD', action: 'GetObject', query: VERSION, besides: requireListing, run: getObject },
  { method: 'POST', by: 'uploads', action: 'PutObject', run: createUpload },
  { method: 'POST', by: 'uploadId', action: 'PutObject', run: completeUpload },
  {
    method: 'PUT',
    by: 'uploadId',
    copy: PART_COPY,
    action: 'PutObject',
    query: PART,
    besides: requireSource,
    run: uploadPartCopy,
  },
  { method: 'PUT', by: 'uploadId', action: 'PutObject', query: PART, run: uploadPart },
  { method: 'PUT', copy: COPY, action: 'PutObject', besides: requireSource, run: copyObject },
  { method: 'PUT', action: 'PutObject', run: putObject },
  { method: 'DELETE', by: 'uploadId', action: 'AbortMultipartUpload', run: abortUpload },
  { method: 'DELETE', action: 'DeleteObject', query: VERSION, run: deleteObject },
];

function operationOf(request: StoreRequest): Operation {
  const { method, key, query } = request;
  const isCopy = header(request, 'x-amz-copy-source') !== undefined;
  const operation = (key === '' ? OF_BUCKETS : OF_OBJECTS).find(
    (one) => one.method === method && (one.by === undefined || query.has(one.by)) && (one.copy === undefined || isCopy),
  );
  checkImplemented(request, operation);
  if (operation) return operation;
  if (key !== '') throw methodNotAllowed();
  throw new ServiceRefusal(501, 'NotImplemented', `This store does not implement ${method} of a bucket like this.`);
}

/** Presigned URLs, and what SDKs add to say what they do. */
const QUERY_OF_ALL =
  /^(?:X-Amz-(?:Algorithm|Credential|Date|Expires|SignedHeaders|Signature|Security-Token|Content-Sha256)|x-id)$/;
/** What a request may ask for by `x-amz-` headers. Checksums asked for in an answer are optional to S3 as well. */
const HEADERS =
  /^x-amz-(?:date|content-sha256|security-token|user-agent|decoded-content-length|trailer|meta-.+|checksum-.+|sdk-checksum-algorithm|expected-bucket-owner|mp-object-size)$/;
const PLAIN_VALUES: ReadonlyMap<string, readonly string[]> = new Map([
  ['x-amz-acl', ['private', 'bucket-owner-full-control']],
  ['x-amz-server-side-encryption', ['AES256']],
  ['x-amz-storage-class', ['STANDARD']],
  // No object has tags.
  ['x-amz-tagging-directive', ['COPY', 'REPLACE']],
]);
const UNSUPPORTED = ['if-modified-since', 'if-unmodified-since'];

// Refuses, with 501 as S3 does, what would otherwise be passed over in silence.
function checkImplemented({ headers, query }: StoreRequest, operation?: Operation): void {
  const known = [operation?.by, ...(operation?.query ?? []), ...(operation?.copy ?? [])];
  for (const name of query.keys()) {
    if (!known.includes(name) && !QUERY_OF_ALL.test(name)) throw notImplemented(name);
  }
  for (const [name, value] of Object.entries(headers)) {
    const isKnown =
      PLAIN_VALUES.get(name)?.includes(String(value)) ??
      (!name.startsWith('x-amz-') || HEADERS.test(name) || known.includes(name));
    if (!isKnown || UNSUPPORTED.includes(name)) throw notImplemented(name);
  }
}

type RecordedCall = Pick<AwsCall, 'action' | 'accessKeyId' | 'besides'>;

function recordCall(store: Store, request: StoreRequest, call: RecordedCall): void {
  const length = header(request, 'x-amz-decoded-content-length') ?? header(request, 'content-length');
  store.record({
    service: 's3',
    ...call,
    action: `s3:${call.action}`,
    resource: arnOf(request.bucket, request.key),
    ...(length !== undefined && { bytes: Number(length) }),
  });
}

const arnOf = (bucket: string, key: string): string => `arn:aws:s3:::${bucket}${key === '' ? '' : `/${key}`}`;

// S3 tells only those who may list that a key is not there; others get 403. (S3 API reference, GetObject.)
function requireListing({ bucket, request: { key, query } }: Call): Besides {
  return listingOf({ bucket, key, versionId: query.get('versionId') });
}

function listingOf({ bucket, key, versionId }: CopySource): Besides {
  const newest = bucket.state.newest(key);
  if (versionId !== undefined || (newest && !newest.isDeleteMarker)) return [];
  return [{ action: 's3:ListBucket', resource: arnOf(bucket.name, '') }];
}

function requireSource(call: Call): Besides {
  const source = copySourceOf(call);
  const version = source.versionId === undefined ? '' : 'Version';
  return [{ action: `s3:GetObject${version}`, resource: arnOf(source.bucket.name, source.key) }, ...listingOf(source)];
}

function callOf({ buckets, region, now }: Store, request: StoreRequest): UnverifiedCall {
  const bucketOf = (name: string): Bucket => {
    const bucket = buckets.get(name);
    if (bucket) return bucket;
    throw notFound('NoSuchBucket', 'The specified bucket does not exist', { BucketName: name });
  };
  return { request, bucket: bucketOf(request.bucket), bucketOf, region, now };
}

const isForm = (request: StoreRequest): boolean =>
  request.method === 'POST' &&
  request.key === '' &&
  (header(request, 'content-type') ?? '').startsWith('multipart/form-data');

function answerForm(store: Store, request: StoreRequest, verifier: Verifier): Promise<Answer> {
  const allowed = (accessKeyId: string, key: string): void =>
    recordCall(store, { ...request, key }, { action: 'PutObject', accessKeyId });
  return postObject(callOf(store, request), { verifier, allowed });
}

// All that the service itself is asked for.
function listBuckets(store: Store, request: StoreRequest, accessKeyId: string): Answer {
  checkImplemented(request);
  if (request.method !== 'GET') throw methodNotAllowed();
  recordCall(store, { ...request, bucket: '*' }, { action: 'ListAllMyBuckets', accessKeyId });
  const bucket = [...store.buckets.keys()].map((Name) => ({ Name, CreationDate: new Date(0).toISOString() }));
  return xmlAnswer('ListAllMyBucketsResult', { Owner: { ID: accessKeyId }, Buckets: { Bucket: bucket } });
}

function headBucket({ region }: Call): Answer {
  return { status: 200, headers: { 'x-amz-bucket-region': region } };
}

// us-east-1 is the location that has no name.
function getBucketLocation({ region }: Call): Answer {
  return xmlAnswer('LocationConstraint', region === 'us-east-1' ? '' : region);
}

function getBucketVersioning({ bucket }: Call): Answer {
  return xmlAnswer('VersioningConfiguration', { Status: bucket.isVersioned ? 'Enabled' : undefined });
}
