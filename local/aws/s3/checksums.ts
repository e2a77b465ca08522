import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

import { ServiceRefusal } from '../service-refusal.ts';

/** What a body has to come to, each as its header gives it. */
export interface ExpectedSums {
  /** `Content-MD5`. */
  readonly md5?: string | undefined;
  /** `x-amz-content-sha256` when it is a hash, in hex. */
  readonly sha256Hex?: string | undefined;
  /** `x-amz-checksum-*`, sent before the body or after it. */
  readonly amz: Map<string, string>;
}

export interface Sums {
  readonly update: (part: Uint8Array) => void;
  /** The MD5 in hex, once everything expected has been compared; throws BadDigest, InvalidDigest or XAmzContentSHA256Mismatch. */
  readonly finish: () => string;
}

/** Sums up a body for its etag and for whatever it has to be compared with. CRC32C and CRC64NVME are taken on trust. */
export function sumsOf(expected: ExpectedSums, announced: readonly string[]): Sums {
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
