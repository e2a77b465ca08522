import type { SQSEvent } from 'aws-lambda';
import { parse } from 'csv-parse/sync';

import { createCoordinator } from '../../functions/coordinator/coordinator.ts';
import { createReporter } from '../../functions/reporter/reporter.ts';
import type { EventBody } from '../../shared/job/events.ts';
import { isSettled, PENDING, unpackRowStatuses } from '../../shared/job/row-status.ts';
import type { Summary } from '../../shared/job/summary.ts';
import { createCellReader } from '../../shared/manifest/cells.ts';
import type { ManifestLimits } from '../../shared/manifest/refusal.ts';
import type { Cells } from '../../shared/operations/operation.ts';
import type { Message } from '../../shared/ports.ts';
import { memoryQueue } from '../fakes/memory-queue.ts';
import { NOW, start } from '../functions/splitter/start.ts';
import { PAGE } from '../fakes/page-parts.ts';

/** What became of a manifest whose job was cancelled before any row was applied. */
export interface Carried {
  readonly jobId: string;
  readonly summary: Summary;
  /** Of each row that would have been planned. */
  readonly cells: readonly Cells[];
  /** The report's CSVs as bytes, by name. */
  readonly file: (name: string) => Buffer;
}

export interface Line {
  /** Drops a manifest into the inbox, lets it be validated, cancels it, and reads its report. */
  readonly carry: (manifest: Uint8Array, operation?: string) => Promise<Carried>;
  readonly logged: readonly string[];
}

/** The real splitter, coordinator and reporter over ports in memory. */
export function startLine(limits?: ManifestLimits): Line {
  const splitter = start(limits && { limits });
  const [reports, others] = [memoryQueue(), memoryQueue()];
  const clock = { now: () => NOW };
  let ids = 0;
  const log = (event: string): unknown => splitter.logged.push(event);
  const ports = { ...splitter, clock, eventsQueue: { post: async () => undefined }, log };
  const coordinator = createCoordinator({
    ...ports,
    validateQueue: others,
    planQueue: others,
    enqueueQueue: others,
    reports,
    page: PAGE,
    notices: others,
    chance: { uuid: () => `coordinator-${(ids += 1)}`, random: () => 0.5 },
    bounds: { windowRows: 100, windowSeconds: 2, overdueMs: 1e6, expiryMs: 1e9, resendMs: 1e6 },
    approvalMs: 3_600_000,
  });
  const reporter = createReporter({ ...ports, page: PAGE, deadLetters: others });

  return {
    logged: splitter.logged,
    carry: async (manifest, operation = 'membership') => {
      const eventsBefore = splitter.events.length;
      const jobId = await splitter.upload(`acme/${operation}/${(ids += 1)}.csv`, manifest);
      const own = splitter.events.slice(eventsBefore).map((body) => ({ body }));
      await must(coordinator(eventOf(own)));
      const isRead = own.some(({ body }) => body.type === 'validated');
      if (isRead) await must(coordinator(eventOf([{ body: cancelled(jobId) }])));
      const request = reports.messages.findLast(({ body }) => (body as { jobId: string }).jobId === jobId); // a report request
      if (!request) throw new Error('No report was asked for');
      await must(reporter(eventOf([request])));
      const folder = `acme/${operation}/${jobId}/`;
      return {
        jobId,
        summary: JSON.parse(splitter.results.textOf(`${folder}summary.json`)) as Summary, // the reporter's own writing
        cells: isRead ? soundCells(splitter, jobId) : [],
        file: (name) => Buffer.from(splitter.results.objects.get(`${folder}${name}`) ?? Buffer.alloc(0)),
      };
    },
  };
}

/** Our cells of the rows that validation found nothing wrong with. */
function soundCells({ validationOf, rowsOf }: ReturnType<typeof start>, jobId: string): readonly Cells[] {
  const validation = validationOf(jobId);
  const rowStatuses = unpackRowStatuses(validation.rowStatuses, validation.rows);
  const cellsOf = createCellReader(validation);
  return rowsOf(jobId).flatMap((row) => (isSettled(rowStatuses[row.row] ?? PENDING) ? [] : [cellsOf(row)]));
}

function cancelled(jobId: string): unknown {
  const body: EventBody = { type: 'commanded', command: 'cancel' };
  return { version: 1, id: `cancel-${jobId}`, jobId, at: NOW.toISOString(), ...body };
}

const eventOf = (messages: readonly Pick<Message, 'body'>[]): SQSEvent => {
  const records = messages.map(({ body }, index) => ({
    messageId: `message-${index}`,
    body: JSON.stringify(body),
    eventSourceARN: 'arn:aws:sqs:eu-west-1:123456789012:rollcall-queue',
  }));
  return { Records: records } as unknown as SQSEvent; // only what the functions read
};

async function must(answer: Promise<{ readonly batchItemFailures: readonly unknown[] }>): Promise<void> {
  const { batchItemFailures } = await answer;
  if (batchItemFailures.length > 0) throw new Error('A function gave its message back');
}

/** A CSV of a report, read by a reader that is not ours: every line has as many cells as the header, or it throws. */
export function readReport(file: Buffer, delimiter: string): readonly (readonly string[])[] {
  const text = file.toString('utf8');
  const withoutMark = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const start = withoutMark.startsWith(`sep=${delimiter}\r\n`) ? `sep=${delimiter}\r\n`.length : 0;
  return parse(withoutMark.slice(start), { delimiter, record_delimiter: '\r\n' });
}
