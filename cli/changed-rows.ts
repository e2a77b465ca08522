import { createCellReader } from '../shared/manifest/cells.ts';
import { mapHeader, type Wanted } from '../shared/manifest/header.ts';
import type { ManifestLimits } from '../shared/manifest/limits.ts';
import { openManifest } from '../shared/manifest/manifest.ts';
import type { Cells } from '../shared/operations/operation.ts';

/** A row that a job changed, as its report has it. */
export interface ChangedRow {
  /** In the manifest. */
  readonly line: number;
  readonly cells: Cells;
}

// Whatever could be read as a manifest is longer by its outcome as a report.
const LIMITS: ManifestLimits = {
  manifestBytes: Infinity,
  rows: Infinity,
  rowBytes: 8 * 2 ** 20,
  columns: 10_000,
  cellCharacters: 8 * 2 ** 20,
};

/** The rows of a results.csv that were changed, as an operation reads them. */
export async function* changedRows(body: AsyncIterable<Uint8Array>, wanted: Wanted): AsyncGenerator<ChangedRow> {
  const report = await openManifest(body, { limits: LIMITS, columns: wanted.columns });
  const cellsOf = createCellReader(mapHeader(report.header, wanted, LIMITS));
  const status = report.header.cells.indexOf('rollcall_status');
  const line = report.header.cells.indexOf('rollcall_line');
  for await (const { rows } of report.batches) {
    for (const row of rows) {
      if (row.cells[status] === 'changed') yield { line: Number(row.cells[line]), cells: cellsOf(row) };
    }
  }
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
