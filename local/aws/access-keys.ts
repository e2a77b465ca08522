import { randomBytes } from 'node:crypto';

import type { Caller } from './ledger.ts';

/** A key as the AWS SDKs take it. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** The keys of one run of the stack: each caller has its own, so that every call is known by whose key signed it. */
export interface AccessKeys {
  readonly issue: (caller: Caller) => AccessKey;
  /** The secret of a key, or `undefined` when nobody has it. */
  readonly secretOf: (accessKeyId: string) => string | undefined;
  /** Who has a key; throws when nobody has it, as its signature was then not checked. */
  readonly holderOf: (accessKeyId: string) => Caller;
}

export function createAccessKeys(): AccessKeys {
  const known = new Map<string, { readonly caller: Caller; readonly secretAccessKey: string }>();
  return {
    issue: (caller) => {
      const key = newKey();
      known.set(key.accessKeyId, { caller, secretAccessKey: key.secretAccessKey });
      return key;
    },
    secretOf: (accessKeyId) => known.get(accessKeyId)?.secretAccessKey,
    holderOf: (accessKeyId) => known.get(accessKeyId)?.caller ?? nobody(accessKeyId),
  };
}

const newKey = (): AccessKey => ({
  accessKeyId: `LOCAL${randomBytes(8).toString('hex').toUpperCase().slice(0, 15)}`,
  secretAccessKey: randomBytes(30).toString('base64url'),
});

function nobody(accessKeyId: string): never {
  throw new Error(`Nobody has the access key ${accessKeyId}`);
}
