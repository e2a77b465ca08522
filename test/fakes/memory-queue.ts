import type { JournalEvent } from '../../shared/job/journal.ts';
import type { Journal, Message, Queue } from '../../shared/ports.ts';

/** A queue that keeps what it was sent. */
export interface MemoryQueue extends Queue {
  readonly messages: readonly Message[];
}

export function memoryQueue(): MemoryQueue {
  const messages: Message[] = [];
  return {
    messages,
    send: async (sent) => {
      messages.push(...sent);
    },
  };
}

/** A journal that keeps its events in order. */
export interface MemoryJournal extends Journal {
  readonly events: readonly JournalEvent[];
}

export function memoryJournal(): MemoryJournal {
  const events: JournalEvent[] = [];
  return {
    events,
    post: async (posted) => {
      events.push(...posted);
    },
  };
}
