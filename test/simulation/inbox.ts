import { memoryObjectStore, type MemoryObjectStore } from '../fakes/memory-object-store.ts';
import type { Faults } from './faults.ts';
import type { SimulatedQueue } from './simulated-queue.ts';
import type { World } from './world.ts';

/** What somebody puts into the inbox bucket. */
export interface Put {
  readonly key: string;
  readonly body: string;
  /** Who does, as AWS names them. */
  readonly principal: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The inbox bucket as S3 keeps it: each object in versions, with an event about each. */
export interface Inbox {
  readonly store: MemoryObjectStore;
  /** Gives the object's version. */
  readonly put: (put: Put) => string;
  /** Events are sent there. */
  readonly announceTo: (queue: SimulatedQueue) => void;
}

export const BUCKET = 'inbox';

export function createInbox(world: World, faults: Faults): Inbox {
  const versions = memoryObjectStore();
  let queue: SimulatedQueue | undefined;
  let puts = 0;
  return {
    store: { ...versions, read: (key, options) => versions.read(versionKey(key, options?.versionId ?? ''), options) },
    put: ({ key, body, principal, metadata = {} }) => {
      puts += 1;
      const versionId = `v${puts}`;
      versions.upload(versionKey(key, versionId), body, metadata);
      const event = eventOf({ key, versionId, size: body.length, principal, atMs: world.nowMs() });
      const times = faults.strikes('event doubled') ? 2 : 1;
      for (let time = 0; time < times; time += 1) {
        const lateMs = faults.strikes('event late') ? world.random.between(1_000, 300_000) : 0;
        queue?.accept({ body: event }, lateMs + world.random.between(5, 500));
      }
      return versionId;
    },
    announceTo: (intake) => {
      queue = intake;
    },
  };
}

const versionKey = (key: string, versionId: string): string => `${key}?${versionId}`;

interface Notified {
  readonly key: string;
  readonly versionId: string;
  readonly size: number;
  readonly principal: string;
  readonly atMs: number;
}

/** What S3 tells the intake queue of an object. */
function eventOf({ key, versionId, size, principal, atMs }: Notified): unknown {
  const object = { key: encodeURIComponent(key).replaceAll('%20', '+'), size, versionId };
  return {
    Records: [
      {
        eventName: 'ObjectCreated:Put',
        eventTime: new Date(atMs).toISOString(),
        userIdentity: { principalId: principal },
        s3: { bucket: { name: BUCKET }, object },
      },
    ],
  };
}
