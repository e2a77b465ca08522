import { type Message, type Queue, QueueRefused } from '../../shared/ports.ts';
import { attributesOf, textOf } from '../fakes/memory-queue.ts';
import type { Faults } from './faults.ts';
import type { SimulatedProcess } from './process.ts';
import type { World } from './world.ts';

/** A message as a queue keeps it. */
export interface Parcel {
  readonly id: string;
  readonly body: string;
  readonly attributes?: Message['attributes'];
  readonly groupId: string | undefined;
  readonly sentAtMs: number;
  receives: number;
  /** The latest; an older one deletes nothing. */
  receipt: number;
  visibleAtMs: number;
}

/** A parcel with the receipt under which it was handed out. */
export interface Received {
  readonly parcel: Parcel;
  readonly receipt: number;
  readonly atMs: number;
}

export interface QueueOptions {
  readonly name: string;
  readonly fifo?: boolean;
  readonly visibilitySeconds?: number;
  readonly redrive?: {
    readonly to: SimulatedQueue;
    readonly maxReceiveCount: number;
    /** Whether the next queue goes on counting from here; AWS does not say. */
    readonly countGoesOn: boolean;
  };
}

/** A queue as SQS keeps its promises, and no better: at least once, in any order, now or later. */
export interface SimulatedQueue {
  readonly name: string;
  readonly accept: (message: Message, delayMs?: number) => void;
  readonly take: (parcel: Parcel) => void;
  /** Hands out some of what is visible, no group of a FIFO queue that is in somebody's hands. */
  readonly receive: (limit: number) => readonly Received[];
  /** Whether the message is gone by it. */
  readonly delete: (received: Received) => boolean;
  readonly purge: () => number;
  readonly parcels: () => readonly Parcel[];
  readonly hasVisible: () => boolean;
  /** Called whenever something becomes visible. */
  readonly onVisible: (listener: () => void) => void;
}

const LONGEST_DELAY_FAULT_MS = 400_000;

export function createQueue(options: QueueOptions, world: World, faults: Faults): SimulatedQueue {
  const { name, fifo = false, visibilitySeconds = 30, redrive } = options;
  const { random } = world;
  const parcels = new Map<string, Parcel>();
  let sent = 0;
  let listener = (): void => undefined;

  const isVisible = ({ visibleAtMs }: Parcel): boolean => visibleAtMs <= world.nowMs();
  const showAt = (parcel: Parcel, delayMs: number): void => {
    parcel.visibleAtMs = world.nowMs() + delayMs;
    world.after(delayMs, () => {
      if (parcels.has(parcel.id) && isVisible(parcel)) listener();
    });
  };
  const visible = (): Parcel[] => {
    const held = new Set(
      [...parcels.values()].filter((parcel) => parcel.receives > 0 && !isVisible(parcel)).map(groupOf),
    );
    return [...parcels.values()].filter((parcel) => isVisible(parcel) && !(fifo && held.has(groupOf(parcel))));
  };

  const queue: SimulatedQueue = {
    name,
    accept: ({ body, attributes, groupId, delaySeconds = 0 }, delayMs = 0) => {
      sent += 1;
      const parcel = {
        id: `${name}-${sent}`,
        body: textOf(body),
        ...attributesOf(attributes),
        groupId,
        sentAtMs: world.nowMs(),
        ...UNSEEN,
      };
      parcels.set(parcel.id, parcel);
      const late = faults.strikes('message delayed') ? random.between(1_000, LONGEST_DELAY_FAULT_MS) : 0;
      showAt(parcel, delaySeconds * 1_000 + delayMs + late);
    },
    take: (parcel) => {
      parcels.set(parcel.id, parcel);
      showAt(parcel, 0);
    },
    receive: (limit) => {
      const received: Received[] = [];
      for (const parcel of random.shuffled(visible()).slice(0, random.between(1, limit))) {
        parcel.receives += 1;
        if (redrive && parcel.receives > redrive.maxReceiveCount) {
          parcels.delete(parcel.id);
          world.note(() => `${name} gives ${parcel.id} up to ${redrive.to.name}`);
          redrive.to.take(redrive.countGoesOn ? parcel : { ...parcel, receives: 0 });
          continue;
        }
        parcel.receipt += 1;
        showAt(
          parcel,
          faults.strikes('message seen again')
            ? random.between(0, random.happens(0.5) ? 100 : 3_000)
            : visibilitySeconds * 1_000,
        );
        received.push({ parcel, receipt: parcel.receipt, atMs: world.nowMs() });
      }
      return received;
    },
    delete: ({ parcel, receipt }) => receipt === parcel.receipt && parcels.delete(parcel.id),
    purge: () => {
      const { size } = parcels;
      parcels.clear();
      return size;
    },
    parcels: () => [...parcels.values()],
    hasVisible: () => visible().length > 0,
    onVisible: (given) => {
      listener = given;
    },
  };
  return queue;
}

const UNSEEN = { receives: 0, receipt: 0, visibleAtMs: 0 } as const;

const groupOf = ({ groupId }: Parcel): string => groupId ?? '';

/** As SendMessageBatch takes them. */
const BATCH = 10;

/** The port of one process to a queue: ten messages a call, each of which may be refused, lost or go through. */
export function queuePort(
  queue: SimulatedQueue,
  process: SimulatedProcess,
  faults: Faults,
  onAccepted = ignore,
): Queue {
  const accept = (message: Message): void => {
    queue.accept(message);
    onAccepted(message);
  };
  const sendBatch = (batch: readonly Message[]): Promise<void> =>
    process.effect(`sends ${batch.length} to ${queue.name}`, () => {
      if (faults.strikes('send refused')) throw refused(queue);
      if (faults.strikes('send refused in part')) {
        batch.slice(0, batch.length / 2).forEach(accept);
        throw refused(queue);
      }
      batch.forEach(accept);
      if (faults.strikes('send accepted, answer lost')) throw new Error('socket hang up');
    });
  return {
    send: async (messages) => {
      const batches = Array.from({ length: Math.ceil(messages.length / BATCH) }, (_, index) =>
        messages.slice(index * BATCH, (index + 1) * BATCH),
      );
      await Promise.all(batches.map(sendBatch));
    },
  };
}

const ignore = (_message: Message): void => undefined;

const refused = ({ name }: SimulatedQueue): QueueRefused => new QueueRefused(`The queue ${name} refused a message`);
