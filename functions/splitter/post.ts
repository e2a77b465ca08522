import type { Happening } from '../../shared/job/journal.ts';
import type { Log } from '../../shared/log.ts';
import type { Chance, Clock, Journal } from '../../shared/ports.ts';

export interface PostPorts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/** Tells a job's journal what happened. */
export type Post = (jobId: string, happening: Happening) => Promise<void>;

export const postTo =
  ({ journal, clock, chance, log }: PostPorts): Post =>
  async (jobId, happening) => {
    await journal.post([{ version: 1, id: chance.uuid(), jobId, at: clock.now().toISOString(), ...happening }]);
    log(`job.${happening.type}`, { job: jobId });
  };
