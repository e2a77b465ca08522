import { createHash } from 'node:crypto';

import { badRequest, forbidden, type ServiceRefusal } from '../service-refusal.ts';
import { findSigningKey, malformed, parseAmzDate, verifySame, type SigningKey, type Verifier } from './signing-key.ts';
import { decodePart, encodePart, splitUrl } from './url.ts';

/** How far a request's date may be from ours. (S3 error responses, RequestTimeTooSkewed.) */
const SKEW_MS = 15 * 60_000;
/** Seven days. (S3 user guide, presigned URLs.) */
const LONGEST_EXPIRY_SECONDS = 604_800;
const ALGORITHM = 'AWS4-HMAC-SHA256';
const CONTENT_HASH = 'x-amz-content-sha256';
export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';

/** The parts of an HTTP request that a signature covers. Header names are lower-case, as in Node's `headersDistinct`. */
export interface SignedParts {
  readonly method: string;
  /** As it was sent: path and query. */
  readonly url: string;
  readonly headers: NodeJS.Dict<string[]>;
}

/** A request whose signature holds; what is signed about its body is still to be compared. */
export interface Verified {
  readonly accessKeyId: string;
  /** What `x-amz-content-sha256` said: a hash, UNSIGNED-PAYLOAD, or STREAMING-…; the hash of the body where that was given. */
  readonly payloadHash: string;
  readonly seed: ChunkSeed;
}

/** What the signatures of a stream's chunks go on from. */
export interface ChunkSeed {
  readonly key: SigningKey;
  readonly signature: string;
}

interface Claim extends ChunkSeed {
  readonly signedHeaders: readonly string[];
  readonly payloadHash: string;
  /** Of a presigned URL. */
  readonly expiresIn?: number;
}

/**
 * Verifies a request's SigV4 signature, in its header or its query, by signing it again; throws ServiceRefusal with S3's codes.
 * `body` is given by services that read it whole first: its hash is then what must have been signed.
 */
export async function verifySignature(request: SignedParts, verifier: Verifier, body?: Uint8Array): Promise<Verified> {
  const { query } = splitUrl(request.url);
  // Signature version 2, which buckets made since June 2020 refuse. (S3 user guide, authenticating requests.)
  if (query.has('Signature') && query.has('AWSAccessKeyId')) throw unsupported();
  const claim = query.has('X-Amz-Algorithm')
    ? presignedClaim(query, request.headers, verifier)
    : headerClaim(request.headers, verifier, body);
  checkCoverage(request.headers, claim.signedHeaders);
  const { key, signature, payloadHash } = claim;
  verifySame(key, await signAgain(request, claim, body), signature);
  return { accessKeyId: key.accessKeyId, payloadHash, seed: { key, signature } };
}

function headerClaim(headers: SignedParts['headers'], verifier: Verifier, body?: Uint8Array): Claim {
  const authorization = headers['authorization']?.[0];
  if (authorization === undefined) throw forbidden('AccessDenied', 'Access Denied');
  if (!authorization.startsWith(`${ALGORITHM} `)) throw unsupported();
  const fields = new Map([...authorization.matchAll(/(\w+)=([^ ,]*)/g)].map(([, name, value]) => [name, value]));
  const amzDate = headers['x-amz-date']?.[0] ?? '';
  checkSkew(amzDate, verifier.nowMs);
  const payloadHash = body ? createHash('sha256').update(body).digest('hex') : headers[CONTENT_HASH]?.[0];
  if (payloadHash === undefined) throw invalid(`Missing required header for this request: ${CONTENT_HASH}`);
  return {
    key: findSigningKey(fields.get('Credential'), amzDate, verifier),
    signedHeaders: signedHeadersIn(fields.get('SignedHeaders')),
    signature: fields.get('Signature') ?? malformed('the Authorization header has no Signature'),
    payloadHash,
  };
}

function presignedClaim(query: URLSearchParams, headers: SignedParts['headers'], verifier: Verifier): Claim {
  if (query.get('X-Amz-Algorithm') !== ALGORITHM) throw unsupported();
  const amzDate = query.get('X-Amz-Date') ?? '';
  const expiresIn = checkExpiry(amzDate, query.get('X-Amz-Expires') ?? '', verifier.nowMs);
  return {
    key: findSigningKey(query.get('X-Amz-Credential') ?? undefined, amzDate, verifier),
    signedHeaders: signedHeadersIn(query.get('X-Amz-SignedHeaders') ?? undefined),
    signature: query.get('X-Amz-Signature') ?? '',
    payloadHash: query.get('X-Amz-Content-Sha256') ?? headers[CONTENT_HASH]?.[0] ?? UNSIGNED_PAYLOAD,
    expiresIn,
  };
}

async function signAgain(request: SignedParts, claim: Claim, body: Uint8Array | undefined): Promise<string> {
  const { key, signedHeaders, payloadHash, expiresIn } = claim;
  const { path, query } = splitUrl(request.url);
  const names = new Set(signedHeaders);
  const headers = Object.fromEntries(signedHeaders.map((name) => [name, (request.headers[name] ?? []).join(',')]));
  // The hash of the body that came, not the one that was claimed for it.
  if (names.has(CONTENT_HASH)) headers[CONTENT_HASH] = payloadHash;
  const toSign = {
    method: request.method,
    protocol: 'http:',
    hostname: '',
    path: key.scope.endsWith('/s3/aws4_request') ? encodeOnce(path) : path,
    query: Object.fromEntries([...query.keys()].map((name) => [name, query.getAll(name)])),
    headers,
    // Without a hash in the headers the package hashes text and bytes; all else it signs as UNSIGNED-PAYLOAD.
    body: body ?? {},
  };
  const options = { signingDate: key.signingDate, signableHeaders: names };
  if (expiresIn === undefined) {
    const signed = await key.signer.sign(toSign, options);
    return signed.headers['authorization']?.replace(/^.*Signature=/, '') ?? '';
  }
  // The package moves this header into the query, where it was found, and reads the hash from it.
  const hash = query.get('X-Amz-Content-Sha256');
  if (hash !== null) headers['X-Amz-Content-Sha256'] = hash;
  const presigned = await key.signer.presign(toSign, { ...options, expiresIn, unhoistableHeaders: names });
  return String(presigned.query?.['X-Amz-Signature']);
}

const encodeOnce = (path: string): string => path.replace(/[^/]+/g, (part) => encodePart(decodePart(part)));

function signedHeadersIn(text: string | undefined): readonly string[] {
  return text ? text.split(';') : malformed('SignedHeaders are missing');
}

// An x-amz header that nobody signed could be slipped in on the way.
function checkCoverage(headers: SignedParts['headers'], signed: readonly string[]): void {
  const unsigned = Object.keys(headers).filter((name) => name.startsWith('x-amz-') && !signed.includes(name));
  if (!signed.includes('host')) unsigned.push('host');
  if (unsigned.length === 0) return;
  throw forbidden('AccessDenied', 'There were headers present in the request which were not signed', {
    HeadersNotSigned: unsigned.join(', '),
  });
}

function checkSkew(amzDate: string, nowMs: number): void {
  const requestMs = parseAmzDate(amzDate);
  if (requestMs === undefined)
    throw forbidden('AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header');
  if (Math.abs(nowMs - requestMs) <= SKEW_MS) return;
  const message = 'The difference between the request time and the current time is too large.';
  throw forbidden('RequestTimeTooSkewed', message, {
    RequestTime: amzDate,
    ServerTime: new Date(nowMs).toISOString(),
    MaxAllowedSkewMilliseconds: SKEW_MS,
  });
}

/** The seconds for which the URL holds, once it is known to hold now. */
function checkExpiry(amzDate: string, expires: string, nowMs: number): number {
  const signedMs = parseAmzDate(amzDate);
  const seconds = Number(expires);
  if (signedMs === undefined)
    throw parameters("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  if (!/^\d+$/.test(expires) || seconds < 1)
    throw parameters('X-Amz-Expires must be a number of seconds greater than 0');
  if (seconds > LONGEST_EXPIRY_SECONDS)
    throw parameters('X-Amz-Expires must be less than a week (in seconds) that is 604800');
  if (signedMs > nowMs + SKEW_MS) throw forbidden('AccessDenied', 'Request is not yet valid');
  const endMs = signedMs + seconds * 1_000;
  if (nowMs < endMs) return seconds;
  throw forbidden('AccessDenied', 'Request has expired', {
    'X-Amz-Expires': seconds,
    Expires: new Date(endMs).toISOString(),
    ServerTime: new Date(nowMs).toISOString(),
  });
}

const parameters = (message: string): ServiceRefusal => badRequest('AuthorizationQueryParametersError', message);

const invalid = (message: string): ServiceRefusal => badRequest('InvalidRequest', message);

const unsupported = (): ServiceRefusal =>
  invalid('The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.');
