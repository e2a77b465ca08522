import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';

import { createEvent, jobEventSchema, type JobEvent } from '../../shared/job/events.ts';
import { OPEN_PREFIX } from '../../shared/job/keys.ts';
import { errorFields, type Log } from '../../shared/log.ts';
import type { EventsQueue } from '../../shared/ports.ts';
import { readMessage, quarantine } from '../../shared/records.ts';
import { createRun, type RunPorts } from './run.ts';

export interface CoordinatorPorts extends RunPorts {
  readonly eventsQueue: EventsQueue;
  readonly log: Log;
}

/** What the schedule invokes the coordinator with; only that it is no batch of records matters. */
interface ScheduledEvent {
  readonly source: string;
}

const UNKNOWN_EVENT = 'This is no event of a version that the coordinator knows.';

interface Delivery {
  readonly record: SQSRecord;
  readonly event: JobEvent;
}

/** Each job's one writer: reads its mailbox, folds, decides, and sends what follows. Reconciles when the schedule says so. */
export function createCoordinator(ports: CoordinatorPorts) {
  const run = createRun(ports);

  return async function coordinator(event: SQSEvent | ScheduledEvent): Promise<SQSBatchResponse> {
    if (!('Records' in event)) {
      await reconcile(ports);
      return { batchItemFailures: [] };
    }
    const deliveries = await open(event.Records);
    const failures = await Promise.all([...byJob(deliveries)].map(([jobId, own]) => deliver(jobId, own)));
    return { batchItemFailures: failures.flat().map(({ record }) => ({ itemIdentifier: record.messageId })) };
  };

  /** An event that cannot be read is quarantined: it must never block its job's mailbox. */
  async function open(records: readonly SQSRecord[]): Promise<Delivery[]> {
    const deliveries: Delivery[] = [];
    for (const record of records) {
      const event = readMessage(jobEventSchema, record.body);
      if (event) deliveries.push({ record, event });
      else await quarantine(ports.results, record, UNKNOWN_EVENT, ports.log);
    }
    return deliveries;
  }

  /** Gives back the deliveries of a job whose run failed, all of them: a mailbox is handled as one. */
  async function deliver(jobId: string, deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    try {
      const events = deliveries.map(({ event }) => event);
      const known = await run(jobId, events);
      if (known) ports.log('events.folded', { job: jobId, events: events.length });
      else await turnAway(jobId, deliveries);
      return [];
    } catch (error) {
      ports.log('run.failed', { job: jobId, ...errorFields(error) });
      return deliveries;
    }
  }

  async function turnAway(jobId: string, deliveries: readonly Delivery[]): Promise<void> {
    for (const { record, event } of deliveries) {
      // A command for a job that is not there is a person's slip, a reconcile for one is a leftover marker: neither is an alarm.
      if (event.type === 'commanded' || event.type === 'reconcile')
        ports.log('job.unknown', { job: jobId, type: event.type });
      else await quarantine(ports.results, record, `There is no job ${jobId}.`, ports.log);
    }
  }
}

function byJob(deliveries: readonly Delivery[]): Map<string, Delivery[]> {
  return Map.groupBy(deliveries, ({ event }) => event.jobId);
}

const POSTED_AT_ONCE = 100;

/** Reminds every open job of the time; what follows from it the job's own mailbox decides. */
async function reconcile({ results, eventsQueue, ...ports }: CoordinatorPorts): Promise<void> {
  let events: JobEvent[] = [];
  for await (const key of results.list(OPEN_PREFIX)) {
    events.push(createEvent(key.slice(OPEN_PREFIX.length), { type: 'reconcile' }, ports));
    if (events.length < POSTED_AT_ONCE) continue;
    await eventsQueue.post(events);
    events = [];
  }
  if (events.length > 0) await eventsQueue.post(events);
}
