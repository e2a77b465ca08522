import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';

import { hasStopped } from '../../shared/job/job.ts';
import { resultsPrefix } from '../../shared/job/keys.ts';
import { reportRequestSchema } from '../../shared/job/messages.ts';
import { readState, type State } from '../../shared/job/state.ts';
import type { Summary } from '../../shared/job/summary.ts';
import type { PageParts } from '../../shared/page/document.ts';
import { errorFields, type Log } from '../../shared/log.ts';
import type { EventsQueue } from '../../shared/ports.ts';
import { readMessage, quarantine } from '../../shared/records.ts';
import { createDeadLetterSender, type DeadLetterPorts, owesDeadLetters } from './dead-letters.ts';
import { writeReportFiles } from './report.ts';

export interface ReporterPorts extends DeadLetterPorts {
  readonly page: PageParts;
  readonly eventsQueue: EventsQueue;
  readonly log: Log;
}

const UNKNOWN_REQUEST = 'This is no report request of a version that the reporter knows.';

/** Writes the files that people read, when a job waits or has stopped or something came after its end, and sends its dead letters. One report at a time, as each may be large. */
export function createReporter(ports: ReporterPorts): (event: SQSEvent) => Promise<SQSBatchResponse> {
  return async ({ Records: records }) => {
    const batchItemFailures: { readonly itemIdentifier: string }[] = [];
    for (const record of records) {
      try {
        await handle(ports, record);
      } catch (error) {
        ports.log('reporter.failed', { messageId: record.messageId, ...errorFields(error) });
        batchItemFailures.push({ itemIdentifier: record.messageId });
      }
    }
    return { batchItemFailures: [...batchItemFailures] };
  };
}

async function handle(ports: ReporterPorts, record: SQSRecord): Promise<void> {
  const { results, log } = ports;
  const request = readMessage(reportRequestSchema, record.body);
  if (!request) return quarantine(results, record, UNKNOWN_REQUEST, log);
  const state = await readState(results, request.jobId);
  if (!state) return quarantine(results, record, `There is no job ${request.jobId}.`, log);
  // Also for a revision that is no longer the newest: its reporter may have died over files that were newer than its own.
  const revision = await report(ports, state);
  await ports.eventsQueue.post([
    {
      version: 1,
      // An id of its own for each request, the same when a request is delivered twice.
      id: `reported-${record.messageId}`,
      jobId: request.jobId,
      at: ports.clock.now().toISOString(),
      type: 'reported',
      revision,
    },
  ]);
}

/** Writes the report of the newest revision, which may be a newer one by the time that it is written. */
async function report(ports: ReporterPorts, state: State): Promise<number> {
  // The job goes on since somebody resumed it; when it stops again a report is asked for again.
  if (!hasStopped(state.state)) return state.revision;
  const startedMs = ports.clock.now().getTime();
  const sendFailed = owesDeadLetters(state) ? createDeadLetterSender(ports, state) : undefined;
  const summary = await writeReportFiles(ports.results, state, ports.page, sendFailed);
  await ports.results.write(`${resultsPrefix(state.job)}summary.json`, textOf(summary));
  ports.log('report.written', {
    job: summary.job,
    revision: summary.revision,
    state: summary.state,
    rows: summary.counts.rows,
    durationMs: ports.clock.now().getTime() - startedMs,
  });
  const now = await readState(ports.results, state.job.id);
  // Another reporter may have written the newer one meanwhile: whoever ends last must leave the newest files.
  return now && now.revision > state.revision ? report(ports, now) : summary.revision;
}

const textOf = (summary: Summary): string => `${JSON.stringify(summary, undefined, 2)}\n`;
