import { createHash, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

import { badRequest, ServiceRefusal } from '../service-refusal.ts';
import { unchunked } from '../signature/aws-chunked.ts';
import { UNSIGNED_PAYLOAD, type ChunkSeed } from '../signature/signature.ts';
import type { Bucket } from './bucket.ts';
import type { Blob } from './bucket-state.ts';
import { bodyOf, header, type Call } from './http.ts';

const CHECKSUM = 'x-amz-checksum-';
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
export function contentOf({ request, verified: { payloadHash, seed } }: Call): Content {
  const decodedLength = header(request, 'x-amz-decoded-content-length');
  if ((header(request, 'content-length') ?? decodedLength) === undefined)
    throw new ServiceRefusal(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
  const checksums = Object.entries(request.headers).filter(([name]) => name.startsWith(CHECKSUM));
  const amz = new Map(checksums.map(([name, value]) => [name, String(value)]));
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
  const name = randomUUID();
  const path = bucket.pathOf({ name });
  const expected = content.expected ?? { amz: new Map(), announced: [] };
  const sums = sumsOf(expected);
  const mostBytes = Math.min(content.mostBytes ?? LARGEST_BYTES, LARGEST_BYTES);
  const small: Buffer[] = [];
  let size = 0;
  let file: FileHandle | undefined;
  try {
    for await (const part of content.bytes) {
      size += part.length;
      if (size > mostBytes) throw tooLarge(size, mostBytes);
      for (const sum of sums.values()) sum.update(part);
      if (file === undefined && size <= SMALL_BYTES) small.push(part);
      else await writeAll((file ??= await open(path, 'wx', 0o600)), [...small.splice(0), part]);
    }
    checkSize(content, size);
    const etag = verifySums(expected, sums);
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
    throw badRequest('IncompleteBody', message);
  }
  if (size >= leastBytes) return;
  const message = 'Your proposed upload is smaller than the minimum allowed size';
  throw badRequest('EntityTooSmall', message, { ProposedSize: size, MinSizeAllowed: leastBytes });
}

function tooLarge(size: number, mostBytes: number): ServiceRefusal {
  const message = 'Your proposed upload exceeds the maximum allowed size';
  return badRequest('EntityTooLarge', message, { ProposedSize: size, MaxSizeAllowed: mostBytes });
}

function hashIn(payloadHash: string): string {
  if (/^[0-9a-f]{64}$/.test(payloadHash)) return payloadHash;
  const message = 'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-… or a valid sha256 value.';
  throw badRequest('InvalidArgument', message);
}

interface Sum {
  readonly update: (part: Uint8Array) => unknown;
  readonly digest: () => Buffer;
}

// CRC32C and CRC64NVME are taken on trust.
const SUMS: ReadonlyMap<string, () => Sum> = new Map([
  ['sha1', () => createHash('sha1')],
  ['sha256', () => createHash('sha256')],
  ['crc32', crc32Sum],
]);

function sumsOf({ sha256Hex, announced }: ExpectedSums): ReadonlyMap<string, Sum> {
  const names = new Set(announced.map((name) => name.slice(CHECKSUM.length)));
  if (sha256Hex) names.add('sha256');
  const sums = new Map<string, Sum>([['md5', createHash('md5')]]);
  for (const [name, create] of SUMS) if (names.has(name)) sums.set(name, create());
  return sums;
}

/** Compares everything expected and gives the MD5 in hex; throws BadDigest, InvalidDigest or XAmzContentSHA256Mismatch. */
function verifySums({ md5, sha256Hex, amz }: ExpectedSums, sums: ReadonlyMap<string, Sum>): string {
  const found = new Map([...sums].map(([name, sum]) => [name, sum.digest()]));
  const sha256 = found.get('sha256')?.toString('hex') ?? '';
  if (sha256Hex && sha256 !== sha256Hex) {
    const message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
    const details = { ClientComputedContentSHA256: sha256Hex, S3ComputedContentSHA256: sha256 };
    throw badRequest('XAmzContentSHA256Mismatch', message, details);
  }
  const etag = found.get('md5')?.toString('hex') ?? '';
  const given = md5 && Buffer.from(md5, 'base64').toString('hex');
  if (given !== undefined && given.length !== etag.length)
    throw badRequest('InvalidDigest', 'The Content-MD5 you specified was invalid.');
  if (given !== undefined && given !== etag)
    throw badRequest('BadDigest', 'The Content-MD5 you specified did not match what we received.');
  for (const [header, sum] of amz) {
    const name = header.slice(CHECKSUM.length);
    if (found.has(name) && found.get(name)?.toString('base64') !== sum)
      throw badRequest('BadDigest', `The ${name.toUpperCase()} you specified did not match the calculated checksum.`);
  }
  return etag;
}

function crc32Sum(): Sum {
  let crc = 0;
  const bytes = Buffer.alloc(4);
  return {
    update: (part) => (crc = crc32(part, crc)),
    digest: () => {
      bytes.writeUInt32BE(crc);
      return bytes;
    },
  };
}
