import type { ObjectStore } from './ports.ts';

/** Whether there is an object under this key. */
export async function isStored(store: ObjectStore, key: string): Promise<boolean> {
  const stored = await store.read(key);
  stored?.body.destroy();
  return stored !== undefined;
}
