import type { Happening, JournalEvent } from './job/journal.ts';
import type { Chance, Clock } from './ports.ts';

export interface EventPorts {
  readonly clock: Clock;
  readonly chance: Chance;
}

/** A journal event that happens now, with an id of its own. */
export const journalEvent = (jobId: string, happening: Happening, { clock, chance }: EventPorts): JournalEvent => ({
  version: 1,
  id: chance.uuid(),
  jobId,
  at: clock.now().toISOString(),
  ...happening,
});
