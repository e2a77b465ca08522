import * as z from 'zod';

import { badRequest, forbidden, type ServiceRefusal } from '../service-refusal.ts';
import { findSigningKey, verifyText, type Verifier } from './signing-key.ts';

/** A field that a condition covers, and what it must be. */
const match = (kind: string, field: string, value: string) => ({
  kind: kind.toLowerCase(),
  field: field.replace(/^\$/, '').toLowerCase(),
  value,
});

const policySchema = z.object({
  expiration: z.iso.datetime(),
  conditions: z.array(
    z.union([
      z
        .tuple([z.literal('content-length-range'), z.coerce.number(), z.coerce.number()])
        .transform(([, leastBytes, mostBytes]) => ({ leastBytes, mostBytes })),
      z.tuple([z.string(), z.string(), z.string()]).transform((condition) => [match(...condition)]),
      z
        .record(z.string(), z.string())
        .transform((fields) => Object.entries(fields).map(([field, value]) => match('eq', field, value))),
    ]),
  ),
});

type Fields = ReadonlyMap<string, string>;

/** What a form that holds is allowed to upload. */
export interface Permit {
  readonly accessKeyId: string;
  readonly leastBytes: number;
  readonly mostBytes: number;
}

/** Fields that no condition needs to name. (S3 API reference, creating a POST policy, conditions.) */
const FREE = ['policy', 'x-amz-signature', 'file', 'awsaccesskeyid', 'signature'];

/** Verifies the policy of a form: its signature, its time, and every field against its conditions. Field names are lower-case. */
export async function verifyPostPolicy(fields: Fields, bucket: string, verifier: Verifier): Promise<Permit> {
  const policy = fields.get('policy');
  if (policy === undefined) throw forbidden('AccessDenied', 'Access Denied');
  const accessKeyId = await verifyPolicySignature(policy, fields, verifier);
  const { expiration, conditions } = parsePolicy(policy);
  if (Date.parse(expiration) <= verifier.nowMs) throw against('Policy expired.');
  const values = new Map([...fields, ['bucket', bucket]]);
  const covered = new Set(FREE);
  let limits = { leastBytes: 0, mostBytes: Number.MAX_SAFE_INTEGER };
  for (const condition of conditions) {
    if (!Array.isArray(condition)) limits = condition;
    else for (const one of condition) covered.add(verifyMatch(one, values));
  }
  const extra = [...fields.keys()].filter((name) => !covered.has(name) && !name.startsWith('x-ignore-'));
  if (extra.length > 0) throw against(`Extra input fields: ${extra.join(', ')}`);
  return { accessKeyId, ...limits };
}

async function verifyPolicySignature(policy: string, fields: Fields, verifier: Verifier): Promise<string> {
  if (fields.get('x-amz-algorithm') !== 'AWS4-HMAC-SHA256')
    throw badRequest('InvalidArgument', 'POST requires exactly one of each of the x-amz-algorithm fields');
  const key = findSigningKey(fields.get('x-amz-credential'), fields.get('x-amz-date') ?? '', verifier);
  await verifyText(key, policy, fields.get('x-amz-signature') ?? '');
  return key.accessKeyId;
}

// Gives the name of the field that it covers.
function verifyMatch({ kind, field, value }: ReturnType<typeof match>, values: Fields): string {
  const given = values.get(field);
  const holds =
    kind === 'eq'
      ? given === value
      : kind === 'starts-with'
        ? (given ?? '').startsWith(value)
        : invalidPolicy(`unknown condition ${kind}`);
  if (!holds) throw against(`Policy Condition failed: ["${kind}", "$${field}", "${value}"]`);
  return field;
}

function parsePolicy(policy: string): z.infer<typeof policySchema> {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(policy, 'base64').toString());
  } catch {
    return invalidPolicy('Invalid JSON.');
  }
  const parsed = policySchema.safeParse(json);
  return parsed.success ? parsed.data : invalidPolicy('Invalid Simple-Condition.');
}

const against = (reason: string): ServiceRefusal => forbidden('AccessDenied', `Invalid according to Policy: ${reason}`);

function invalidPolicy(reason: string): never {
  throw badRequest('InvalidPolicyDocument', `Invalid Policy: ${reason}`);
}
