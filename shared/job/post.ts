import type { Log } from '../log.ts';
import type { EventsQueue } from '../ports.ts';
import { createEvent, type EventBody, type EventPorts } from './events.ts';

/** What telling a job's events needs. */
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
