import { type EventsQueue, type Message, type Queue, QueueRefused } from '../../shared/ports.ts';
import type { JobEvent } from '../../shared/job/events.ts';

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

function delivered({ body, attributes, ...rest }: Message): Message {
  return { body: JSON.parse(textOf(body)), ...rest, ...attributesOf(attributes) };
}

/** A body as it is sent; SQS takes nothing above 1 MiB. */
export function textOf(body: unknown): string {
  const text = JSON.stringify(body);
  if (Buffer.byteLength(text) > LARGEST_BYTES) throw new QueueRefused('A message has more than 1 MiB');
  return text;
}

/** The attributes that arrive, if there are any; SQS takes no empty ones. */
export function attributesOf(attributes: Message['attributes']): Pick<Message, 'attributes'> {
  const named = Object.entries(attributes ?? {}).filter(([, value]) => value !== '');
  return named.length > 0 ? { attributes: Object.fromEntries(named) } : {};
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
