import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { unchunked } from '../../../../local/aws/signature/aws-chunked.ts';
import type { ChunkSeed } from '../../../../local/aws/signature/signature.ts';
import { findSigningKey } from '../../../../local/aws/signature/signing-key.ts';

// The example of the S3 API reference, "Signature calculations for the authorization header: transferring a payload in multiple chunks".
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const SCOPE = '20130524/us-east-1/s3/aws4_request';
const DATE = '20130524T000000Z';
const SEED: ChunkSeed = {
  key: findSigningKey(`AKIAIOSFODNN7EXAMPLE/${SCOPE}`, DATE, {
    credentials: () => SECRET,
    region: 'us-east-1',
    service: 's3',
    nowMs: Date.parse('2013-05-24T00:00:00Z'),
  }),
  signature: '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
};
const SIGNED = [
  `10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n${'a'.repeat(65_536)}\r\n`,
  `400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n${'a'.repeat(1_024)}\r\n`,
  '0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n',
].join('');

describe('an aws-chunked body', () => {
  it.each([1, 7, 1_000, 100_000])('is read however it comes, here %i bytes at a time', async (size) => {
    expect((await read(SIGNED, { seed: SEED, size })).content).toBe('a'.repeat(66_560));
  });

  it.each([
    ['a changed byte', SIGNED.replace('aaaa', 'aaab')],
    ['a changed signature', SIGNED.replace('0055627c', '1055627c')],
    ['a missing signature', SIGNED.replace(/;chunk-signature=0055\w+/, '')],
    ['a chunk left out', SIGNED.replace(/400;[^]*?(?=0;chunk)/, '')],
  ])('is refused with %s', async (_, body) => {
    await expect(read(body, { seed: SEED })).rejects.toMatchObject({ code: 'SignatureDoesNotMatch' });
  });

  it.each([
    ['cut off', SIGNED.slice(0, 40_000)],
    ['cut off after a chunk', SIGNED.slice(0, 65_622)],
    ['without sizes', 'hello'],
    ['empty', ''],
    ['with an endless line', 'a'.repeat(10_000)],
  ])('is refused when it is %s', async (_, body) => {
    await expect(read(body, {})).rejects.toMatchObject({ code: 'IncompleteBody' });
  });

  it('gives its trailer', async () => {
    const { content, trailer } = await read('3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n', {});

    expect(content).toBe('abc');
    expect(trailer).toEqual(new Map([['x-amz-checksum-crc32', 'NSRBwg==']]));
  });

  it.each([
    ['right', (signature: string) => signature, undefined],
    ['wrong', (signature: string) => signature.replace(/^./, 'x'), { code: 'SignatureDoesNotMatch' }],
  ])('has the signature of its trailer checked: %s', async (_, change, refusal) => {
    const last = sign('AWS4-HMAC-SHA256-PAYLOAD', SEED.signature, sha256(''), sha256(''));
    const trailer = sign('AWS4-HMAC-SHA256-TRAILER', last, sha256('x-amz-checksum-crc32:AAAAAA==\n'));
    const body = `0;chunk-signature=${last}\r\nx-amz-checksum-crc32:AAAAAA==\r\nx-amz-trailer-signature:${change(trailer)}\r\n\r\n`;

    const reading = read(body, { seed: SEED });

    if (refusal) await expect(reading).rejects.toMatchObject(refusal);
    else expect((await reading).trailer).toEqual(new Map([['x-amz-checksum-crc32', 'AAAAAA==']]));
  });
});

async function read(body: string, { seed, size = 1_000 }: { readonly seed?: ChunkSeed; readonly size?: number }) {
  let trailer: ReadonlyMap<string, string> = new Map();
  const parts: Buffer[] = [];
  for await (const part of unchunked(pieces(body, size), { seed, trailer: (fields) => (trailer = fields) }))
    parts.push(part);
  return { content: Buffer.concat(parts).toString(), trailer };
}

async function* pieces(body: string, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < body.length; at += size) yield Buffer.from(body.slice(at, at + size));
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

// By hand, so that the code is not compared with itself.
const sign = (algorithm: string, previous: string, ...hashes: readonly string[]): string => {
  const key = SCOPE.split('/').reduce<string | Buffer>(hmac, `AWS4${SECRET}`);
  return hmac(key, [algorithm, DATE, SCOPE, previous, ...hashes].join('\n')).toString('hex');
};

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
