import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';

import { systemChance, systemClock } from '../shared/aws/system.ts';
import { createAtlassian } from '../shared/atlassian/atlassian.ts';
import { RateLimited } from '../shared/atlassian/errors.ts';
import { isRejected } from '../shared/job/job.ts';
import { createCellReader } from '../shared/manifest/cells.ts';
import { type Columns, listCarried, mapHeader } from '../shared/manifest/header.ts';
import { ManifestRefused } from '../shared/manifest/refusal.ts';
import { findOperation } from '../shared/operations/index.ts';
import {
  bindOperation,
  type BoundOperation,
  type Cells,
  type PlannedRow,
  type RowFormat,
} from '../shared/operations/operation.ts';
import { UNDO } from '../shared/operations/undo.ts';
import { JOB } from './arguments.ts';
import { CommandFailed } from './failures.ts';
import { findJob } from './jobs.ts';
import { addPipelineCommand, openPipeline, openResults, openTargets, type PipelineOptions } from './pipeline.ts';
import { openReportCsv, REPORT_LIMITS } from './report-csv.ts';

const ROWS_AT_ONCE = 100;
const RESPONSE_LIMIT_BYTES = 8 * 2 ** 20;
const PLAN_MS = 60_000;
const ROUNDS = 10;
const PAUSE_MS = 1_000;

/** `verify <job>`: reads every changed row again and lists those that are not as the file asked; exits with 2 when there are any. */
export const addVerify = (program: Command): Command =>
  addPipelineCommand(program, 'verify', "read a job's changed rows again, and list those that have changed since", {
    0: 'every changed row is still as the file asked',
    1: 'the job cannot be verified; the message says why',
    2: 'some changed rows are not',
  })
    .argument('<job>', JOB)
    .option(
      '--secrets <prefix>',
      "how targets' secrets are named in a deployed pipeline (stack output TargetSecretPrefix)",
    )
    .action(async (idOrPart: string, options: PipelineOptions) => {
      process.exitCode = await verify(idOrPart, options);
    });

async function verify(idOrPart: string, options: PipelineOptions): Promise<number> {
  const pipeline = await openPipeline(options);
  const results = openResults(pipeline);
  const { job, state, prefix } = await findJob(results, idOrPart);
  if (isRejected(state)) {
    throw new CommandFailed(
      `${job.id} was rejected: no row was changed, so there is nothing to verify. ${prefix}summary.json says why.`,
    );
  }
  if (job.operation === UNDO) {
    throw new CommandFailed(
      `${job.id} took back what another job did, and its rows say nothing else. Its results.csv says what became of each.`,
    );
  }
  const target = await openTargets(pipeline).find(job.target);
  if (!target) {
    throw new CommandFailed(
      `There is no secret for "${job.target}", the target of ${job.id}. Create it again, or check that this is the pipeline that ran the job.`,
    );
  }
  const operation = findOperation(job.operation);
  const recipe = target.type === 'cloud' ? operation?.cloud : operation?.dataCenter;
  if (!operation || !recipe) {
    throw new CommandFailed(
      `${job.id} ran "${job.operation}", which this version does not have for a target of type ${target.type}.`,
    );
  }
  const openReport: OpenReport = async () => {
    const report = await results.read(`${prefix}results.csv`);
    if (report) return report.body;
    throw new CommandFailed(`${job.id} has no report yet. Verify it once \`status ${job.id}\` says it has ended.`);
  };

  const atlassian = createAtlassian({
    clock: systemClock,
    chance: systemChance,
    workers: 1,
    responseLimitBytes: RESPONSE_LIMIT_BYTES,
  });
  let read = 0;
  let broken = 0;
  for await (const rows of inBatches(changedRows(openReport, recipe), ROWS_AT_ONCE)) {
    const reasons = await planAgain(bindOperation(operation, atlassian.open(target)), rows);
    for (const [index, { line }] of rows.entries()) {
      if (reasons[index] === undefined) continue;
      console.log(`line ${line}: ${reasons[index]}`);
      broken += 1;
    }
    read += rows.length;
  }
  await atlassian.close();
  console.log(`${read - broken} of ${read} changed rows are still as the file asked.`);
  return broken > 0 ? 2 : 0;
}

/** Plans rows again; gives why a row is not as asked, or `undefined` when it is. */
async function planAgain(
  operation: BoundOperation,
  rows: readonly ChangedRow[],
): Promise<readonly (string | undefined)[]> {
  let plans = await plan(operation, rows);
  for (let round = 1; round < ROUNDS && plans.some(isUnread); round += 1) {
    await sleep(PAUSE_MS);
    const unread = rows.filter((_row, index) => isUnread(plans[index]));
    const again = [...(await plan(operation, unread))];
    plans = plans.map((planned) => (isUnread(planned) ? (again.shift() ?? planned) : planned));
  }
  return rows.map((_row, index) => reasonOf(plans[index]));
}

async function plan(operation: BoundOperation, rows: readonly ChangedRow[]): Promise<readonly PlannedRow[]> {
  const cells = rows.map((row) => row.cells);
  for (let round = 1; ; round += 1) {
    try {
      return await operation.plan(cells, AbortSignal.timeout(PLAN_MS));
    } catch (error) {
      if (!(error instanceof RateLimited) || round === ROUNDS) throw error;
      await sleep(Math.max(0, error.notBeforeMs - Date.now()));
    }
  }
}

const isUnread = (planned: PlannedRow | undefined): boolean => planned?.kind === 'unread';

function reasonOf(planned: PlannedRow | undefined): string | undefined {
  switch (planned?.kind) {
    case 'noop':
      return undefined;
    case 'refused':
      return `${planned.refusal.code}: ${planned.refusal.message}`;
    case 'change':
      return 'it is not as the row asks, or not any more; upload the row again to apply it';
    case 'unread':
      return `it could not be read: ${planned.error.message}`;
    case undefined:
      return 'it could not be read';
    default:
      return planned satisfies never;
  }
}

/** A row that a job changed, as its report has it. */
export interface ChangedRow {
  /** In the manifest. */
  readonly line: number;
  readonly cells: Cells;
}

/** Opens a report anew each time. */
export type OpenReport = () => Promise<AsyncIterable<Uint8Array>>;

type Format = Pick<RowFormat, 'columns' | 'required' | 'readHeader' | 'watch'>;

/** The rows of a results.csv that were changed, as an operation reads them. */
export async function* changedRows(open: OpenReport, format: Format): AsyncGenerator<ChangedRow> {
  const columns = await findColumns(open, format);
  const report = await openReportCsv(await open(), format.columns);
  const cellsOf = createCellReader(columns);
  const status = report.header.cells.indexOf('rollcall_status');
  const line = report.header.cells.indexOf('rollcall_line');
  for await (const rows of report.batches) {
    for (const row of rows) {
      if (row.cells[status] === 'changed') yield { line: Number(row.cells[line]), cells: cellsOf(row) };
    }
  }
}

/** What the columns of a report mean: where that hangs on the cells under them, all rows are read for it, as the job did. */
async function findColumns(open: OpenReport, format: Format): Promise<Pick<Columns, 'columns' | 'escaped'>> {
  const report = await openReportCsv(await open(), format.columns);
  const header = report.header.cells;
  const { columns, escaped } = mapHeader(report.header, format, { limits: REPORT_LIMITS });
  const watch = format.watch?.(columns, listCarried(header, columns));
  if (!watch) return { columns, escaped };
  for await (const rows of report.batches) for (const { line, cells } of rows) watch.add(line, cells);
  const settled = watch.settle();
  if ('problems' in settled) throw new ManifestRefused(settled.problems);
  return { columns: settled.columns, escaped };
}

/** Items a few at a time. */
export async function* inBatches<Item>(items: AsyncIterable<Item>, size: number): AsyncGenerator<readonly Item[]> {
  let batch: Item[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
