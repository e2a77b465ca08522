import { parseAmzDate } from './amz-date.ts';
import { canonicalRequest, queryPairs, splitOnce, type SignedParts } from './canonical-request.ts';
import { ServiceRefusal } from '../service-refusal.ts';
import { isSignature, scopeText, sha256Hex, signingKey, type Credentials, type Scope } from './signing-key.ts';

/** How far a request's date may be from ours. (S3 error responses, RequestTimeTooSkewed.) */
const SKEW_MS = 15 * 60_000;
/** Seven days. (S3 user guide, presigned URLs.) */
const LONGEST_EXPIRY_SECONDS = 604_800;
const ALGORITHM = 'AWS4-HMAC-SHA256';
export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';

/** What the verifying service is. */
export interface Verifier {
  readonly credentials: Credentials;
  readonly region: string;
  readonly service: 's3' | 'sqs' | 'secretsmanager';
  readonly nowMs: number;
}

/** A request whose signature holds; what is signed about its body is still to be compared. */
export interface Verified {
  readonly accessKeyId: string;
  /** What `x-amz-content-sha256` said: a hash, UNSIGNED-PAYLOAD, or STREAMING-…; the given body's hash when it was not sent. */
  readonly payloadHash: string;
  /** What the chunks of a signed stream go on from. */
  readonly seed: ChunkSeed;
}

export interface ChunkSeed {
  readonly key: Buffer;
  readonly amzDate: string;
  readonly scope: string;
  readonly signature: string;
}

interface Claim {
  readonly accessKeyId: string;
  readonly scope: Scope;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly amzDate: string;
  readonly payloadHash: string;
}

/**
 * Verifies a request's SigV4 signature, in its header or its query; throws ServiceRefusal with S3's codes.
 * `body` is given by services that read it whole first: its hash is then what must have been signed.
 */
export function verifySignature(request: SignedParts, verifier: Verifier, body?: Uint8Array): Verified {
  const query = new Map(queryPairs(splitOnce(request.url, '?')[1] ?? ''));
  const bodyHash = body && sha256Hex(body);
  // Signature version 2, which buckets made since June 2020 refuse. (S3 user guide, authenticating requests.)
  if (query.has('Signature') && query.has('AWSAccessKeyId')) throw unsupported();
  const claim = query.has('X-Amz-Algorithm')
    ? presignedClaim(query, verifier)
    : headerClaim(request.headers, verifier, bodyHash);
  return verifyClaim(request, claim, verifier);
}

function headerClaim(headers: SignedParts['headers'], verifier: Verifier, bodyHash?: string): Claim {
  const authorization = headers['authorization']?.[0];
  if (authorization === undefined) throw new ServiceRefusal(403, 'AccessDenied', 'Access Denied');
  const [algorithm, fields = ''] = splitOnce(authorization, ' ');
  if (algorithm !== ALGORITHM) throw unsupported();
  const parts = new Map(fields.split(',').map((field) => fieldIn(field.trim())));
  const amzDate = headers['x-amz-date']?.[0] ?? '';
  checkSkew(amzDate, verifier.nowMs);
  const payloadHash = bodyHash ?? headers['x-amz-content-sha256']?.[0];
  if (payloadHash === undefined) throw invalid('Missing required header for this request: x-amz-content-sha256');
  return {
    ...credentialIn(parts.get('Credential'), amzDate, verifier),
    signedHeaders: signedHeadersIn(parts.get('SignedHeaders')),
    signature: parts.get('Signature') ?? malformed('the Authorization header has no Signature'),
    amzDate,
    payloadHash,
  };
}

function presignedClaim(query: ReadonlyMap<string, string>, verifier: Verifier): Claim {
  if (query.get('X-Amz-Algorithm') !== ALGORITHM) throw unsupported();
  const amzDate = query.get('X-Amz-Date') ?? '';
  checkExpiry(amzDate, query.get('X-Amz-Expires') ?? '', verifier.nowMs);
  return {
    ...credentialIn(query.get('X-Amz-Credential'), amzDate, verifier),
    signedHeaders: signedHeadersIn(query.get('X-Amz-SignedHeaders')),
    signature: query.get('X-Amz-Signature') ?? '',
    amzDate,
    payloadHash: query.get('X-Amz-Content-Sha256') ?? UNSIGNED_PAYLOAD,
  };
}

function verifyClaim(request: SignedParts, claim: Claim, verifier: Verifier): Verified {
  checkCoverage(request.headers, claim.signedHeaders);
  const key = signingKey(secretOf(claim.accessKeyId, verifier.credentials), claim.scope);
  const canonical = canonicalRequest(request, { ...claim, service: verifier.service });
  const scope = scopeText(claim.scope);
  const toSign = [ALGORITHM, claim.amzDate, scope, sha256Hex(canonical)].join('\n');
  if (!isSignature(key, toSign, claim.signature)) {
    throw doesNotMatch({ AWSAccessKeyId: claim.accessKeyId, StringToSign: toSign, CanonicalRequest: canonical });
  }
  const seed = { key, amzDate: claim.amzDate, scope, signature: claim.signature };
  return { accessKeyId: claim.accessKeyId, payloadHash: claim.payloadHash, seed };
}

/** The secret of a key; throws InvalidAccessKeyId when nobody has it. */
export function secretOf(accessKeyId: string, credentials: Credentials): string {
  const secret = credentials(accessKeyId);
  if (secret !== undefined) return secret;
  const message = 'The AWS Access Key Id you provided does not exist in our records.';
  throw new ServiceRefusal(403, 'InvalidAccessKeyId', message, { AWSAccessKeyId: accessKeyId });
}

/** The refusal of a wrong signature; the key itself is in none of its details. */
export function doesNotMatch(details: Readonly<Record<string, string>>): ServiceRefusal {
  const message =
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.';
  return new ServiceRefusal(403, 'SignatureDoesNotMatch', message, details);
}

/** Reads `<access key>/<date>/<region>/<service>/aws4_request`, which must be of this day, region and service. */
export function credentialIn(
  credential: string | undefined,
  amzDate: string,
  { region, service }: Pick<Verifier, 'region' | 'service'>,
): { readonly accessKeyId: string; readonly scope: Scope } {
  const [accessKeyId, date, ...rest] = credential?.split('/') ?? [];
  if (!accessKeyId || !date || rest.length !== 3)
    return malformed('the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request"');
  if (rest[0] !== region)
    return malformed(`the region '${rest[0]}' is wrong; expecting '${region}'`, { Region: region });
  if (rest[1] !== service || rest[2] !== 'aws4_request')
    return malformed(`incorrect service "${rest[1]}". This endpoint belongs to "${service}"`);
  if (!amzDate.startsWith(date))
    return malformed(
      `Invalid credential date "${date}". This date is not the same as X-Amz-Date: "${amzDate.slice(0, 8)}"`,
    );
  return { accessKeyId, scope: { date, region, service } };
}

function fieldIn(field: string): readonly [name: string, value: string] {
  const [name, value = ''] = splitOnce(field, '=');
  return [name, value];
}

function signedHeadersIn(text: string | undefined): readonly string[] {
  return text ? text.split(';') : malformed('SignedHeaders are missing');
}

// An x-amz header that nobody signed could be slipped in on the way.
function checkCoverage(headers: SignedParts['headers'], signed: readonly string[]): void {
  const unsigned = Object.keys(headers).filter((name) => name.startsWith('x-amz-') && !signed.includes(name));
  if (!signed.includes('host')) unsigned.push('host');
  if (unsigned.length === 0) return;
  throw new ServiceRefusal(403, 'AccessDenied', 'There were headers present in the request which were not signed', {
    HeadersNotSigned: unsigned.join(', '),
  });
}

function checkSkew(amzDate: string, nowMs: number): void {
  const requestMs = parseAmzDate(amzDate);
  if (requestMs === undefined) {
    throw new ServiceRefusal(403, 'AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header');
  }
  if (Math.abs(nowMs - requestMs) <= SKEW_MS) return;
  const message = 'The difference between the request time and the current time is too large.';
  throw new ServiceRefusal(403, 'RequestTimeTooSkewed', message, {
    RequestTime: amzDate,
    ServerTime: new Date(nowMs).toISOString(),
    MaxAllowedSkewMilliseconds: SKEW_MS,
  });
}

function checkExpiry(amzDate: string, expires: string, nowMs: number): void {
  const signedMs = parseAmzDate(amzDate);
  const seconds = Number(expires);
  if (signedMs === undefined)
    throw parameters("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  if (!/^\d+$/.test(expires) || seconds < 1)
    throw parameters('X-Amz-Expires must be a number of seconds greater than 0');
  if (seconds > LONGEST_EXPIRY_SECONDS)
    throw parameters('X-Amz-Expires must be less than a week (in seconds) that is 604800');
  if (signedMs > nowMs + SKEW_MS) throw new ServiceRefusal(403, 'AccessDenied', 'Request is not yet valid');
  const endMs = signedMs + seconds * 1_000;
  if (nowMs < endMs) return;
  throw new ServiceRefusal(403, 'AccessDenied', 'Request has expired', {
    'X-Amz-Expires': seconds,
    Expires: new Date(endMs).toISOString(),
    ServerTime: new Date(nowMs).toISOString(),
  });
}

const parameters = (message: string): ServiceRefusal =>
  new ServiceRefusal(400, 'AuthorizationQueryParametersError', message);

const invalid = (message: string): ServiceRefusal => new ServiceRefusal(400, 'InvalidRequest', message);

const unsupported = (): ServiceRefusal =>
  invalid('The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.');

function malformed(reason: string, details: Readonly<Record<string, string>> = {}): never {
  const message = `The authorization header is malformed; ${reason}`;
  throw new ServiceRefusal(400, 'AuthorizationHeaderMalformed', message, details);
}
