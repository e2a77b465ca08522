import { createHash, createHmac, timingSafeEqual, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';

import { badRequest, forbidden } from '../service-refusal.ts';

/** The secret of an access key, or `undefined` when there is no such key. */
export type Credentials = (accessKeyId: string) => string | undefined;

/** The service that verifies. */
export interface Verifier {
  readonly credentials: Credentials;
  readonly region: string;
  readonly service: 's3' | 'sqs' | 'sns' | 'secretsmanager' | 'lambda';
  readonly nowMs: number;
}

/** A known key on one day, with which a received request is signed again. */
export interface SigningKey {
  readonly accessKeyId: string;
  readonly signer: SignatureV4;
  /** Like `20261121T080000Z`. */
  readonly amzDate: string;
  readonly signingDate: Date;
  /** `<date>/<region>/<service>/aws4_request` */
  readonly scope: string;
}

/** Finds the key that `<access key>/<date>/<region>/<service>/aws4_request` names; it must be of this day, region and service. */
export function findSigningKey(credential: string | undefined, amzDate: string, verifier: Verifier): SigningKey {
  const { region, service, credentials } = verifier;
  const [accessKeyId, date, ...rest] = credential?.split('/') ?? [];
  if (!accessKeyId || !date || rest.length !== 3)
    return malformed('the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request"');
  if (rest[0] !== region)
    return malformed(`the region '${rest[0]}' is wrong; expecting '${region}'`, { Region: region });
  if (rest[1] !== service || rest[2] !== 'aws4_request')
    return malformed(`incorrect service "${rest[1]}". This endpoint belongs to "${service}"`);
  const signedMs = parseAmzDate(amzDate);
  if (signedMs === undefined || !amzDate.startsWith(`${date}T`))
    return malformed(
      `Invalid credential date "${date}". This date is not the same as X-Amz-Date: "${amzDate.slice(0, 8)}"`,
    );
  const secretAccessKey = credentials(accessKeyId) ?? unknownKey(accessKeyId);
  const signer = new SignatureV4({
    credentials: { accessKeyId, secretAccessKey },
    region,
    service,
    sha256: Sha256,
    // S3 alone encodes the path once; every other service encodes what was sent once more.
    uriEscapePath: service !== 's3',
    applyChecksum: false,
  });
  const scope = `${date}/${region}/${service}/aws4_request`;
  return { accessKeyId, signer, amzDate, signingDate: new Date(signedMs), scope };
}

/** Throws SignatureDoesNotMatch unless this is the key's signature of the text. */
export async function verifyText(key: SigningKey, text: string, signature: string): Promise<void> {
  const { signer, signingDate } = key;
  verifySame(key, await signer.sign(text, { signingDate }), signature);
}

/** Throws SignatureDoesNotMatch unless the two are the same; takes as long for a wrong signature as for the right one. */
export function verifySame({ accessKeyId }: SigningKey, expected: string, signature: string): void {
  const [left, right] = [Buffer.from(expected), Buffer.from(signature)];
  if (left.length === right.length && timingSafeEqual(left, right)) return;
  const message =
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.';
  const details = { AWSAccessKeyId: accessKeyId, SignatureProvided: signature };
  throw forbidden('SignatureDoesNotMatch', message, details);
}

/** Throws AuthorizationHeaderMalformed. */
export function malformed(reason: string, details: Readonly<Record<string, string>> = {}): never {
  const message = `The authorization header is malformed; ${reason}`;
  throw badRequest('AuthorizationHeaderMalformed', message, details);
}

/** Epoch milliseconds of a date like `20261121T080000Z`, or `undefined` when it is none. */
export function parseAmzDate(text: string): number | undefined {
  const iso = text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
  const ms = iso === text ? Number.NaN : Date.parse(iso);
  return Number.isNaN(ms) ? undefined : ms;
}

function unknownKey(accessKeyId: string): never {
  const message = 'The AWS Access Key Id you provided does not exist in our records.';
  throw forbidden('InvalidAccessKeyId', message, { AWSAccessKeyId: accessKeyId });
}

/** The hash in the shape that the package asks for: with a secret, an HMAC. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    // The package gives texts, and digests of this class.
    this.#hash = secret ? createHmac('sha256', secret as string | Uint8Array) : createHash('sha256');
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }
}
