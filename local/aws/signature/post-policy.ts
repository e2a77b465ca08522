import * as z from 'zod';

import { ServiceRefusal } from '../service-refusal.ts';
import { findSigningKey, verifyText, type Verifier } from './signing-key.ts';

const policySchema = z.object({
  expiration: z.iso.datetime(),
  conditions: z.array(
    z.union([
      z.tuple([z.literal('content-length-range'), z.coerce.number(), z.coerce.number()]),
      z.tuple([z.string(), z.string(), z.string()]),
      z.record(z.string(), z.string()),
    ]),
  ),
});

/** What a form that holds is allowed to upload. */
export interface Permit {
  readonly accessKeyId: string;
  readonly leastBytes: number;
  readonly mostBytes: number;
}

/** Fields that no condition needs to name. (S3 API reference, creating a POST policy, conditions.) */
const FREE = ['policy', 'x-amz-signature', 'file', 'awsaccesskeyid', 'signature'];

/** Verifies the policy of a form: its signature, its time, and every field against its conditions. Field names are lower-case. */
export async function verifyPostPolicy(
  fields: ReadonlyMap<string, string>,
  bucket: string,
  verifier: Verifier,
): Promise<Permit> {
  const policy = fields.get('policy');
  if (policy === undefined) throw new ServiceRefusal(403, 'AccessDenied', 'Access Denied');
  const accessKeyId = await verifyPolicySignature(policy, fields, verifier);
  const { expiration, conditions } = parsePolicy(policy);
  if (Date.parse(expiration) <= verifier.nowMs) throw against('Policy expired.');
  const values = new Map([...fields, ['bucket', bucket]]);
  const covered = new Set(FREE);
  let [leastBytes, mostBytes] = [0, Number.MAX_SAFE_INTEGER];
  for (const condition of conditions) {
    if (isRange(condition)) [, leastBytes, mostBytes] = condition;
    else for (const match of matchesIn(condition)) covered.add(verifyMatch(match, values));
  }
  const extra = [...fields.keys()].filter((name) => !covered.has(name) && !name.startsWith('x-ignore-'));
  if (extra.length > 0) throw against(`Extra input fields: ${extra.join(', ')}`);
  return { accessKeyId, leastBytes, mostBytes };
}

async function verifyPolicySignature(
  policy: string,
  fields: ReadonlyMap<string, string>,
  verifier: Verifier,
): Promise<string> {
  if (fields.get('x-amz-algorithm') !== 'AWS4-HMAC-SHA256') {
    throw new ServiceRefusal(400, 'InvalidArgument', 'POST requires exactly one of each of the x-amz-algorithm fields');
  }
  const key = findSigningKey(fields.get('x-amz-credential'), fields.get('x-amz-date') ?? '', verifier);
  await verifyText(key, policy, fields.get('x-amz-signature') ?? '');
  return key.accessKeyId;
}

type Condition = z.infer<typeof policySchema>['conditions'][number];
type Range = [kind: 'content-length-range', least: number, most: number];

interface Match {
  readonly kind: string;
  readonly field: string;
  readonly value: string;
}

const isRange = (condition: Condition): condition is Range =>
  Array.isArray(condition) && condition[0] === 'content-length-range';

function matchesIn(condition: Exclude<Condition, Range>): readonly Match[] {
  if (!Array.isArray(condition)) {
    return Object.entries(condition).map(([field, value]) => ({ kind: 'eq', field: field.toLowerCase(), value }));
  }
  const [kind, field, value] = condition;
  return [{ kind: kind.toLowerCase(), field: String(field).replace(/^\$/, '').toLowerCase(), value: String(value) }];
}

// Gives the name of the field that it covers.
function verifyMatch({ kind, field, value }: Match, values: ReadonlyMap<string, string>): string {
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

const against = (reason: string): ServiceRefusal =>
  new ServiceRefusal(403, 'AccessDenied', `Invalid according to Policy: ${reason}`);

function invalidPolicy(reason: string): never {
  throw new ServiceRefusal(400, 'InvalidPolicyDocument', `Invalid Policy: ${reason}`);
}
