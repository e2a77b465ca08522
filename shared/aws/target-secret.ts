import * as z from 'zod';

import { isToken, parseAddress, type Target } from '../target.ts';
import { TargetUnreadable } from '../port-errors.ts';

/** Atlassian's own address for the organisation's APIs and for scoped tokens. */
const API_URL = 'https://api.atlassian.com';

const string = z.string({ error: ({ input }) => (input === undefined ? 'missing' : 'must be text') });
const text = string.trim().min(1, 'must not be empty');

const token = text.refine(isToken, 'must be printable ASCII without spaces');

const address = string.trim().transform((url, context) => {
  const parsed = parseAddress(url);
  if (parsed !== undefined) return parsed;
  context.addIssue('must be an https address without credentials, query or fragment (http only on loopback)');
  return z.NEVER;
});

const cloud = z.strictObject({
  type: z.literal('cloud'),
  siteUrl: address,
  email: text,
  apiToken: token,
  orgId: text.optional(),
  orgApiKey: token.optional(),
  cloudId: text.optional(),
  directoryId: text.optional(),
  apiUrl: address.default(API_URL),
  defaultProducts: z.array(text, 'must be a list of product names').optional(),
});

const dataCenter = z.strictObject({ type: z.literal('data-center'), baseUrl: address, token });

const secret = z.discriminatedUnion('type', [cloud, dataCenter], {
  error: ({ code }) =>
    code === 'invalid_union'
      ? 'must be "cloud" or "data-center"'
      : 'must be an object whose type is "cloud" or "data-center"',
});

/** A target's secret, parsed; throws TargetUnreadable that names every field at fault at once and shows no value. */
export function parseTarget(name: string, json: string): Target {
  const parsed = secret.safeParse(jsonIn(name, json));
  if (parsed.success) return { name, ...parsed.data };
  throw unreadable(name, parsed.error.issues.map(faultIn).join('; '));
}

const faultIn = (issue: z.core.$ZodIssue): string =>
  issue.code === 'unrecognized_keys'
    ? `${issue.keys.join(', ')}: no field of such a secret`
    : `${issue.path.join('.') || 'the secret'}: ${issue.message}`;

function jsonIn(name: string, json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    // Its message quotes the text, which is the secret: so it is not kept as the cause.
    throw unreadable(name, 'it is not JSON');
  }
}

const unreadable = (name: string, faults: string): TargetUnreadable =>
  new TargetUnreadable(`The secret of target ${name} cannot be used: ${faults}. Correct the secret.`);
