import type { JobEvent } from '../job/events.ts';
import type { EventsQueue, Message, Queue } from '../ports.ts';

/** Below SQS's 1 MiB a message, with room for what the transport adds. */
const EVENT_BYTES = 900_000;

/** The events queue: FIFO: a job's mailbox is its message group. Events too large for one message go as several. */
export function eventsQueueOver(queue: Queue): EventsQueue {
  return {
    post: (events) => queue.send(events.flatMap(fitting).map(messageOf)),
  };
}

const messageOf = (event: JobEvent): Message => ({
  body: event,
  groupId: event.jobId,
  deduplicationId: event.id,
});

function fitting(event: JobEvent): readonly JobEvent[] {
  if (Buffer.byteLength(JSON.stringify(event)) <= EVENT_BYTES) return [event];
  const halves = halved(event);
  return halves ? halves.flatMap(fitting) : [event];
}

// The halves' ids come from the event's own, so one that is posted again is folded once, in parts as well.
function halved(event: JobEvent): readonly [JobEvent, JobEvent] | undefined {
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
    case 'recorded':
      return halvedRecord(event, ids);
    default:
      return undefined;
  }
}

type Recorded = Extract<JobEvent, { readonly type: 'recorded' }>;

function halvedRecord(event: Recorded, ids: readonly [string, string]): readonly [Recorded, Recorded] | undefined {
  const { outcomes, returned, dropped } = event;
  if (outcomes.length + returned.length + dropped.length < 2) return undefined;
  const [first, second] = halves({ outcomes, returned, dropped });
  // Calls are summed up when events are folded, so only one half may carry them.
  return [
    { ...event, ...first, id: ids[0] },
    { ...event, ...second, id: ids[1], calls: NO_CALLS },
  ];
}

type Lists = Pick<Recorded, 'outcomes' | 'returned' | 'dropped'>;

function halves(lists: Lists): readonly [Lists, Lists] {
  const [outcomes, returned, dropped] = [cut(lists.outcomes), cut(lists.returned), cut(lists.dropped)];
  return [
    { outcomes: outcomes[0], returned: returned[0], dropped: dropped[0] },
    { outcomes: outcomes[1], returned: returned[1], dropped: dropped[1] },
  ];
}

const NO_CALLS = { sent: 0, rateLimited: 0, retried: 0 } as const;

function cut<Item>(items: readonly Item[]): readonly [Item[], Item[]] {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)];
}
