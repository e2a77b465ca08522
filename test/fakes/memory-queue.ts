import { QueueRefused } from '../../shared/port-errors.ts';
import type { JobEvent } from '../../shared/job/events.ts';
import type { EventsQueue, Message, Queue } from '../../shared/ports.ts';

/** A queue that keeps what it was sent. */
export interface MemoryQueue extends Queue {
  readonly messages: readonly Message[];
}

export function memoryQueue(): MemoryQueue {
  const messages: Message[] = [];
  return {
    messages,
    send: async (sent) => {
      messages.push(...sent.map(delivered));
    },
  };
}

const LARGEST_BYTES = 1_048_576;

// What arrives is what JSON makes of it; SQS takes no empty attributes and nothing above 1 MiB.
function delivered({ body, attributes, ...rest }: Message): Message {
  const text = JSON.stringify(body);
  if (Buffer.byteLength(text) > LARGEST_BYTES) throw new QueueRefused('A message has more than 1 MiB');
  const named = Object.entries(attributes ?? {}).filter(([, value]) => value !== '');
  return {
    body: JSON.parse(text),
    ...rest,
    ...(named.length > 0 && { attributes: Object.fromEntries(named) }),
  };
}

/** A events queue that keeps its events in order. */
export interface MemoryEventsQueue extends EventsQueue {
  readonly events: readonly JobEvent[];
}

export function memoryEventsQueue(): MemoryEventsQueue {
  const events: JobEvent[] = [];
  return {
    events,
    post: async (posted) => {
      events.push(...posted);
    },
  };
}
