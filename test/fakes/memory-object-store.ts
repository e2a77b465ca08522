import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';

import { ConditionNotMet, type ObjectStore, type StoredObject, type WriteCondition } from '../../shared/ports.ts';

/** An object store in memory. It passes the same contract suite as the adapter over S3. */
export interface MemoryObjectStore extends ObjectStore {
  readonly objects: ReadonlyMap<string, Uint8Array>;
  readonly textOf: (key: string) => string;
  /** Puts an object with what an uploader may give besides. */
  readonly upload: (key: string, body: string | Uint8Array, metadata: Readonly<Record<string, string>>) => void;
}

export function memoryObjectStore(initial: Readonly<Record<string, string | Uint8Array>> = {}): MemoryObjectStore {
  const objects = new Map<string, Uint8Array>();
  const metadataOf = new Map<string, Readonly<Record<string, string>>>();
  for (const [key, body] of Object.entries(initial)) objects.set(key, Buffer.from(body));

  const store = (key: string, body: string | Uint8Array, condition?: WriteCondition): { etag: string } => {
    const present = objects.get(key);
    const met =
      condition === undefined ||
      ('ifNoneMatch' in condition ? present === undefined : present && etagOf(present) === condition.ifMatch);
    if (!met) throw new ConditionNotMet(key);
    const bytes = Buffer.from(body);
    objects.set(key, bytes);
    return { etag: etagOf(bytes) };
  };

  return {
    objects,
    textOf: (key) => Buffer.from(objects.get(key) ?? missing(key)).toString(),
    upload: (key, body, metadata) => {
      objects.set(key, Buffer.from(body));
      metadataOf.set(key, metadata);
    },
    read: async (key, { from = 0 } = {}) => {
      const bytes = objects.get(key);
      return bytes && storedObject(bytes, from, metadataOf.get(key));
    },
    readIfChanged: async (key, etag) => {
      const bytes = objects.get(key);
      if (!bytes) return undefined;
      return etagOf(bytes) === etag ? 'unchanged' : storedObject(bytes, 0);
    },
    write: async (key, body, condition) => store(key, body, condition),
    writeStream: async (key, body) => {
      const parts: Uint8Array[] = [];
      for await (const part of body) parts.push(Buffer.from(part));
      store(key, Buffer.concat(parts));
    },
    list: async function* (prefix) {
      yield* [...objects.keys()].filter((key) => key.startsWith(prefix)).toSorted(byUtf8);
    },
    delete: async (key) => {
      objects.delete(key);
    },
  };
}

function storedObject(whole: Uint8Array, from: number, metadata: Readonly<Record<string, string>> = {}): StoredObject {
  const bytes = Buffer.from(whole.subarray(from));
  return {
    body: Readable.from(bytes.length === 0 ? [] : [bytes]),
    etag: etagOf(whole),
    metadata,
    bytes: bytes.length,
    text: async () => bytes.toString(),
  };
}

const byUtf8 = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

const etagOf = (bytes: Uint8Array): string => `"${createHash('md5').update(bytes).digest('hex')}"`;

function missing(key: string): never {
  throw new Error(`Nothing is stored at ${key}`);
}
