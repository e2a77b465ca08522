import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

import { ServiceRefusal } from '../service-refusal.ts';
import { unchunked } from '../signature/aws-chunked.ts';
import { UNSIGNED_PAYLOAD, type ChunkSeed } from '../signature/signature.ts';
import type { Bucket } from './bucket.ts';
import type { Blob } from './bucket-state.ts';
import { bodyOf, header, type SignedCall, type StoreRequest } from './http.ts';

/** Bodies up to this are collected and written in one go. */
const SMALL_BYTES = 131_072;
/** Of one PUT, POST or part. (S3 user guide, multipart upload limits.) */
const LARGEST_BYTES = 5 * 1024 ** 3;

/** A body to be stored: its bytes, what they must sum up to, how many they may be. */
export interface Content {
  readonly bytes: AsyncIterable<Buffer>;
  readonly expected?: ExpectedSums;
  readonly leastBytes?: number;
  readonly mostBytes?: number;
  /** `x-amz-decoded-content-length`. */
  readonly exactBytes?: number;
}

/** What a body has to come to, each as its header gives it. */
interface ExpectedSums {
  /** `Content-MD5`. */
  readonly md5?: string | undefined;
  /** `x-amz-content-sha256` when it is a hash, in hex. */
  readonly sha256Hex?: string;
  /** `x-amz-checksum-*`, sent before the body or after it. */
  readonly amz: ReadonlyMap<string, string>;
  /** The names of those that are sent. */
  readonly announced: readonly string[];
}

export interface Stored {
  readonly blob: Blob;
  /** MD5, hex. */
  readonly etag: string;
}

/** The body of a PUT, taken out of the transport that its signature names. */
export function contentOf({ request, verified: { payloadHash, seed } }: SignedCall): Content {
  const decodedLength = header(request, 'x-amz-decoded-content-length');
  if ((header(request, 'content-length') ?? decodedLength) === undefined) {
    throw new ServiceRefusal(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
  }
  const amz = new Map(checksumHeaders(request));
  const announced = [...amz.keys(), header(request, 'x-amz-trailer')?.toLowerCase() ?? ''];
  const expected = { md5: header(request, 'content-md5'), amz, announced };
  const trailer = (fields: ReadonlyMap<string, string>): void => fields.forEach((value, name) => amz.set(name, value));
  const chunked = (chunkSeed?: ChunkSeed): Content => ({
    bytes: unchunked(bodyOf(request), { seed: chunkSeed, trailer }),
    expected,
    exactBytes: Number(decodedLength ?? Number.NaN),
  });
  switch (payloadHash) {
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD':
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER':
      return chunked(seed);
    case 'STREAMING-UNSIGNED-PAYLOAD-TRAILER':
      return chunked();
    case UNSIGNED_PAYLOAD:
      return { bytes: bodyOf(request), expected };
    default:
      return { bytes: bodyOf(request), expected: { ...expected, sha256Hex: hashIn(payloadHash) } };
  }
}

/** Writes a body to a file of its own, with bounded memory; nothing is left of one that was refused or broke off. */
export async function storeContent(bucket: Bucket, content: Content): Promise<Stored> {
  const { name, path } = bucket.newBlob();
  const sums = sumsOf(content.expected ?? { amz: new Map(), announced: [] });
  const mostBytes = Math.min(content.mostBytes ?? LARGEST_BYTES, LARGEST_BYTES);
  const small: Buffer[] = [];
  let size = 0;
  let file: FileHandle | undefined;
  try {
    for await (const part of content.bytes) {
      size += part.length;
      if (size > mostBytes) throw tooLarge(size, mostBytes);
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

function checkSize({ exactBytes, leastBytes = 0 }: Content, size: number): void {
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

interface Sums {
  readonly update: (part: Uint8Array) => void;
  /** The MD5 in hex, once everything expected has been compared; throws BadDigest, InvalidDigest or XAmzContentSHA256Mismatch. */
  readonly finish: () => string;
}

/** Sums up a body for its etag and for whatever it has to be compared with. CRC32C and CRC64NVME are taken on trust. */
function sumsOf(expected: ExpectedSums): Sums {
  const { announced } = expected;
  const md5 = createHash('md5');
  const sha256 = expected.sha256Hex || announced.includes('x-amz-checksum-sha256') ? createHash('sha256') : undefined;
  const sha1 = announced.includes('x-amz-checksum-sha1') ? createHash('sha1') : undefined;
  const countsCrc = announced.includes('x-amz-checksum-crc32');
  let crc = 0;
  return {
    update: (part) => {
      md5.update(part);
      sha256?.update(part);
      sha1?.update(part);
      if (countsCrc) crc = crc32(part, crc);
    },
    finish: () => {
      const found = { md5: md5.digest(), sha256: sha256?.digest() };
      compareHeaders(expected, found);
      compare(expected, 'x-amz-checksum-sha256', found.sha256);
      compare(expected, 'x-amz-checksum-sha1', sha1?.digest());
      if (countsCrc) compare(expected, 'x-amz-checksum-crc32', bigEndian(crc));
      return found.md5.toString('hex');
    },
  };
}

function compareHeaders(expected: ExpectedSums, found: { readonly md5: Buffer; readonly sha256: Buffer | undefined }) {
  if (expected.sha256Hex && found.sha256?.toString('hex') !== expected.sha256Hex) {
    const message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
    throw new ServiceRefusal(400, 'XAmzContentSHA256Mismatch', message, {
      ClientComputedContentSHA256: expected.sha256Hex,
      S3ComputedContentSHA256: found.sha256?.toString('hex') ?? '',
    });
  }
  if (expected.md5 === undefined || expected.md5 === found.md5.toString('base64')) return;
  if (Buffer.from(expected.md5, 'base64').length !== found.md5.length) {
    throw new ServiceRefusal(400, 'InvalidDigest', 'The Content-MD5 you specified was invalid.');
  }
  throw new ServiceRefusal(400, 'BadDigest', 'The Content-MD5 you specified did not match what we received.');
}

function compare({ amz }: ExpectedSums, name: string, found: Buffer | undefined): void {
  const given = amz.get(name);
  if (given === undefined || found === undefined || given === found.toString('base64')) return;
  const kind = name.slice('x-amz-checksum-'.length).toUpperCase();
  throw new ServiceRefusal(400, 'BadDigest', `The ${kind} you specified did not match the calculated checksum.`);
}

function bigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}
