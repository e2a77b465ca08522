import type { EventBody } from '../../shared/job/events.ts';
import type { Log } from '../../shared/log.ts';
import { createEvent, type EventPorts } from '../../shared/create-event.ts';
import type { EventsQueue } from '../../shared/ports.ts';

export interface PostPorts extends EventPorts {
  readonly eventsQueue: EventsQueue;
  readonly log: Log;
}

/** Tells a job's events what happened. */
export type Post = (jobId: string, body: EventBody) => Promise<void>;

export const postTo =
  ({ eventsQueue, log, ...ports }: PostPorts): Post =>
  async (jobId, body) => {
    await eventsQueue.post([createEvent(jobId, body, ports)]);
    log(`job.${body.type}`, { job: jobId });
  };
