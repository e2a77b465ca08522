import { resultsPrefix } from '../../shared/job/keys.ts';
import type { Problem } from '../../shared/job/events.ts';
import type { Outcome } from '../../shared/job/outcome.ts';
import type { RowPlan } from '../../shared/job/plan.ts';
import type { State } from '../../shared/job/state.ts';
import {
  type Amiss,
  countFailures,
  createTally,
  type Summary,
  summaryWith,
  type Tally,
} from '../../shared/job/summary.ts';
import { csvLineWriter, csvStart } from '../../shared/manifest/write-csv.ts';
import type { Cells } from '../../shared/operations/operation.ts';
import type { PageParts } from '../../shared/page/document.ts';
import { renderReport } from '../../shared/page/report-page.ts';
import type { ObjectStore } from '../../shared/ports.ts';
import {
  ownColumns,
  PLAN_COLUMNS,
  planCells,
  REPORT_COLUMNS,
  reportCells,
  UNDO_COLUMNS,
  undoCells,
} from './columns.ts';
import { gatherPageRows, type PageRows } from './page-rows.ts';
import { openReportFile, type ReportFile } from './report-file.ts';
import { openReportedRows, type ReportedRow, type ReportedRows } from './reported-rows.ts';
import type { Findings } from './row-outcomes.ts';

/** A row that failed, as its dead letter needs it. */
export interface FailedRow {
  readonly outcome: Outcome;
  readonly plan: RowPlan | undefined;
  /** Our cells of it. */
  readonly cells: Cells;
}

/** Gets the failed rows of a job in order, those of a few row chunks at a time. */
export type SendFailed = (rows: readonly FailedRow[]) => Promise<void>;

/** Writes a job's CSV files and its page from its row chunks, plan and events, and gives the summary that goes with them. */
export async function writeReportFiles(
  results: ObjectStore,
  state: State,
  parts: PageParts,
  sendFailed?: SendFailed,
): Promise<Summary> {
  const rows = await openReportedRows(results, state);
  const prefix = resultsPrefix(state.job);
  const open = (name: string): ReportFile => openReportFile(results, `${prefix}${name}`);
  const files = {
    all: open('results.csv'),
    failed: open('failed.csv'),
    unprocessed: open('unprocessed.csv'),
    plan: open('plan.csv'),
    undo: open('undo.csv'),
  };
  const page = gatherPageRows({
    operation: state.job.operation,
    rows: state.rows,
    names: ownColumns(rows.header).names,
    waits: state.waits ?? [],
  });
  try {
    const tally = await writeRows({ ...files, page }, rows, state, sendFailed && gatherFailed(rows, sendFailed));
    await Promise.all(Object.values(files).map((file) => file.close()));
    const summary = summaryWith(state, tally, amissIn(rows.findings()));
    const { columns } = page;
    await results.write(`${prefix}report.html`, renderReport({ summary, columns, ...page.total(), ...parts }));
    return summary;
  } catch (error) {
    await Promise.all(Object.values(files).map((file) => file.abandon(error)));
    throw error;
  }
}

type CsvFiles = Readonly<Record<'all' | 'failed' | 'unprocessed' | 'plan' | 'undo', ReportFile>>;

interface Files extends CsvFiles {
  readonly page: PageRows;
}

async function writeRows(
  { page, ...files }: Files,
  { delimiter, header, chunks }: ReportedRows,
  state: State,
  failures?: FailureGatherer,
): Promise<Tally> {
  const write = lineWriter(csvLineWriter(delimiter));
  const own = ownColumns(header);
  const tally = createTally(state.rows);
  const failing = countFailures();
  const { operation } = state.job;
  const reports = [files.all, files.failed, files.unprocessed];
  for (const file of Object.values(files)) await file.write(csvStart(delimiter));
  await write(reports, [...own.names, ...REPORT_COLUMNS]);
  await write([files.plan], [...own.names, ...PLAN_COLUMNS]);
  await write([files.undo], UNDO_COLUMNS);

  for await (const chunk of chunks) {
    for (const row of chunk) {
      const { outcome } = row;
      tally.add(outcome.status, outcome.code);
      failing.add(outcome);
      const cells = own.cellsOf(row.cells, delimiter);
      page.add(row, cells);
      const undo = undoCells(state, row);
      const catchingUp = [
        write(filesFor(outcome, files), [...cells, ...reportCells(operation, row)]),
        write([files.plan], [...cells, ...planCells(operation, row)]),
        undo && write([files.undo], undo),
      ].filter((waiting) => waiting !== undefined);
      if (catchingUp.length > 0) await Promise.all(catchingUp);
    }
    await failures?.add(chunk);
  }
  await failures?.finish();
  return { ...tally.total(), failures: failing.total() };
}

/** Writes a line to files; gives a promise only when one of them has to catch up, for a turn of the event loop a row costs more than the row. */
const lineWriter =
  (lineOf: (cells: readonly string[]) => string) =>
  (files: readonly ReportFile[], cells: readonly string[]): Promise<unknown> | undefined => {
    const line = lineOf(cells);
    const catchingUp = files.map((file) => file.write(line)).filter((waiting) => waiting !== undefined);
    return catchingUp.length > 0 ? Promise.all(catchingUp) : undefined;
  };

function filesFor({ status }: Outcome, { all, failed, unprocessed }: CsvFiles): readonly ReportFile[] {
  if (status === 'failed' || status === 'invalid') return [all, failed];
  return status === 'unprocessed' ? [all, unprocessed] : [all];
}

interface FailureGatherer {
  readonly add: (chunk: readonly ReportedRow[]) => Promise<void>;
  readonly finish: () => Promise<void>;
}

/** Few enough that their rows fit into memory, however wide; enough that a long job's failures are sent in some hundred goes. */
const CHUNKS_AT_ONCE = 4;

function gatherFailed({ cellsOf }: ReportedRows, send: SendFailed): FailureGatherer {
  let gathered: FailedRow[] = [];
  let chunks = 0;
  const finish = async (): Promise<void> => {
    const failed = gathered;
    [gathered, chunks] = [[], 0];
    if (failed.length > 0) await send(failed);
  };
  return {
    add: async (rows) => {
      for (const row of rows)
        if (row.outcome.status === 'failed')
          gathered.push({ outcome: row.outcome, plan: row.plan, cells: cellsOf(row) });
      chunks += 1;
      if (chunks === CHUNKS_AT_ONCE) await finish();
    },
    finish,
  };
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
