import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';

import { journalEventSchema, type JournalEvent } from '../../shared/job/journal.ts';
import { errorFields, type Log } from '../../shared/log.ts';
import type { Journal } from '../../shared/ports.ts';
import { queueNameOf, setAside } from '../../shared/set-aside.ts';
import { createRun, type RunPorts } from './run.ts';
import { createStateStore } from './state-store.ts';
import { sweep } from './sweep.ts';

export interface CoordinatorPorts extends Omit<RunPorts, 'states'> {
  readonly journal: Journal;
  readonly log: Log;
}

/** What the schedule invokes the coordinator with; only that it is no batch of records matters. */
interface ScheduledEvent {
  readonly source: string;
}

interface Letter {
  readonly record: SQSRecord;
  readonly event: JournalEvent;
}

/** Each job's one writer: reads its mailbox, folds, decides, and sends what follows. Sweeps when the schedule says so. */
export function createCoordinator(ports: CoordinatorPorts) {
  const run = createRun({ ...ports, states: createStateStore(ports.results) });

  return async function coordinator(event: SQSEvent | ScheduledEvent): Promise<SQSBatchResponse> {
    if (!('Records' in event)) {
      await sweep(ports);
      return { batchItemFailures: [] };
    }
    const letters = await open(event.Records);
    const failures = await Promise.all([...byJob(letters)].map(([jobId, own]) => deliver(jobId, own)));
    return { batchItemFailures: failures.flat().map(({ record }) => ({ itemIdentifier: record.messageId })) };
  };

  /** An event that cannot be read is set aside: it must never block its job's mailbox. */
  async function open(records: readonly SQSRecord[]): Promise<Letter[]> {
    const letters: Letter[] = [];
    for (const record of records) {
      const event = parse(record.body);
      if (event) letters.push({ record, event });
      else await putAway(record, 'This is no journal event of a version that the coordinator knows.');
    }
    return letters;
  }

  /** Gives back the letters of a job whose run failed, all of them: a mailbox is handled as one. */
  async function deliver(jobId: string, letters: readonly Letter[]): Promise<readonly Letter[]> {
    try {
      const events = letters.map(({ event }) => event);
      const known = await run(jobId, events);
      if (known) ports.log('journal.folded', { job: jobId, events: events.length });
      else await turnAway(jobId, letters);
      return [];
    } catch (error) {
      ports.log('run.failed', { job: jobId, ...errorFields(error) });
      return letters;
    }
  }

  async function turnAway(jobId: string, letters: readonly Letter[]): Promise<void> {
    for (const { record, event } of letters) {
      // A command for a job that is not there is a person's slip, a sweep for one is a leftover marker: neither is an alarm.
      if (event.type === 'commanded' || event.type === 'swept')
        ports.log('job.unknown', { job: jobId, type: event.type });
      else await putAway(record, `There is no job ${jobId}.`);
    }
  }

  async function putAway({ eventSourceARN, messageId, body }: SQSRecord, reason: string): Promise<void> {
    await setAside(ports.results, { queue: queueNameOf(eventSourceARN), messageId, body, reason }, ports.log);
  }
}

function parse(body: string): JournalEvent | undefined {
  try {
    return journalEventSchema.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined; // not JSON
  }
}

function byJob(letters: readonly Letter[]): Map<string, Letter[]> {
  return Map.groupBy(letters, ({ event }) => event.jobId);
}
