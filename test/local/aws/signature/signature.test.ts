import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { verifySignature } from '../../../../local/aws/signature/signature.ts';
import { findSigningKey } from '../../../../local/aws/signature/signing-key.ts';

// The examples of the S3 API reference, "Signature calculations for the authorization header" and "… query parameters".
const KEY = { id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
const EMPTY = createHash('sha256').digest('hex');
const NOW = Date.parse('2013-05-24T00:00:00Z');
const HOST = 'examplebucket.s3.amazonaws.com';
const PRESIGNED =
  '/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request' +
  '&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host' +
  '&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404';

describe('the signatures that AWS documents', () => {
  it.each([
    [
      'GET of an object',
      '/test.txt',
      { range: 'bytes=0-9' },
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ],
    [
      'GET of a bucket lifecycle',
      '/?lifecycle',
      {},
      'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
    ],
    ['a listing', '/?max-keys=2&prefix=J', {}, '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
  ])('holds for %s', async (_, url, more, signature) => {
    const verified = await verify(url, signature, more);

    expect(verified.accessKeyId).toBe(KEY.id);
  });

  it('holds for a presigned URL', async () => {
    const headers = { host: [HOST] };

    expect((await verifySignature({ method: 'GET', url: PRESIGNED, headers }, verifier())).accessKeyId).toBe(KEY.id);
  });
});

describe('a signature', () => {
  const good = 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41';
  const range = { range: 'bytes=0-9' };

  it.each([
    ['another path', () => verify('/other.txt', good, range), 'SignatureDoesNotMatch'],
    ['another query', () => verify('/test.txt?a=b', good, range), 'SignatureDoesNotMatch'],
    ['another header', () => verify('/test.txt', good, { range: 'bytes=0-10' }), 'SignatureDoesNotMatch'],
    ['no signature at all', () => verify('/test.txt', '', range), 'SignatureDoesNotMatch'],
    ['a shorter one', () => verify('/test.txt', good.slice(0, -1), range), 'SignatureDoesNotMatch'],
    ['another secret', () => verify('/test.txt', good, range, { credentials: () => 'other' }), 'SignatureDoesNotMatch'],
    ['an unknown key', () => verify('/test.txt', good, range, { credentials: () => undefined }), 'InvalidAccessKeyId'],
    ['16 minutes later', () => verify('/test.txt', good, range, { nowMs: NOW + 960_000 }), 'RequestTimeTooSkewed'],
    ['16 minutes early', () => verify('/test.txt', good, range, { nowMs: NOW - 960_000 }), 'RequestTimeTooSkewed'],
    ['another region', () => verify('/test.txt', good, range, { region: 'eu-west-1' }), 'AuthorizationHeaderMalformed'],
    ['another service', () => verify('/test.txt', good, range, { service: 'sqs' }), 'AuthorizationHeaderMalformed'],
    [
      'a header that nobody signed',
      () => verify('/test.txt', good, range, {}, { 'x-amz-acl': ['public-read'] }),
      'AccessDenied',
    ],
  ])('does not hold for %s', async (_, attempt, code) => {
    await expect(attempt()).rejects.toThrow(expect.objectContaining({ code }));
  });

  it('is needed', async () => {
    await expect(verifySignature({ method: 'GET', url: '/', headers: { host: [HOST] } }, verifier())).rejects.toThrow(
      expect.objectContaining({ code: 'AccessDenied', status: 403 }),
    );
  });
});

describe('a presigned URL', () => {
  it('is refused when it is signed as it was before 2014', async () => {
    const url =
      '/test.txt?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=vjbyPxybdZaNmGa%2ByT272YEAiv4%3D&Expires=1369353600';

    await expect(verifySignature({ method: 'GET', url, headers: { host: [HOST] } }, verifier())).rejects.toThrow(
      /Please use AWS4-HMAC-SHA256/,
    );
  });

  it.each([
    ['after its time', presignedAt(86_400_000), 'Request has expired'],
    ['before its time', presignedAt(-960_000), 'Request is not yet valid'],
  ])('is refused %s', async (_, attempt, message) => {
    await expect(attempt()).rejects.toThrow(expect.objectContaining({ code: 'AccessDenied', message }));
  });

  it('holds to its last millisecond', async () => {
    expect((await presignedAt(86_399_999)()).accessKeyId).toBe(KEY.id);
  });

  it('cannot be made to last longer', async () => {
    const url = PRESIGNED.replace('X-Amz-Expires=86400', 'X-Amz-Expires=604800');

    await expect(verifySignature({ method: 'GET', url, headers: { host: [HOST] } }, verifier())).rejects.toThrow(
      expect.objectContaining({ code: 'SignatureDoesNotMatch' }),
    );
  });

  it.each(['604801', '0', '-1', '1e3', ''])('cannot last %j seconds', async (seconds) => {
    const url = PRESIGNED.replace('X-Amz-Expires=86400', `X-Amz-Expires=${seconds}`);

    await expect(verifySignature({ method: 'GET', url, headers: { host: [HOST] } }, verifier())).rejects.toThrow(
      expect.objectContaining({ code: 'AuthorizationQueryParametersError' }),
    );
  });
});

describe('a body that a service reads whole', () => {
  const BODY = '{"QueueUrl":"q"}';

  it.each([
    ['with its hash in a header', { 'x-amz-content-sha256': createHash('sha256').update(BODY).digest('hex') }],
    ['without', {}],
  ])('is what was signed, %s', async (_, hash) => {
    const { signer, signingDate } = signedBy('sqs');
    const sent = { ...SENT, method: 'POST', path: '/', headers: { ...SENT.headers, ...hash }, body: BODY };
    const { headers } = await signer.sign(sent, { signingDate });
    const request = { method: 'POST', url: '/', headers: distinct(headers) };
    const sqs = verifier({ service: 'sqs' });

    expect((await verifySignature(request, sqs, Buffer.from(BODY))).accessKeyId).toBe(KEY.id);
    await expect(verifySignature(request, sqs, Buffer.from('{}'))).rejects.toThrow(
      expect.objectContaining({ code: 'SignatureDoesNotMatch' }),
    );
  });
});

describe('a URL that names the hash of its body', () => {
  it.each(['UNSIGNED-PAYLOAD', EMPTY])('has that signed: %s', async (payloadHash) => {
    const { signer, signingDate } = signedBy('s3');
    const headers = { ...SENT.headers, 'X-Amz-Content-Sha256': payloadHash };
    const { query = {} } = await signer.presign({ ...SENT, method: 'PUT', path: '/a%20b', headers }, { signingDate });
    const pairs = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
    const request = { method: 'PUT', url: `/a%20b?${pairs.join('&')}`, headers: distinct(SENT.headers) };

    expect(await verifySignature(request, verifier())).toMatchObject({ accessKeyId: KEY.id, payloadHash });
    const url = request.url.replace(/(?<=Content-Sha256=)[^&]+/, 'STREAMING-UNSIGNED-PAYLOAD-TRAILER');
    await expect(verifySignature({ ...request, url }, verifier())).rejects.toThrow(
      expect.objectContaining({ code: 'SignatureDoesNotMatch' }),
    );
  });
});

const SENT = { protocol: 'https:', hostname: HOST, headers: { host: HOST } };

const signedBy = (service: 's3' | 'sqs') =>
  findSigningKey(`${KEY.id}/20130524/us-east-1/${service}/aws4_request`, '20130524T000000Z', verifier({ service }));

const distinct = (headers: Readonly<Record<string, string>>): Record<string, string[]> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));

function presignedAt(afterMs: number) {
  return () =>
    verifySignature({ method: 'GET', url: PRESIGNED, headers: { host: [HOST] } }, verifier({ nowMs: NOW + afterMs }));
}

function verifier(other: Partial<Parameters<typeof verifySignature>[1]> = {}) {
  const credentials = (id: string): string | undefined => (id === KEY.id ? KEY.secret : undefined);
  return { credentials, region: 'us-east-1', service: 's3', nowMs: NOW, ...other } as const;
}

function verify(
  url: string,
  signature: string,
  more: Readonly<Record<string, string>>,
  other: Partial<Parameters<typeof verifySignature>[1]> = {},
  unsigned: Readonly<Record<string, string[]>> = {},
) {
  const signed = { host: HOST, ...more, 'x-amz-content-sha256': EMPTY, 'x-amz-date': '20130524T000000Z' };
  const authorization = `AWS4-HMAC-SHA256 Credential=${KEY.id}/20130524/us-east-1/s3/aws4_request,SignedHeaders=${Object.keys(signed).join(';')},Signature=${signature}`;
  const headers = Object.fromEntries(
    Object.entries({ ...signed, authorization }).map(([name, value]) => [name, [value]]),
  );
  return verifySignature({ method: 'GET', url, headers: { ...headers, ...unsigned } }, verifier(other));
}
