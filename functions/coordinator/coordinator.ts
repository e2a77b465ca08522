import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';

import { createEvent, jobEventSchema, type JobEvent } from '../../shared/job/events.ts';
import { isStop, WHERE_IDS_ARE } from '../../shared/job/job.ts';
import { OPEN_PREFIX } from '../../shared/job/keys.ts';
import { errorFields } from '../../shared/log.ts';
import type { EventsQueue } from '../../shared/ports.ts';
import { quarantine, readMessage, refuseCommand } from '../../shared/records.ts';
import { createRun, type RunPorts } from './run.ts';

export interface CoordinatorPorts extends RunPorts {
  readonly eventsQueue: EventsQueue;
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
      if (!known) return await turnAway(deliveries, ports);
      ports.log('events.folded', { job: jobId, events: events.length });
      return [];
    } catch (error) {
      ports.log('coordinator.failed', { job: jobId, ...errorFields(error) });
      return deliveries;
    }
  }
}

/** How long a stop waits for its job: the file may be in the queue of those that are to be read. */
const STOP_WAITS_MS = 120_000;

/** What came for a job that is not there; gives what is to come again. */
async function turnAway(deliveries: readonly Delivery[], ports: CoordinatorPorts): Promise<readonly Delivery[]> {
  const nowMs = ports.clock.now().getTime();
  const again: Delivery[] = [];
  for (const delivery of deliveries) {
    const { record, event } = delivery;
    const isNew = nowMs - Number(record.attributes.SentTimestamp) < STOP_WAITS_MS;
    if (event.type === 'commanded' && isStop(event.command) && isNew) again.push(delivery);
    else if (event.type === 'commanded') await refuse(event, ports);
    // One for a job that is not there is a leftover marker.
    else if (event.type === 'reconcile') ports.log('job.unknown', { job: event.jobId });
    else await quarantine(ports.results, record, `There is no job ${event.jobId}.`, ports.log);
  }
  return again;
}

const refuse = ({ jobId, command }: JobEvent & { readonly type: 'commanded' }, { results, log }: CoordinatorPorts) =>
  refuseCommand(
    results,
    {
      key: `control/${jobId}/${command}`,
      jobId,
      reason: `There is no job ${jobId}, so ${command} did nothing. ${WHERE_IDS_ARE}`,
    },
    log,
  );

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
