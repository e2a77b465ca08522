import { ConditionNotMet, type ObjectStore } from '../../shared/ports.ts';
import type { MemoryObjectStore } from '../fakes/memory-object-store.ts';
import type { Faults } from './faults.ts';
import type { SimulatedProcess } from './process.ts';

/** The port of one process to a bucket: every request takes its time, may fail, and may have been applied all the same. */
export function storePort(
  bucket: MemoryObjectStore,
  process: SimulatedProcess,
  faults: Faults,
  onWritten: (key: string) => void = () => undefined,
): ObjectStore {
  const reading = <Value>(what: string, read: () => Promise<Value>): Promise<Value> =>
    process.effect(what, () => {
      if (faults.strikes('store fails')) throw new Error('503 Slow Down');
      return read();
    });
  const writing = async <Value>(what: string, write: () => Promise<Value>, key: string): Promise<Value> =>
    process.effect(what, async () => {
      if (faults.strikes('store fails')) throw new Error('503 Slow Down');
      const written = await write();
      onWritten(key);
      if (faults.strikes('store fails after the write')) throw new Error('socket hang up');
      return written;
    });

  return {
    read: (key, options) => reading(`reads ${key}`, () => bucket.read(key, options)),
    readIfChanged: (key, etag) => reading(`reads ${key} if changed`, () => bucket.readIfChanged(key, etag)),
    write: (key, body, condition) =>
      writing(
        `writes ${key}`,
        async () => {
          if (condition && faults.strikes('race lost')) throw new ConditionNotMet(key);
          const written = await bucket.write(key, body, condition);
          if (!condition || !faults.strikes('race won, answer says lost')) return written;
          // A write whose answer was lost and that the client sent again finds itself there.
          onWritten(key);
          throw new ConditionNotMet(key);
        },
        key,
      ),
    writeStream: async (key, body) => {
      const parts: Uint8Array[] = [];
      for await (const part of body) parts.push(Buffer.from(part));
      await writing(`writes ${key}`, () => bucket.write(key, Buffer.concat(parts)), key);
    },
    list: async function* (prefix) {
      const keys = await reading(`lists ${prefix}`, () => keysUnder(bucket, prefix));
      yield* keys;
    },
    delete: (key) => writing(`deletes ${key}`, () => bucket.delete(key), key),
  };
}

async function keysUnder(bucket: MemoryObjectStore, prefix: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const key of bucket.list(prefix)) keys.push(key);
  return keys;
}
