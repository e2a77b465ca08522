import { RollcallError } from '../../shared/errors.ts';
import { resultsPrefix } from '../../shared/job/keys.ts';
import type { Problem } from '../../shared/job/events.ts';
import type { Outcome } from '../../shared/job/outcome.ts';
import type { State } from '../../shared/job/state.ts';
import { type Amiss, createTally, type Summary, summaryWith, type Tally } from '../../shared/job/summary.ts';
import { csvLineWriter, csvStart } from '../../shared/manifest/write-csv.ts';
import type { ObjectStore } from '../../shared/ports.ts';
import { type ManifestRows, readManifestAgain } from './manifest-rows.ts';
import { ownColumns, REPORT_COLUMNS, reportCells } from './report-columns.ts';
import { openReportFile, type ReportFile } from './report-file.ts';
import { type Findings, type RowOutcomes, rowOutcomes } from './row-outcomes.ts';

export interface ReportPorts {
  readonly inbox: ObjectStore;
  readonly results: ObjectStore;
}

/** Writes a job's three CSV files from its manifest and events, and gives the summary that goes with them. */
export async function writeReportFiles(ports: ReportPorts, state: State): Promise<Summary> {
  if (state.manifest) {
    try {
      const manifest = await readManifestAgain(ports, state);
      if (manifest) return await writeFiles(ports, state, manifest, []);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
    }
  }
  // A job that was refused or stopped before its validation has no rows to miss.
  return writeFiles(ports, state, undefined, state.rows > 0 ? [{ message: MANIFEST_GONE }] : []);
}

const MANIFEST_GONE =
  'The manifest can no longer be read from the inbox, so the files hold the rollcall_ columns alone.';

/** The manifest is not what was validated; what is temporary is tried again as a whole instead. */
const isUnreadable = (error: unknown): boolean => error instanceof RollcallError && !error.temporary;

async function writeFiles(
  { results }: ReportPorts,
  state: State,
  manifest: ManifestRows | undefined,
  problems: readonly Problem[],
): Promise<Summary> {
  const folder = resultsPrefix(state.job);
  const open = (name: string): ReportFile => openReportFile(results, `${folder}${name}`);
  const files = { all: open('results.csv'), failed: open('failed.csv'), unprocessed: open('unprocessed.csv') };
  try {
    const outcomes = rowOutcomes(results, state);
    const tally = await writeRows(files, outcomes, state, manifest);
    await Promise.all(Object.values(files).map((file) => file.close()));
    return summaryWith(state, tally, amissIn(outcomes.findings(), problems));
  } catch (error) {
    await Promise.all(Object.values(files).map((file) => file.abandon(error)));
    throw error;
  }
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
  manifest: ManifestRows | undefined,
): Promise<Tally> {
  const delimiter = state.manifest?.delimiter ?? ',';
  const lineOf = csvLineWriter(delimiter);
  const own = ownColumns(manifest?.header ?? []);
  const tally = createTally(state.rows);
  const header = csvStart(delimiter) + lineOf([...own.names, ...REPORT_COLUMNS]);
  for (const file of [files.all, files.failed, files.unprocessed]) await file.write(header);

  for await (const rows of manifest?.batches ?? numbersOf(state)) {
    for (const { row, line, cells } of rows) {
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

/** The rows of a manifest that is gone: numbers alone. */
async function* numbersOf({ rows }: State): ManifestRows['batches'] {
  for (let row = 0; row < rows; row += 1) yield [{ row, line: 0, cells: [] }];
}

function amissIn({ disagreeing, firstDisagreeing = 0, missingChunks }: Findings, problems: readonly Problem[]): Amiss {
  const found: Problem[] = [...problems];
  if (missingChunks.length > 0)
    found.push({ message: `Some of the job's events are gone: ${missingChunks.slice(0, 10).join(', ')}.` });
  if (disagreeing > 0) {
    const rows = `${disagreeing} rows, the first of them row ${firstDisagreeing + 1}`;
    found.push({ message: `Events and state disagree about ${rows}. Report this, with the job's id.` });
  }
  return { problems: found, broken: disagreeing > 0 };
}
