import { ConditionNotMet } from './port-errors.ts';
import type { ObjectStore } from './ports.ts';

/** Whether there is an object under this key. */
export async function isStored(store: ObjectStore, key: string): Promise<boolean> {
  const stored = await store.read(key);
  stored?.body.destroy();
  return stored !== undefined;
}

/** Writes an object unless there is one under this key; false when there is, or when another write of it is under way. */
export async function writeOnce(store: ObjectStore, key: string, body: string): Promise<boolean> {
  try {
    await store.write(key, body, { ifNoneMatch: '*' });
    return true;
  } catch (error) {
    if (error instanceof ConditionNotMet) return false;
    throw error;
  }
}
