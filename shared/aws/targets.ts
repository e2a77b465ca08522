import {
  GetSecretValueCommand,
  paginateListSecrets,
  SecretsManagerServiceException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';

import { type Clock, type TargetNames, type Targets, TargetUnreadable } from '../ports.ts';
import { isToken, parseAddress, secretPrefixOf, type Target } from '../target.ts';

const KEPT_MS = 60_000;
/** Also how long a failure, or that there is no such secret, is believed. */
const FRESH_MS = 1_000;

interface Kept {
  readonly target: Promise<Target | undefined>;
  readonly readAtMs: number;
  keptMs: number;
}

interface Source {
  readonly client: SecretsManagerClient;
  /** What the names of the secrets begin with. */
  readonly prefix: string;
  readonly clock: Clock;
}

/** The targets out of Secrets Manager: each read at most once a minute, or once a second when a fresh one is asked for. */
export function secretsManagerTargets(source: Source): Targets {
  const kept = new Map<string, Kept>();
  return {
    secretNameOf: (name) => source.prefix + name,
    find: async (name, { fresh = false } = {}) => {
      if (!CAN_BE_NAME.test(name)) return undefined;
      const nowMs = source.clock.now().getTime();
      const known = kept.get(name);
      if (known && nowMs - known.readAtMs < (fresh ? FRESH_MS : known.keptMs)) return known.target;
      const reading = { target: read(source, name), readAtMs: nowMs, keptMs: KEPT_MS };
      kept.set(name, reading);
      shortenUnlessFound(reading);
      return reading.target;
    },
  };
}

/** The names of the targets whose secrets there are. (Secrets Manager API reference, ListSecrets: a name filter is a prefix.) */
export const secretsManagerTargetNames = ({ client, prefix }: Omit<Source, 'clock'>): TargetNames => ({
  list: async () => {
    const names: string[] = [];
    const pages = paginateListSecrets({ client }, { Filters: [{ Key: 'name', Values: [prefix] }] });
    for await (const { SecretList: secrets = [] } of pages)
      for (const { Name: name = '' } of secrets) {
        const target = name.slice(prefix.length);
        // Under the prefix of a stage without a name lie the targets of other stages, too.
        if (name.startsWith(prefix) && CAN_BE_NAME.test(target)) names.push(target);
      }
    return names.filter((name) => CAN_BE_NAME.test(name)).toSorted();
  },
});

// Secrets Manager answers any other name with a fault of the request. (CreateSecret, Name.)
const CAN_BE_NAME = /^[A-Za-z0-9_+=.@-]{1,400}$/;

function shortenUnlessFound(reading: Kept): void {
  const shorten = (): void => {
    reading.keptMs = FRESH_MS;
  };
  reading.target.then((target) => target ?? shorten(), shorten);
}

async function read({ client, prefix }: Source, name: string): Promise<Target | undefined> {
  try {
    const answer = await client.send(new GetSecretValueCommand({ SecretId: prefix + name }));
    if (answer.SecretString !== undefined) return parseTarget(name, answer.SecretString, { prefix });
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
  throw new TargetUnreadable(`The secret of target ${name} cannot be used: it is binary. Store it as text.`);
}

const isAbsent = (error: unknown): boolean =>
  error instanceof SecretsManagerServiceException &&
  (error.name === 'ResourceNotFoundException' ||
    (error.name === 'InvalidRequestException' && error.message.includes('marked for deletion')));

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

const domain = text
  .regex(/^[^\s@]+\.[^\s@.]+$/, 'must be a domain such as example.com')
  .transform((name) => name.toLowerCase());

const rules = {
  protected: z.array(text, 'must be a list of account ids, e-mail addresses and group names').optional(),
  allowAdminGroups: z.boolean('must be true or false').optional(),
  allowedDomains: z.array(domain, 'must be a list of domains').min(1, 'must not be empty').optional(),
  expires: z.iso.date('must be a day such as 2027-01-31').optional(),
};

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
  ...rules,
});

const dataCenter = z.strictObject({ type: z.literal('data-center'), baseUrl: address, token, ...rules });

const secret = z.discriminatedUnion('type', [cloud, dataCenter], {
  error: ({ code }) =>
    code === 'invalid_union'
      ? 'must be "cloud" or "data-center"'
      : 'must be an object whose type is "cloud" or "data-center"',
});

/** A target's secret, parsed; throws TargetUnreadable that names every field at fault at once and shows no value. */
export function parseTarget(name: string, json: string, { prefix = secretPrefixOf({}) } = {}): Target {
  const parsed = secret.safeParse(jsonIn(name, json));
  if (parsed.success) return { name, secretName: prefix + name, ...parsed.data };
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
