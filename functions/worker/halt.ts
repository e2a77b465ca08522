import type { Refusal } from '../../shared/atlassian/errors.ts';
import { journalEvent, type EventPorts } from '../../shared/journal-event.ts';
import type { Log } from '../../shared/log.ts';
import type { Journal } from '../../shared/ports.ts';

export interface HaltPorts extends EventPorts {
  readonly journal: Journal;
  readonly log: Log;
}

/** Stops a job from inside a batch: at once for the batch itself, and through the journal for everybody else. */
export interface Halt {
  readonly halted: () => boolean;
  /** False when the batch was halted before: only one row is the reason. */
  readonly because: (error: Refusal) => Promise<boolean>;
}

export function createHalt(jobId: string, { journal, log, ...ports }: HaltPorts): Halt {
  let halted = false;
  return {
    halted: () => halted,
    because: async ({ code, message }) => {
      if (halted) return false;
      halted = true;
      await journal.post([journalEvent(jobId, { type: 'halted', code, message }, ports)]);
      log('job.halted', { job: jobId, code });
      return true;
    },
  };
}
