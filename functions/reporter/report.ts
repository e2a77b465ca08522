import { Readable } from 'node:stream';

import { resultsPrefix } from '../../shared/job/keys.ts';
import type { Problem } from '../../shared/job/events.ts';
import type { Outcome } from '../../shared/job/outcome.ts';
import type { State } from '../../shared/job/state.ts';
import { type Amiss, createTally, type Summary, summaryWith, type Tally } from '../../shared/job/summary.ts';
import { readValidation } from '../../shared/job/validation.ts';
import { JobNotReadable, readRowChunks } from '../../shared/manifest/row-chunks.ts';
import type { Row } from '../../shared/manifest/rows.ts';
import { csvLineWriter, csvStart, unescapeCell } from '../../shared/manifest/write-csv.ts';
import type { ObjectStore } from '../../shared/ports.ts';
import { ownColumns, REPORT_COLUMNS, reportCells } from './report-columns.ts';
import { openReportFile, type ReportFile } from './report-file.ts';
import { type Findings, type RowOutcomes, rowOutcomes } from './row-outcomes.ts';

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
  if (!validation) throw new JobNotReadable(`The validation of ${job.id} is gone; upload its manifest again`);
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
