import { writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

import { unchunked } from '../signature/aws-chunked.ts';
import { ServiceRefusal } from '../service-refusal.ts';
import { UNSIGNED_PAYLOAD, type Verified } from '../signature/signature.ts';
import type { Bucket } from './bucket.ts';
import type { Blob } from './bucket-record.ts';
import { sumsOf, type ExpectedSums } from './checksums.ts';
import { bodyOf, header, type StoreRequest } from './request.ts';

/** Bodies up to this are collected and written in one go. */
const SMALL_BYTES = 131_072;
/** Of one PUT, POST or part. (S3 user guide, multipart upload limits.) */
export const LARGEST_BYTES = 5 * 1024 ** 3;

/** A body to be stored: its bytes, what they must sum up to, how many they may be. */
export interface Content {
  readonly bytes: AsyncIterable<Buffer>;
  readonly expected: ExpectedSums;
  readonly announced: readonly string[];
  readonly leastBytes: number;
  readonly mostBytes: number;
  /** `x-amz-decoded-content-length`. */
  readonly exactBytes?: number | undefined;
}

export interface Stored {
  readonly blob: Blob;
  /** MD5, hex. */
  readonly etag: string;
}

/** The body of a PUT, taken out of the transport that its signature names. */
export function contentOf(request: StoreRequest, verified: Verified): Content {
  const { payloadHash, seed } = verified;
  const decodedLength = header(request, 'x-amz-decoded-content-length');
  if ((header(request, 'content-length') ?? decodedLength) === undefined) {
    throw new ServiceRefusal(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
  }
  const amz = new Map(checksumHeaders(request));
  const announced = [...amz.keys(), header(request, 'x-amz-trailer')?.toLowerCase() ?? ''];
  const limits = { leastBytes: 0, mostBytes: LARGEST_BYTES };
  const expected = { md5: header(request, 'content-md5'), amz };
  const trailer = (fields: ReadonlyMap<string, string>): void => fields.forEach((value, name) => amz.set(name, value));
  const chunked = (isSigned: boolean): Content => ({
    bytes: unchunked(bodyOf(request), { seed: isSigned ? seed : undefined, trailer }),
    expected,
    announced,
    ...limits,
    exactBytes: Number(decodedLength ?? Number.NaN),
  });
  switch (payloadHash) {
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD':
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER':
      return chunked(true);
    case 'STREAMING-UNSIGNED-PAYLOAD-TRAILER':
      return chunked(false);
    case UNSIGNED_PAYLOAD:
      return { bytes: bodyOf(request), expected, announced, ...limits };
    default:
      return {
        bytes: bodyOf(request),
        expected: { ...expected, sha256Hex: hashIn(payloadHash) },
        announced,
        ...limits,
      };
  }
}

/** Writes a body to a file of its own, with bounded memory; nothing is left of one that was refused or broke off. */
export async function storeContent(bucket: Bucket, content: Content): Promise<Stored> {
  const { name, path } = bucket.newBlob();
  const sums = sumsOf(content.expected, content.announced);
  const small: Buffer[] = [];
  let size = 0;
  let file: FileHandle | undefined;
  try {
    for await (const part of content.bytes) {
      size += part.length;
      if (size > content.mostBytes) throw tooLarge(size, content.mostBytes);
      sums.update(part);
      if (file === undefined && size <= SMALL_BYTES) small.push(part);
      else await writeAll((file ??= await open(path, 'wx', 0o600)), [...small.splice(0), part]);
    }
    checkSize(content, size);
    const etag = sums.finish();
    if (file === undefined) writeFileSync(path, Buffer.concat(small), { mode: 0o600 });
    return { blob: { name, size }, etag };
  } catch (error) {
    await bucket.discard(name);
    throw error;
  } finally {
    await file?.close();
  }
}

async function writeAll(file: FileHandle, parts: readonly Buffer[]): Promise<void> {
  for (const part of parts) await file.writeFile(part);
}

function checkSize({ exactBytes, leastBytes }: Content, size: number): void {
  if (exactBytes !== undefined && exactBytes !== size) {
    const message = 'You did not provide the number of bytes specified by the x-amz-decoded-content-length HTTP header';
    throw new ServiceRefusal(400, 'IncompleteBody', message);
  }
  if (size >= leastBytes) return;
  const message = 'Your proposed upload is smaller than the minimum allowed size';
  throw new ServiceRefusal(400, 'EntityTooSmall', message, { ProposedSize: size, MinSizeAllowed: leastBytes });
}

function tooLarge(size: number, mostBytes: number): ServiceRefusal {
  const message = 'Your proposed upload exceeds the maximum allowed size';
  return new ServiceRefusal(400, 'EntityTooLarge', message, { ProposedSize: size, MaxSizeAllowed: mostBytes });
}

const checksumHeaders = ({ headers }: StoreRequest): readonly (readonly [string, string])[] =>
  Object.entries(headers)
    .filter(([name]) => name.startsWith('x-amz-checksum-'))
    .map(([name, value]) => [name, String(value)] as const);

function hashIn(payloadHash: string): string {
  if (/^[0-9a-f]{64}$/.test(payloadHash)) return payloadHash;
  const message = 'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-… or a valid sha256 value.';
  throw new ServiceRefusal(400, 'InvalidArgument', message);
}
