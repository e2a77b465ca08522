import type { Happening } from '../../shared/job/journal.ts';
import type { Log } from '../../shared/log.ts';
import { journalEvent, type EventPorts } from '../../shared/journal-event.ts';
import type { Journal } from '../../shared/ports.ts';

export interface PostPorts extends EventPorts {
  readonly journal: Journal;
  readonly log: Log;
}

/** Tells a job's journal what happened. */
export type Post = (jobId: string, happening: Happening) => Promise<void>;

export const postTo =
  ({ journal, log, ...ports }: PostPorts): Post =>
  async (jobId, happening) => {
    await journal.post([journalEvent(jobId, happening, ports)]);
    log(`job.${happening.type}`, { job: jobId });
  };
