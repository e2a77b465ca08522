import type { JournalEvent } from '../../shared/job/journal.ts';
import type { Log } from '../../shared/log.ts';
import type { Chance, Clock, Journal } from '../../shared/ports.ts';

export interface HaltPorts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/** Stops a job from inside a batch: at once for the batch itself, and through the journal for everybody else. */
export interface Halt {
  readonly halted: () => boolean;
  /** False when the batch was halted before: only one row is the reason. */
  readonly because: (error: Error) => Promise<boolean>;
}

export function createHalt(jobId: string, { journal, clock, chance, log }: HaltPorts): Halt {
  let halted = false;
  return {
    halted: () => halted,
    because: async ({ message }) => {
      if (halted) return false;
      halted = true;
      const header = { version: 1, id: chance.uuid(), jobId, at: clock.now().toISOString() } as const;
      const event: JournalEvent = { ...header, type: 'halted', code: 'UNAUTHORIZED', message };
      await journal.post([event]);
      log('job.halted', { job: jobId, code: event.code });
      return true;
    },
  };
}
