import { Readable } from 'node:stream';

import { mayHaveChanged, PENDING } from '../../shared/job/row-status.ts';
import { readGate, readRowPlans, type RowPlan, type StoredPlan } from '../../shared/job/plan.ts';
import type { State } from '../../shared/job/state.ts';
import { readValidation, type Validation } from '../../shared/job/validation.ts';
import { createCellReader } from '../../shared/manifest/cells.ts';
import { readRowChunks } from '../../shared/manifest/row-chunks.ts';
import type { Row } from '../../shared/manifest/rows.ts';
import { unescapeCell } from '../../shared/manifest/write-csv.ts';
import type { Cells } from '../../shared/operations/operation.ts';
import { JobNotReadable, type ObjectStore } from '../../shared/ports.ts';
import { type Findings, rowOutcomes, type RowResult } from './row-outcomes.ts';

/** A row as the files show it: as it is written, what was planned, and what became of it. */
export interface ReportedRow extends Pick<Row, 'row' | 'line' | 'cells'>, RowResult {
  readonly plan: RowPlan | undefined;
  /** Whether a write of it took effect, or may have. */
  readonly mayHaveChanged: boolean;
  /** The line of the row that must be as desired before this one can be applied. */
  readonly after: number | undefined;
}

/** A job's rows, whatever state it is in; one that was stopped before its validation has none. */
export interface ReportedRows {
  readonly delimiter: string;
  /** As it was before we escaped it, if we did. */
  readonly header: readonly string[];
  /** Our cells of a row. */
  readonly cellsOf: (row: Pick<Row, 'cells'>) => Cells;
  /** In order, those of one row chunk at a time; to be iterated once. */
  readonly chunks: AsyncIterable<readonly ReportedRow[]>;
  /** What was found amiss, once all are read. */
  readonly findings: () => Findings;
}

/** Joins a job's row chunks with its plan, events and state. Throws JobNotReadable when one of them is gone or was altered. */
export async function openReportedRows(results: ObjectStore, state: State): Promise<ReportedRows> {
  const validation = state.manifest && (await readValidation(results, state.job.id));
  if (state.manifest && !validation)
    throw new JobNotReadable(`The validation of ${state.job.id} is gone; upload the file again`);
  const { delimiter = ',', header = [], columns = [], escaped = false } = validation ?? {};
  const givenChunks = await nameGivenChunks(results, state, validation);
  const outcomes = rowOutcomes({ results, state, givenChunks });
  return {
    delimiter,
    header: escaped ? header.map(unescapeCell) : header,
    cellsOf: createCellReader({ columns, escaped: false }),
    chunks: validation ? joinRows({ results, state, validation }, outcomes) : Readable.from([]),
    findings: outcomes.findings,
  };
}

/** Which chunks hold outcomes that were given before anything was applied. */
async function nameGivenChunks(
  results: ObjectStore,
  { job, plan }: State,
  validation: Validation | undefined,
): Promise<ReadonlySet<string>> {
  const gate =
    plan?.gate && (await readGate(results, { jobId: job.id, attempt: plan.attempt, sha256: plan.gate.sha256 }));
  const chunks = [...(validation?.outcomeChunks ?? []), ...(gate?.outcomeChunks ?? [])];
  return new Set(chunks.map(({ name }) => name));
}

interface Stored {
  readonly results: ObjectStore;
  readonly state: State;
  readonly validation: Validation;
}

async function* joinRows(
  { results, state, validation }: Stored,
  outcomes: ReturnType<typeof rowOutcomes>,
): AsyncGenerator<readonly ReportedRow[], undefined> {
  const { job, plan, rowStatuses } = state;
  const { rowChunks, escaped } = validation;
  const stored = plan && { jobId: job.id, attempt: plan.attempt, chunks: plan.chunks.map((sha256) => sha256 ?? '') };
  const afterLine = new Map(plan?.gate?.dependencies.map(([row, , , onLine]) => [row, onLine]));
  let index = 0;
  for await (const rows of readRowChunks(results, { jobId: job.id, rowChunks })) {
    const planOf = await readPlanChunk(results, stored, index);
    const joined: ReportedRow[] = [];
    for (const { row, line, cells } of rows) {
      while (row >= outcomes.loadedUpTo()) await outcomes.loadMore();
      const planned = planOf.get(row);
      const result = outcomes.take({ row, line, plan: planned });
      joined.push({
        ...result,
        row,
        line,
        cells: escaped ? cells.map(unescapeCell) : cells,
        plan: planned,
        mayHaveChanged: mayHaveChanged(rowStatuses[row] ?? PENDING),
        after: afterLine.get(row),
      });
    }
    yield joined;
    index += 1;
  }
}

/** The plan of a row chunk, by row; empty while the chunk is not planned. */
async function readPlanChunk(
  results: ObjectStore,
  stored: StoredPlan | undefined,
  index: number,
): Promise<ReadonlyMap<number, RowPlan>> {
  if (!stored?.chunks[index]) return new Map();
  const plans = await readRowPlans(results, stored, index);
  return new Map(plans.map((plan) => [plan.row, plan]));
}
