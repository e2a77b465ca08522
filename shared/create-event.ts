import type { EventBody, JobEvent } from './job/events.ts';
import type { Chance, Clock } from './ports.ts';

export interface EventPorts {
  readonly clock: Clock;
  readonly chance: Chance;
}

/** An event that happens now, with an id of its own. */
export const createEvent = (jobId: string, body: EventBody, { clock, chance }: EventPorts): JobEvent => ({
  version: 1,
  id: chance.uuid(),
  jobId,
  at: clock.now().toISOString(),
  ...body,
});
