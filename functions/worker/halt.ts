import type { Refusal } from '../../shared/atlassian/errors.ts';
import { createEvent, type EventPorts } from '../../shared/job/events.ts';
import type { Log } from '../../shared/log.ts';
import type { EventsQueue } from '../../shared/ports.ts';

export interface HaltPorts extends EventPorts {
  readonly eventsQueue: EventsQueue;
  readonly log: Log;
}

/** Stops a job from inside a batch: at once for the batch itself, and through an event for everybody else. */
export interface Halt {
  readonly halted: () => boolean;
  /** False when the batch was halted before: only one row is the reason. */
  readonly because: (error: Refusal) => Promise<boolean>;
}

export function createHalt(jobId: string, { eventsQueue, log, ...ports }: HaltPorts): Halt {
  let halted = false;
  return {
    halted: () => halted,
    because: async ({ code, message }) => {
      if (halted) return false;
      halted = true;
      await eventsQueue.post([createEvent(jobId, { type: 'halted', code, message }, ports)]);
      log('job.halted', { job: jobId, code });
      return true;
    },
  };
}
