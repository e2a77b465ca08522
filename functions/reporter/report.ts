import { Readable } from 'node:stream';

import { resultsPrefix } from '../../shared/job/keys.ts';
import type { Problem } from '../../shared/job/events.ts';
import { CODES, type Outcome } from '../../shared/job/outcome.ts';
import type { State } from '../../shared/job/state.ts';
import { type Amiss, createTally, type Summary, summaryWith, type Tally } from '../../shared/job/summary.ts';
import { readValidation } from '../../shared/job/validation.ts';
import { JobNotReadable, readRowChunks } from '../../shared/manifest/row-chunks.ts';
import type { Row } from '../../shared/manifest/rows.ts';
import { csvLineWriter, csvStart, unescapeCell } from '../../shared/manifest/write-csv.ts';
import type { ObjectStore } from '../../shared/ports.ts';
import { type Findings, rowOutcomes, type RowOutcomes } from './row-outcomes.ts';
import { isReportColumn } from '../../shared/manifest/header.ts';
import { isBlank } from '../../shared/manifest/cells.ts';

/** Writes a job's three CSV files from its row chunks and events, and gives the summary that goes with them. */
export async function writeReportFiles(results: ObjectStore, state: State): Promise<Summary> {
  const folder = resultsPrefix(state.job);
  const manifest = await readManifest(results, state);
  const open = (name: string): ReportFile => openReportFile(results, `${folder}${name}`);
  const files = { all: open('results.csv'), failed: open('failed.csv'), unprocessed: open('unprocessed.csv') };
  try {
    const outcomes = rowOutcomes(results, state);
    const tally = await writeRows(files, outcomes, state, manifest);
    await Promise.all(Object.values(files).map((file) => file.close()));
    return summaryWith(state, tally, amissIn(outcomes.findings()));
  } catch (error) {
    await Promise.all(Object.values(files).map((file) => file.abandon(error)));
    throw error;
  }
}

/** A manifest's header and its rows in order, as they were before we escaped them, if we did. */
interface Manifest {
  readonly delimiter: string;
  readonly header: readonly string[];
  readonly rows: AsyncIterable<readonly Row[]>;
}

/** A job that was refused or stopped before its validation has no rows. */
async function readManifest(results: ObjectStore, { job, manifest }: State): Promise<Manifest> {
  if (!manifest) return { delimiter: ',', header: [], rows: Readable.from([]) };
  const validation = await readValidation(results, job.id);
  if (!validation) throw new JobNotReadable(`The validation of ${job.id} is gone; upload the file again`);
  const { delimiter, header, escaped, rowChunks } = validation;
  const rows = readRowChunks(results, { jobId: job.id, rowChunks });
  return escaped ? { delimiter, header: header.map(unescapeCell), rows: unescaped(rows) } : { delimiter, header, rows };
}

async function* unescaped(chunks: AsyncIterable<readonly Row[]>): AsyncGenerator<readonly Row[]> {
  for await (const rows of chunks) yield rows.map((row) => ({ ...row, cells: row.cells.map(unescapeCell) }));
}

interface Files {
  readonly all: ReportFile;
  readonly failed: ReportFile;
  readonly unprocessed: ReportFile;
}

async function writeRows(
  files: Files,
  outcomes: RowOutcomes,
  state: State,
  { delimiter, header, rows }: Manifest,
): Promise<Tally> {
  const lineOf = csvLineWriter(delimiter);
  const own = ownColumns(header);
  const tally = createTally(state.rows);
  const start = csvStart(delimiter) + lineOf([...own.names, ...REPORT_COLUMNS]);
  for (const file of [files.all, files.failed, files.unprocessed]) await file.write(start);

  for await (const chunk of rows) {
    for (const { row, line, cells } of chunk) {
      while (row >= outcomes.loadedUpTo()) await outcomes.loadMore();
      const outcome = outcomes.take(row, line);
      tally.add(outcome.status, outcome.code);
      const text = lineOf([...own.cellsOf(cells, delimiter), ...reportCells(outcome)]);
      for (const file of filesFor(outcome, files)) {
        const catchingUp = file.write(text);
        if (catchingUp) await catchingUp;
      }
    }
  }
  return tally.total();
}

function filesFor({ status }: Outcome, { all, failed, unprocessed }: Files): readonly ReportFile[] {
  if (status === 'failed' || status === 'invalid') return [all, failed];
  return status === 'unprocessed' ? [all, unprocessed] : [all];
}

function amissIn({ disagreeing, firstDisagreeing = 0, missingChunks }: Findings): Amiss {
  const found: Problem[] = [];
  if (missingChunks.length > 0)
    found.push({ message: `Some of the job's events are gone: ${missingChunks.slice(0, 10).join(', ')}.` });
  if (disagreeing > 0) {
    const rows = `${disagreeing} rows, the first of them row ${firstDisagreeing + 1}`;
    found.push({ message: `Events and state disagree about ${rows}. Report this, with the job's id.` });
  }
  return { problems: found, broken: disagreeing > 0 };
}

/** The columns that a report adds to the manifest's own. */
export const REPORT_COLUMNS = [
  'rollcall_line',
  'rollcall_status',
  'rollcall_code',
  'rollcall_message',
  'rollcall_http_status',
  'rollcall_attempts',
  'rollcall_trace_id',
  'rollcall_finished_at',
] as const;

/** An outcome as the cells of REPORT_COLUMNS. */
export const reportCells = (outcome: Outcome): readonly string[] => [
  outcome.line > 0 ? String(outcome.line) : '',
  outcome.status,
  outcome.code ?? '',
  messageOf(outcome),
  outcome.httpStatus === undefined ? '' : String(outcome.httpStatus),
  String(outcome.attempts),
  outcome.traceId ?? '',
  outcome.finishedAt,
];

/** What happened, and what to do about it. */
function messageOf({ message, code }: Outcome): string {
  const remedy = code === undefined ? '' : CODES[code].remedy;
  if (!message) return remedy;
  if (remedy === '' || message.includes(remedy)) return message;
  return `${/[.!?]$/.test(message) ? message : `${message}.`} ${remedy}`;
}

/** Picks a row's own cells out of the manifest's, for a file in which every line has as many cells as the header. */
export function ownColumns(header: readonly string[]): {
  readonly names: readonly string[];
  readonly cellsOf: (cells: readonly string[], delimiter: string) => readonly string[];
} {
  const kept = header.flatMap((name, index) => (isReportColumn(name) ? [] : [index]));
  return {
    names: kept.map((index) => header[index] ?? ''),
    cellsOf: (cells, delimiter) => {
      const own = kept.map((index) => cells[index] ?? '');
      const surplus = cells.slice(header.length);
      // A surplus cell stays in sight, in the last column: without it a row that was invalid might look like another, valid one.
      if (!surplus.every(isBlank) && own.length > 0) own.push([own.pop(), ...surplus].join(delimiter));
      return own;
    },
  };
}

/** A file that is stored while it is written, line by line. */
export interface ReportFile {
  /** Gives a promise now and then, when the store has to catch up: await it before the next line. */
  readonly write: (line: string) => Promise<void> | undefined;
  /** Resolves once the whole file is stored. */
  readonly close: () => Promise<void>;
  /** Leaves whatever was stored under the key as it was. */
  readonly abandon: (reason: unknown) => Promise<void>;
}

/** Characters that are handed on at a time, and how many such pieces may wait. */
const PIECE = 65_536;
const PIECES_WAITING = 4;

/** Opens a file for text, with bounded memory however long it becomes. */
export function openReportFile(store: ObjectStore, key: string): ReportFile {
  const { readable, writable } = new TransformStream<string, string>(
    {},
    new CountQueuingStrategy({ highWaterMark: PIECES_WAITING }),
  );
  const writer = writable.getWriter();
  let piece = '';

  // A store that fails without reading on would otherwise leave the writer waiting for it for ever.
  const stored = store.writeStream(key, readable).catch(async (error: unknown) => {
    await writer.abort(error).catch(() => undefined);
    throw error;
  });
  stored.catch(() => undefined); // whoever closes or abandons the file hears of it

  const flush = (): Promise<void> => {
    const text = piece;
    piece = '';
    return writer.write(text);
  };

  return {
    write: (line) => {
      piece += line;
      return piece.length < PIECE ? undefined : flush();
    },
    close: async () => {
      await flush();
      await writer.close();
      await stored;
    },
    abandon: async (reason) => {
      await writer.abort(reason).catch(() => undefined);
      await stored.catch(() => undefined);
    },
  };
}
