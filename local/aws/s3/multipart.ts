import { createHash } from 'node:crypto';

import { badRequest, notFound, type ServiceRefusal } from '../service-refusal.ts';
import type { Part, Upload } from './bucket-state.ts';
import { contentOf, storeContent, type Content } from './content.ts';
import { bodyOf, header, xmlAnswer, type Answer, type Call, type StoreRequest } from './http.ts';
import { commitObject, newVersionId, storedHeaders, versionHeaders } from './put-object.ts';

/** Of every part but the last. (S3 user guide, multipart upload limits.) */
const LEAST_PART_BYTES = 5 * 1024 ** 2;
const MOST_PARTS = 10_000;
const LONGEST_COMPLETION_BYTES = 2 * 1024 ** 2;

/** CreateMultipartUpload. */
export function createUpload({ bucket, request: { key, headers } }: Call): Answer {
  const id = newVersionId();
  bucket.append({ type: 'upload-begun', id, key, headers: storedHeaders(Object.entries(headers)) });
  return xmlAnswer('InitiateMultipartUploadResult', { Bucket: bucket.name, Key: key, UploadId: id });
}

/** UploadPart. */
export async function uploadPart(call: Call): Promise<Answer> {
  const { etag } = await storePart(call, contentOf(call));
  return { status: 200, headers: { etag: `"${etag}"` } };
}

/** Stores one part of the upload that the request names. */
export async function storePart(call: Call, content: Content): Promise<Part> {
  const { bucket, request } = call;
  const number = Number(request.query.get('partNumber'));
  const { id } = openUpload(call);
  if (!Number.isInteger(number) || number < 1 || number > MOST_PARTS) {
    const message = `Part number must be an integer between 1 and ${MOST_PARTS}, inclusive`;
    throw badRequest('InvalidArgument', message);
  }
  const part = { number, ...(await storeContent(bucket, content)) };
  if (bucket.state.upload(id) === undefined) {
    await bucket.discard(part.blob.name);
    throw noSuchUpload(id);
  }
  bucket.append({ type: 'part-stored', uploadId: id, part });
  return part;
}

/** CompleteMultipartUpload: the parts become the object as they lie, nothing is copied. */
export async function completeUpload(call: Call): Promise<Answer> {
  const chosen = await completionOf(call.request);
  // From here to the commit nothing is awaited, or two completions could both find the upload open.
  const upload = openUpload(call);
  const parts = chosenParts(chosen, upload);
  const digests = Buffer.concat(parts.map((part) => Buffer.from(part.etag, 'hex')));
  const version = await commitObject(call, {
    key: upload.key,
    etag: `${createHash('md5').update(digests).digest('hex')}-${parts.length}`,
    headers: upload.headers,
    blobs: parts.map((part) => part.blob),
    eventName: 'ObjectCreated:CompleteMultipartUpload',
    principalId: call.verified.accessKeyId,
    uploadId: upload.id,
  });
  const { name } = call.bucket;
  const Location = `http://${header(call.request, 'host')}/${name}/${encodeURI(upload.key)}`;
  const content = { Location, Bucket: name, Key: upload.key, ETag: `"${version.etag}"` };
  return xmlAnswer('CompleteMultipartUploadResult', content, versionHeaders(version));
}

/** AbortMultipartUpload. */
export function abortUpload(call: Call): Answer {
  call.bucket.append({ type: 'upload-aborted', id: openUpload(call).id });
  return { status: 204 };
}

function openUpload({ bucket, request: { key, query } }: Call): Upload {
  const id = query.get('uploadId') ?? '';
  const upload = bucket.state.upload(id);
  if (upload?.key === key) return upload;
  throw noSuchUpload(id);
}

const noSuchUpload = (id: string): ServiceRefusal =>
  notFound('NoSuchUpload', 'The specified upload does not exist. The upload ID may be invalid.', { UploadId: id });

type ChosenPart = Pick<Part, 'number' | 'etag'>;

async function completionOf(request: StoreRequest): Promise<readonly ChosenPart[]> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of bodyOf(request)) {
    bytes += chunk.length;
    if (bytes > LONGEST_COMPLETION_BYTES) throw malformedXml();
    chunks.push(chunk);
  }
  const xml = Buffer.concat(chunks).toString();
  const parts = xml.match(/<Part>.*?<\/Part>/gs) ?? [];
  if (parts.length === 0) throw malformedXml();
  return parts.map((part) => ({
    number: Number(part.match(/<PartNumber>\s*(\d+)\s*</)?.[1] ?? Number.NaN),
    etag: (part.match(/<ETag>\s*([^<]*?)\s*</)?.[1] ?? '').replace(/"|&quot;|&#34;/g, ''),
  }));
}

function chosenParts(chosen: readonly ChosenPart[], upload: Upload): readonly Part[] {
  if (chosen.some(({ number }, index) => number <= (chosen[index - 1]?.number ?? 0)))
    throw badRequest('InvalidPartOrder', 'The list of parts was not in ascending order.');
  const parts = chosen.map(({ number, etag }) => partOf(upload, number, etag));
  const small = parts.slice(0, -1).find(({ blob }) => blob.size < LEAST_PART_BYTES);
  if (!small) return parts;
  const details = { ProposedSize: small.blob.size, MinSizeAllowed: LEAST_PART_BYTES, PartNumber: small.number };
  throw badRequest('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', details);
}

function partOf({ parts }: Upload, number: number, etag: string): Part {
  const part = parts.get(number);
  if (part?.etag === etag) return part;
  throw badRequest('InvalidPart', 'One or more of the specified parts could not be found.', { PartNumber: number });
}

function malformedXml(): ServiceRefusal {
  const message = 'The XML you provided was not well-formed or did not validate against our published schema';
  return badRequest('MalformedXML', message);
}
