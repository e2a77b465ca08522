import { createOutcomeChunks, type OutcomeChunks, type Unsent } from '../../shared/job/outcome-chunks.ts';
import { packRowStatuses, PENDING, rowStatusOf } from '../../shared/job/row-status.ts';
import type { Validation } from '../../shared/job/validation.ts';
import { checkCells, createCellReader, createShapeChecker } from '../../shared/manifest/cells.ts';
import { leastCells, type Columns } from '../../shared/manifest/header.ts';
import { refuse, refuseRowCount, type ManifestLimits } from '../../shared/manifest/refusal.ts';
import type { Manifest } from '../../shared/manifest/manifest.ts';
import { createRowChunkWriter } from '../../shared/manifest/row-chunks.ts';
import type { Row } from '../../shared/manifest/rows.ts';
import type { CellWatch, Problems } from '../../shared/operations/operation.ts';
import type { Chance, ObjectStore } from '../../shared/ports.ts';
import type { Destination } from './destination.ts';
import type { UndoneJobs } from './undone-job.ts';

export interface RowPorts {
  readonly results: ObjectStore;
  /** The most rows of a row chunk, where that is not the usual number. */
  readonly chunkRows?: number | undefined;
  readonly now: () => Date;
  readonly chance: Chance;
}

/** What a validation says of the rows. */
export type ValidatedRows = Pick<Validation, 'rows' | 'rowStatuses' | 'outcomeChunks' | 'rowChunks'>;

/** A manifest that is being read, and how its rows are checked. */
export interface Reading {
  readonly jobId: string;
  /** Of the whole file. */
  readonly bytes: number;
  readonly manifest: Manifest;
  readonly check: (row: Row) => Problems;
}

/** Checks a row: gives all its problems. Throws ManifestRefused where it shows that the file is meant for something else. */
export function createCheck(
  { target, operation, rowFormat }: Destination,
  file: {
    readonly header: readonly string[];
    readonly columns: Columns;
    readonly limits: ManifestLimits;
    readonly isGuessed: boolean;
    readonly watch?: Pick<CellWatch, 'add'> | undefined;
    readonly undone?: Pick<UndoneJobs, 'add'> | undefined;
  },
): Reading['check'] {
  const cellsOf = createCellReader(file.columns);
  const misshapen = createShapeChecker(file.header, leastCells(file.columns.columns, rowFormat));
  const source = { limits: file.limits, isGuessed: file.isGuessed, escaped: file.columns.escaped };
  const refuseForeign = createForeignCheck(file.header, { target: target.name, operation });
  return (row) => {
    const shape = misshapen(row);
    if (shape !== undefined) return [shape];
    refuseForeign(row);
    file.watch?.add(row.line, row.cells);
    const cells = cellsOf(row);
    file.undone?.add(row.line, cells);
    return [...checkCells(row, cells, source), ...rowFormat.check(cells, target)];
  };
}

/** A file of ours says which operation it is of: it is refused in another one's folder. */
function createForeignCheck(
  header: readonly string[],
  here: { readonly target: string; readonly operation: string },
): (row: Row) => void {
  const column = header.findIndex((cell) => cell.trim().toLowerCase() === 'rollcall_operation');
  return ({ line, cells }) => {
    const operation = column < 0 ? '' : (cells[column] ?? '').trim();
    if (operation === '' || operation === here.operation) return;
    refuse(
      `this is a file that Rollcall wrote for ${operation}, and it lies in the folder of ${here.operation}; ` +
        `put it into ${here.target}/${operation}/, and to take back what a job did use that job's undo.csv`,
      line,
    );
  };
}

/** Reads the rows once: writes them into row chunks, and checks each by itself. Throws ManifestRefused and NotUtf8. */
export async function validateRows(reading: Reading, ports: RowPorts): Promise<ValidatedRows> {
  const { jobId, manifest, check } = reading;
  const id = ports.chance.uuid().slice(0, 8); // another reading of the same manifest may be under way at the same time
  const invalid: OutcomeChunks = createOutcomeChunks({ jobId, series: `validation-${id}` }, ports.results, ports.now);
  const rowChunks = createRowChunkWriter(ports.results, jobId, ports.chunkRows);
  const rowStatuses: number[] = [];
  let invalidSoFar = 0; // as long as no row is sound
  try {
    for await (const rows of manifest.batches) {
      for (const row of rows) {
        if (row.row >= manifest.limits.rows) refuseRows(reading, row, rows);
        const problems = check(row);
        if (problems.length > 0 && invalidSoFar === rowStatuses.length) {
          invalidSoFar += 1;
          if (invalidSoFar === MOST_INVALID_AT_FIRST) refuseAllInvalid(row, problems);
        }
        rowStatuses.push(problems.length > 0 ? INVALID : PENDING);
        // Only promises are awaited, since a turn of the event loop a row costs more than the row.
        const stored = rowChunks.add(row);
        if (stored) await stored;
        const told = problems.length > 0 ? invalid.add(invalidRow(row, problems)) : undefined;
        if (told) await told;
      }
    }
    return {
      rows: rowStatuses.length,
      rowStatuses: packRowStatuses(Uint8Array.from(rowStatuses)),
      outcomeChunks: await invalid.finish(),
      rowChunks: await rowChunks.finish(),
    };
  } finally {
    await rowChunks.abandon();
  }
}

/** A file without a sound row among so many first ones is no list of people; each row told by itself would be gigabytes of reports. */
const MOST_INVALID_AT_FIRST = 20_000;

const refuseAllInvalid = ({ line }: Row, [problem = '']: Problems): never =>
  refuse(
    `none of the first ${MOST_INVALID_AT_FIRST.toLocaleString('en')} rows can be read, and of this one that is so since: ${problem} Correct the file's columns or cells, and upload it again`,
    line,
  );

/** Says about how many rows the file has, from those of so many of its bytes; `row` is the first too many. */
function refuseRows({ bytes, manifest }: Reading, row: Row, batch: readonly Row[]): never {
  const rowsRead = row.row + batch.length - batch.indexOf(row);
  return refuseRowCount(Math.round((rowsRead * bytes) / manifest.bytesRead()), row.line, manifest.limits);
}

const invalidRow = ({ row, line }: Row, problems: Problems): Unsent => ({
  row,
  line,
  status: 'invalid',
  code: 'INVALID_ROW',
  message: problems.join(' '),
});

const INVALID = rowStatusOf('invalid', 'INVALID_ROW');
