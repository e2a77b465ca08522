import type { Happening } from '../../shared/job/journal.ts';
import type { Chance, Clock, Journal } from '../../shared/ports.ts';

/** Tells a job's journal what happened. */
export type Post = (jobId: string, happening: Happening) => Promise<void>;

export const postTo =
  (journal: Journal, clock: Clock, chance: Chance): Post =>
  (jobId, happening) =>
    journal.post([{ version: 1, id: chance.uuid(), jobId, at: clock.now().toISOString(), ...happening }]);
