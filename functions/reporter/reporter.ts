import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';

import { resultsPrefix, stateKey } from '../../shared/job/keys.ts';
import { reportRequestSchema, type ReportRequest } from '../../shared/job/requests.ts';
import { parseState, type State } from '../../shared/job/state.ts';
import { stopsRows, type Summary } from '../../shared/job/summary.ts';
import { errorFields, type Log } from '../../shared/log.ts';
import type { Clock, Journal } from '../../shared/ports.ts';
import { queueNameOf, setAside } from '../../shared/set-aside.ts';
import { type ReportPorts, writeReportFiles } from './report.ts';

export interface ReporterPorts extends ReportPorts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
}

/** Writes the files that people read, when a job has stopped or something came after its end. One report at a time, as each may be large. */
export function createReporter(ports: ReporterPorts): (event: SQSEvent) => Promise<SQSBatchResponse> {
  return async ({ Records: records }) => {
    const batchItemFailures: { readonly itemIdentifier: string }[] = [];
    for (const record of records) {
      try {
        await handle(ports, record);
      } catch (error) {
        ports.log('report.failed', { message: record.messageId, ...errorFields(error) });
        batchItemFailures.push({ itemIdentifier: record.messageId });
      }
    }
    return { batchItemFailures: [...batchItemFailures] };
  };
}

async function handle(ports: ReporterPorts, record: SQSRecord): Promise<void> {
  const request = parse(record.body);
  if (!request) return putAway(ports, record, 'This is no report request of a version that the reporter knows.');
  const state = await readState(ports, request.jobId);
  if (!state) return putAway(ports, record, `There is no job ${request.jobId}.`);
  // Also for a revision that is no longer the newest: its reporter may have died over files that were newer than its own.
  const revision = await report(ports, state);
  await ports.journal.post([
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
  if (!stopsRows(state.state)) return state.revision;
  const startedMs = ports.clock.now().getTime();
  const summary = await writeReportFiles(ports, state);
  await ports.results.write(`${resultsPrefix(state.job)}summary.json`, textOf(summary));
  ports.log('report.written', {
    job: summary.job,
    revision: summary.revision,
    state: summary.state,
    rows: summary.counts.rows,
    durationMs: ports.clock.now().getTime() - startedMs,
  });
  const now = await readState(ports, state.job.id);
  // Another reporter may have written the newer one meanwhile: whoever ends last must leave the newest files.
  return now && now.revision > state.revision ? report(ports, now) : summary.revision;
}

async function readState({ results }: ReporterPorts, jobId: string): Promise<State | undefined> {
  const stored = await results.read(stateKey(jobId));
  return stored && parseState(await stored.text());
}

async function putAway({ results, log }: ReporterPorts, record: SQSRecord, reason: string): Promise<void> {
  const { eventSourceARN, messageId, body } = record;
  await setAside(results, { queue: queueNameOf(eventSourceARN), messageId, body, reason }, log);
}

function parse(body: string): ReportRequest | undefined {
  try {
    return reportRequestSchema.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined; // not JSON
  }
}

const textOf = (summary: Summary): string => `${JSON.stringify(summary, undefined, 2)}\n`;
