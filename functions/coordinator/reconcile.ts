import { OPEN_PREFIX } from '../../shared/job/keys.ts';
import type { JournalEvent } from '../../shared/job/journal.ts';
import { journalEvent, type EventPorts } from '../../shared/journal-event.ts';
import type { Journal, ObjectStore } from '../../shared/ports.ts';

export interface ReconcilePorts extends EventPorts {
  readonly results: ObjectStore;
  readonly journal: Journal;
}

const POSTED_AT_ONCE = 100;

/** Reminds every open job of the time; what follows from it the job's own mailbox decides. */
export async function reconcile({ results, journal, ...ports }: ReconcilePorts): Promise<void> {
  let events: JournalEvent[] = [];
  for await (const key of results.list(OPEN_PREFIX)) {
    events.push(journalEvent(key.slice(OPEN_PREFIX.length), { type: 'reconcile' }, ports));
    if (events.length < POSTED_AT_ONCE) continue;
    await journal.post(events);
    events = [];
  }
  if (events.length > 0) await journal.post(events);
}
