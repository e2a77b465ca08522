import { OPEN_PREFIX } from '../../shared/job/keys.ts';
import type { JournalEvent } from '../../shared/job/journal.ts';
import type { Chance, Clock, Journal, ObjectStore } from '../../shared/ports.ts';

export interface SweepPorts {
  readonly results: ObjectStore;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly chance: Chance;
}

const POSTED_AT_ONCE = 100;

/** Reminds every open job of the time; what follows from it the job's own mailbox decides. */
export async function sweep({ results, journal, clock, chance }: SweepPorts): Promise<void> {
  let events: JournalEvent[] = [];
  for await (const key of results.list(OPEN_PREFIX)) {
    const jobId = key.slice(OPEN_PREFIX.length);
    events.push({ version: 1, id: chance.uuid(), jobId, at: clock.now().toISOString(), type: 'swept' });
    if (events.length < POSTED_AT_ONCE) continue;
    await journal.post(events);
    events = [];
  }
  if (events.length > 0) await journal.post(events);
}
