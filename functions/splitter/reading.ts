import type { Row, RowBatch } from '../../shared/manifest/rows.ts';
import type { Checked } from '../../shared/operations/operation.ts';
import type { ObjectStore } from '../../shared/ports.ts';
import { outcomeChunks, type OutcomeChunks } from './outcome-chunks.ts';
import { setLine, type RowTable } from './row-table.ts';

/** A manifest whose rows are known, and may be read again: what the steps of a validation work on. */
export interface Reading {
  readonly jobId: string;
  /** Tells its chunks from those of another reading of the same manifest, which may be under way at the same time. */
  readonly id: string;
  readonly rows: number;
  readonly table: RowTable;
  readonly results: ObjectStore;
  readonly now: () => Date;
  readonly check: (row: Row) => Checked;
  readonly batches: () => AsyncIterable<RowBatch>;
}

/** Reads every row's line into the table, where the words were. */
export async function readLines({ table, batches }: Reading): Promise<void> {
  for await (const { rows } of batches()) for (const { row, line } of rows) setLine(table, row, line);
}

/** Chunks for the outcomes that one step of the validation found. */
export const chunksOf = (
  { jobId, id, results, now }: Pick<Reading, 'jobId' | 'id' | 'results' | 'now'>,
  series: string,
): OutcomeChunks => outcomeChunks({ jobId, series: `validation-${id}-${series}` }, results, now);
