import type { JournalEvent } from '../job/journal.ts';
import type { Journal, Message, Queue } from '../ports.ts';

/** Below SQS's 1 MiB a message, with room for what the transport adds. */
const EVENT_BYTES = 900_000;

/** The journal over its FIFO queue: a job's mailbox is its message group. Events too large for one message go as several. */
export function journalOver(queue: Queue): Journal {
  return {
    post: (events) => queue.send(events.flatMap(fitting).map(messageOf)),
  };
}

const messageOf = (event: JournalEvent): Message => ({
  body: event,
  groupId: event.jobId,
  deduplicationId: event.id,
});

function fitting(event: JournalEvent): readonly JournalEvent[] {
  if (Buffer.byteLength(JSON.stringify(event)) <= EVENT_BYTES) return [event];
  const halves = halved(event);
  return halves ? halves.flatMap(fitting) : [event];
}

// The halves' ids come from the event's own, so one that is posted again is folded once, in parts as well.
function halved(event: JournalEvent): readonly [JournalEvent, JournalEvent] | undefined {
  const ids = [`${event.id}.0`, `${event.id}.1`] as const;
  switch (event.type) {
    case 'attempting': {
      if (event.rows.length < 2) return undefined;
      const [first, second] = cut(event.rows);
      return [
        { ...event, id: ids[0], rows: first },
        { ...event, id: ids[1], rows: second },
      ];
    }
    case 'recorded': {
      if (event.outcomes.length + event.returned.length + event.dropped.length < 2) return undefined;
      const [outcomes, returned, dropped] = [cut(event.outcomes), cut(event.returned), cut(event.dropped)];
      return [
        { ...event, id: ids[0], outcomes: outcomes[0], returned: returned[0], dropped: dropped[0] },
        // Calls are summed up when events are folded, so only one half may carry them.
        { ...event, id: ids[1], outcomes: outcomes[1], returned: returned[1], dropped: dropped[1], calls: NO_CALLS },
      ];
    }
    default:
      return undefined;
  }
}

const NO_CALLS = { sent: 0, rateLimited: 0, retried: 0 } as const;

function cut<Item>(items: readonly Item[]): readonly [Item[], Item[]] {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)];
}
