import { OPEN_PREFIX } from '../../shared/job/keys.ts';
import type { JobEvent } from '../../shared/job/events.ts';
import { createEvent, type EventPorts } from '../../shared/create-event.ts';
import type { EventsQueue, ObjectStore } from '../../shared/ports.ts';

export interface ReconcilePorts extends EventPorts {
  readonly results: ObjectStore;
  readonly eventsQueue: EventsQueue;
}

const POSTED_AT_ONCE = 100;

/** Reminds every open job of the time; what follows from it the job's own mailbox decides. */
export async function reconcile({ results, eventsQueue, ...ports }: ReconcilePorts): Promise<void> {
  let events: JobEvent[] = [];
  for await (const key of results.list(OPEN_PREFIX)) {
    events.push(createEvent(key.slice(OPEN_PREFIX.length), { type: 'reconcile' }, ports));
    if (events.length < POSTED_AT_ONCE) continue;
    await eventsQueue.post(events);
    events = [];
  }
  if (events.length > 0) await eventsQueue.post(events);
}
