import { rowStatusOf, packRowStatuses } from '../../shared/job/row-status.ts';
import type { Job } from '../../shared/job/job.ts';
import { POSITION_EVERY, type Position, type Validation } from '../../shared/job/validation.ts';
import type { Encoding } from '../../shared/manifest/encoding.ts';
import { mapHeader } from '../../shared/manifest/header.ts';
import { checkSize, type ManifestLimits } from '../../shared/manifest/limits.ts';
import { openManifest, readFrom, type Manifest } from '../../shared/manifest/manifest.ts';
import type { Row, RowBatch } from '../../shared/manifest/rows.ts';
import type { Chance, ObjectStore } from '../../shared/ports.ts';
import { findConflicts } from './find-conflicts.ts';
import { findOrder } from './find-order.ts';
import type { RowPlan } from './find-plan.ts';
import type { ManifestSource } from './manifest-source.ts';
import { chunksOf, type Reading } from './reading.ts';
import { subjectStep } from './repeats.ts';
import { createCheck } from './row-check.ts';
import { createRowTable, rowStatusesOf, settle, unfreshen } from './row-table.ts';

export interface ValidationRequest {
  readonly job: Job;
  readonly plan: RowPlan;
  readonly encoding: Encoding | undefined;
  readonly source: ManifestSource;
}

export interface RowPorts {
  readonly results: ObjectStore;
  readonly now: () => Date;
  readonly chance: Chance;
  readonly limits: ManifestLimits;
}

const INVALID = rowStatusOf('invalid', 'INVALID_ROW');
/** No row takes less: one character and its line end. */
const LEAST_ROW_BYTES = 2;

/**
 * Reads the rows once to check them, and again only where more has to be known: for the lines of rows that conflict, for
 * an operation's further subjects, and for the order of rows. Throws ManifestRefused and NotUtf8.
 */
export async function validateRows(
  { job, plan, encoding, source }: ValidationRequest,
  ports: RowPorts,
): Promise<Validation> {
  const { body, bytes } = await source.open();
  try {
    const manifest = await openManifest(body, { limits: ports.limits, encoding, columns: plan.recipe.columns });
    const { limits } = manifest;
    checkSize(bytes, limits);
    const columns = mapHeader(manifest.header, plan.recipe, limits);
    const reading = {
      ...ports,
      jobId: job.id,
      id: ports.chance.uuid().slice(0, 8),
      table: createRowTable(Math.min(limits.rows, Math.ceil(bytes / LEAST_ROW_BYTES) + 1)),
      check: createCheck(plan, { header: manifest.header.cells, columns, limits }),
      batches: () => readAgain(manifest, source, limits),
    };
    const first = await readFirst(reading, manifest);
    const found = await readFurther({ ...reading, rows: first.rows }, first);
    return {
      version: 1,
      rows: first.rows,
      encoding: manifest.encoding,
      delimiter: manifest.delimiter,
      carriedColumns: [...columns.carriedColumns],
      columns: [...columns.columns],
      escaped: columns.escaped,
      rowStatuses: packRowStatuses(rowStatusesOf(reading.table, first.rows)),
      chunks: [...first.chunks, ...found.chunks],
      positions: first.positions,
      mixed: first.namings.size > 1,
      ordered: found.ordered,
    };
  } finally {
    body.destroy();
  }
}

async function* readAgain(
  manifest: Manifest,
  source: ManifestSource,
  limits: ManifestLimits,
): AsyncGenerator<RowBatch> {
  const { body } = await source.open(manifest.first.offset);
  yield* readFrom(body, manifest, manifest.first, limits);
}

interface FirstReading {
  readonly rows: number;
  readonly positions: Position[];
  readonly chunks: Validation['chunks'];
  /** How many rows repeat or contradict another by their first subject. */
  readonly conflicts: number;
  readonly subjectsPerRow: number;
  /** The terms in which rows name what they are about. */
  readonly namings: ReadonlySet<string>;
  readonly freeing: number;
  readonly taking: number;
}

async function readFirst(reading: Omit<Reading, 'rows'>, manifest: Manifest): Promise<FirstReading> {
  const { table, check } = reading;
  const invalid = chunksOf(reading, 'invalid');
  const subjects = subjectStep(table, { findsRepeats: true });
  const positions: Position[] = [];
  const namings = new Set<string>();
  let [count, subjectsPerRow, freeing, taking] = [0, 0, 0, 0];

  for await (const { rows } of manifest.batches) {
    for (const row of rows) {
      if (row.row % POSITION_EVERY === 0) positions.push(positionOf(row));
      const checked = check(row);
      if ('problems' in checked) {
        settle(table, row.row, INVALID);
        unfreshen(table, row.row);
        const message = checked.problems.join(' ');
        const written = invalid.add({ row: row.row, line: row.line, status: 'invalid', code: 'INVALID_ROW', message });
        if (written) await written;
        continue;
      }
      const [first] = checked.keys;
      if (first) subjects.add(row.row, first);
      if (checked.naming !== undefined) namings.add(checked.naming);
      subjectsPerRow = Math.max(subjectsPerRow, checked.keys.length);
      if (checked.frees !== undefined) freeing += 1;
      if (checked.takes !== undefined) taking += 1;
    }
    count += rows.length;
  }
  if (positions.length === 0) positions.push(manifest.first);
  const chunks = await invalid.finish();
  return { rows: count, positions, chunks, conflicts: subjects.finish(), subjectsPerRow, namings, freeing, taking };
}

const positionOf = ({ row, line, offset }: Row): Position => ({ row, line, offset });

async function readFurther(
  reading: Reading,
  { conflicts, subjectsPerRow, freeing, taking }: FirstReading,
): Promise<{ readonly chunks: Validation['chunks']; readonly ordered: boolean }> {
  const conflicting = await findConflicts(reading, { conflicts, subjectsPerRow });
  if (freeing === 0 || taking === 0) return { chunks: conflicting, ordered: false };
  const { chunks, ordered } = await findOrder(reading);
  return { chunks: [...conflicting, ...chunks], ordered };
}
