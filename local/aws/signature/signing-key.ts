import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** The secret of an access key, or `undefined` when there is no such key. */
export type Credentials = (accessKeyId: string) => string | undefined;

/** What a signature is bound to: the part of a credential after the access key. */
export interface Scope {
  /** `YYYYMMDD`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

const keys = new Map<string, Buffer>();
const KEYS_KEPT = 1_000;

/** The key that signs within a scope. (IAM user guide, create a signed request, step 4.) */
export function signingKey(secret: string, { date, region, service }: Scope): Buffer {
  const name = `${secret}/${date}/${region}/${service}`;
  const known = keys.get(name);
  if (known) return known;
  const key = [date, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secret}`) as Buffer; // hmac gives a Buffer, and runs four times
  if (keys.size >= KEYS_KEPT) keys.clear();
  keys.set(name, key);
  return key;
}

/** `<date>/<region>/<service>/aws4_request` */
export const scopeText = ({ date, region, service }: Scope): string => `${date}/${region}/${service}/aws4_request`;

export const sha256Hex = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** Whether this is the signature of the text; takes as long for a wrong one as for the right one. */
export function isSignature(key: Buffer, text: string, signature: string): boolean {
  const expected = Buffer.from(signatureOf(key, text));
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

const signatureOf = (key: Buffer, text: string): string => hmac(key, text).toString('hex');

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}
