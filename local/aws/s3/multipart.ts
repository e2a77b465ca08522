import { createHash } from 'node:crypto';

import { ServiceRefusal } from '../service-refusal.ts';
import type { Verified } from '../signature/signature.ts';
import { xmlAnswer, type Answer } from './answer.ts';
import type { Part, Upload } from './bucket-record.ts';
import { contentOf, storeContent } from './content.ts';
import { commitObject, newVersionId, versionHeaders, type WriteContext } from './put-object.ts';
import { bodyOf, header, type StoreRequest } from './request.ts';
import { storedHeaders } from './stored-headers.ts';

/** Of every part but the last. (S3 user guide, multipart upload limits.) */
const LEAST_PART_BYTES = 5 * 1024 ** 2;
const MOST_PARTS = 10_000;
const LONGEST_COMPLETION_BYTES = 2 * 1024 ** 2;

/** CreateMultipartUpload. */
export function createUpload({ bucket }: WriteContext, { key, headers }: StoreRequest): Answer {
  const id = newVersionId();
  bucket.append({ type: 'upload-begun', id, key, headers: storedHeaders(Object.entries(headers)) });
  return xmlAnswer('InitiateMultipartUploadResult', { Bucket: bucket.name, Key: key, UploadId: id });
}

/** UploadPart. */
export async function uploadPart({ bucket }: WriteContext, request: StoreRequest, verified: Verified): Promise<Answer> {
  const number = Number(request.query.get('partNumber'));
  const { id } = openUpload(bucket, request);
  if (!Number.isInteger(number) || number < 1 || number > MOST_PARTS) {
    const message = `Part number must be an integer between 1 and ${MOST_PARTS}, inclusive`;
    throw new ServiceRefusal(400, 'InvalidArgument', message);
  }
  const { blob, etag } = await storeContent(bucket, contentOf(request, verified));
  if (bucket.state.upload(id) === undefined) {
    await bucket.discard(blob.name);
    throw noSuchUpload(id);
  }
  bucket.append({ type: 'part-stored', uploadId: id, part: { number, blob, etag } });
  return { status: 200, headers: { etag: `"${etag}"` } };
}

/** CompleteMultipartUpload: the parts become the object as they lie, nothing is copied. */
export async function completeUpload(context: WriteContext, request: StoreRequest): Promise<Answer> {
  const chosen = await completionOf(request);
  // From here to the commit nothing is awaited, or two completions could both find the upload open.
  const upload = openUpload(context.bucket, request);
  const parts = chosenParts(chosen, upload);
  const digests = Buffer.concat(parts.map((part) => Buffer.from(part.etag, 'hex')));
  const version = await commitObject(context, {
    request,
    key: upload.key,
    etag: `${createHash('md5').update(digests).digest('hex')}-${parts.length}`,
    headers: upload.headers,
    blobs: parts.map((part) => part.blob),
    eventName: 'ObjectCreated:CompleteMultipartUpload',
    uploadId: upload.id,
  });
  const location = `http://${header(request, 'host')}/${context.bucket.name}/${encodeURI(upload.key)}`;
  const answer = xmlAnswer('CompleteMultipartUploadResult', {
    Location: location,
    Bucket: context.bucket.name,
    Key: upload.key,
    ETag: `"${version.etag}"`,
  });
  return { ...answer, headers: { ...answer.headers, ...versionHeaders(version) } };
}

/** AbortMultipartUpload. */
export function abortUpload({ bucket }: WriteContext, request: StoreRequest): Answer {
  const { id } = openUpload(bucket, request);
  bucket.append({ type: 'upload-aborted', id });
  return { status: 204 };
}

function openUpload(bucket: WriteContext['bucket'], { key, query }: StoreRequest): Upload {
  const id = query.get('uploadId') ?? '';
  const upload = bucket.state.upload(id);
  if (upload?.key === key) return upload;
  throw noSuchUpload(id);
}

const noSuchUpload = (id: string): ServiceRefusal =>
  new ServiceRefusal(404, 'NoSuchUpload', 'The specified upload does not exist. The upload ID may be invalid.', {
    UploadId: id,
  });

interface ChosenPart {
  readonly number: number;
  readonly etag: string;
}

async function completionOf(request: StoreRequest): Promise<readonly ChosenPart[]> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of bodyOf(request)) {
    bytes += chunk.length;
    if (bytes > LONGEST_COMPLETION_BYTES) throw malformedXml();
    chunks.push(chunk);
  }
  const parts =
    Buffer.concat(chunks)
      .toString()
      .match(/<Part>.*?<\/Part>/gs) ?? [];
  if (parts.length === 0) throw malformedXml();
  return parts.map((part) => ({
    number: Number(part.match(/<PartNumber>\s*(\d+)\s*</)?.[1] ?? Number.NaN),
    etag: (part.match(/<ETag>\s*([^<]*?)\s*</)?.[1] ?? '').replace(/"|&quot;|&#34;/g, ''),
  }));
}

function chosenParts(chosen: readonly ChosenPart[], upload: Upload): readonly Part[] {
  if (chosen.some(({ number }, index) => number <= (chosen[index - 1]?.number ?? 0))) {
    throw new ServiceRefusal(400, 'InvalidPartOrder', 'The list of parts was not in ascending order.');
  }
  const parts = chosen.map(({ number, etag }) => partOf(upload, number, etag));
  const small = parts.slice(0, -1).find(({ blob }) => blob.size < LEAST_PART_BYTES);
  if (!small) return parts;
  throw new ServiceRefusal(400, 'EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
    ProposedSize: small.blob.size,
    MinSizeAllowed: LEAST_PART_BYTES,
    PartNumber: small.number,
  });
}

function partOf({ parts }: Upload, number: number, etag: string): Part {
  const part = parts.get(number);
  if (part?.etag === etag) return part;
  throw new ServiceRefusal(400, 'InvalidPart', 'One or more of the specified parts could not be found.', {
    PartNumber: number,
  });
}

const malformedXml = (): ServiceRefusal =>
  new ServiceRefusal(
    400,
    'MalformedXML',
    'The XML you provided was not well-formed or did not validate against our published schema',
  );
