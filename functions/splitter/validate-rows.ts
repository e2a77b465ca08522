import { packRowStatuses, PENDING, rowStatusOf } from '../../shared/job/row-status.ts';
import type { RowChunk, Validation } from '../../shared/job/validation.ts';
import { checkCells, createCellReader, createShapeChecker } from '../../shared/manifest/cells.ts';
import type { Columns } from '../../shared/manifest/header.ts';
import { refuseRowCount, type ManifestLimits } from '../../shared/manifest/refusal.ts';
import type { Manifest } from '../../shared/manifest/manifest.ts';
import { createRowChunkWriter, readRowChunks } from '../../shared/manifest/row-chunks.ts';
import type { Row } from '../../shared/manifest/rows.ts';
import type { Checked } from '../../shared/operations/operation.ts';
import type { Chance, ObjectStore } from '../../shared/ports.ts';
import type { RowPlan } from './intake.ts';
import { createOutcomeChunks, type OutcomeChunks, type Unsent } from './outcome-chunks.ts';
import {
  circleMessage,
  conflictWith,
  CONTRADICTION,
  createConflicts,
  createOrder,
  createSubjects,
  type Waiting,
  writeOrder,
} from './relations.ts';

export interface RowPorts {
  readonly results: ObjectStore;
  readonly now: () => Date;
  readonly chance: Chance;
}

/** What a validation says of the rows. */
export type ValidatedRows = Pick<
  Validation,
  'rows' | 'rowStatuses' | 'outcomeChunks' | 'rowChunks' | 'mixed' | 'ordered'
>;

/** A manifest that is being read, and how its rows are checked. */
export interface Reading {
  readonly jobId: string;
  /** Of the whole file. */
  readonly bytes: number;
  readonly manifest: Manifest;
  readonly check: (row: Row) => Checked;
}

/** Checks a row: all its problems, or its subjects. */
export function createCheck(
  { target, recipe }: RowPlan,
  file: { readonly header: readonly string[]; readonly columns: Columns; readonly limits: ManifestLimits },
): Reading['check'] {
  const cellsOf = createCellReader(file.columns);
  const misshapen = createShapeChecker(file.header);
  return (row) => {
    const shape = misshapen(row);
    if (shape !== undefined) return { problems: [shape] };
    const cells = cellsOf(row);
    const unreadable = checkCells(row, cells, file.limits);
    const checked = recipe.check(cells, target);
    if (unreadable.length === 0) return checked;
    return { problems: 'problems' in checked ? [...unreadable, ...checked.problems] : unreadable };
  };
}

/**
 * Reads the rows once: writes them into row chunks, checks each by itself, and compares them. Throws ManifestRefused and NotUtf8.
 */
export async function validateRows(reading: Reading, ports: RowPorts): Promise<ValidatedRows> {
  const { jobId } = reading;
  const id = ports.chance.uuid().slice(0, 8); // another reading of the same manifest may be under way at the same time
  const outcomesOf = (series: string): OutcomeChunks =>
    createOutcomeChunks({ jobId, series: `validation-${id}-${series}` }, ports.results, ports.now);

  const read = await readRows(reading, outcomesOf('invalid'), ports.results);
  const eachRow = rowsAgain(reading, read, ports.results);
  const conflicting = await findConflicts(read, eachRow, outcomesOf('conflicts'));
  const { circling, waiting } = await findOrder(read, eachRow, outcomesOf('circles'));
  if (waiting) await writeOrder(ports.results, { jobId, rowChunks: read.rowChunks }, waiting);
  return {
    rows: read.lines.length,
    rowStatuses: packRowStatuses(Uint8Array.from(read.rowStatuses)),
    outcomeChunks: [...read.invalid, ...conflicting, ...circling],
    rowChunks: [...read.rowChunks],
    mixed: read.mixed,
    ordered: waiting !== undefined,
  };
}

/** What is remembered of the rows, by row. */
interface Memory {
  readonly lines: readonly number[];
  /** What comparing the rows finds is entered. */
  readonly rowStatuses: number[];
  /** What more than one row is about, by place in their lists of keys. */
  readonly repeated: readonly ReadonlySet<string>[];
  /** Whether rows name their subjects in different terms. */
  readonly mixed: boolean;
  /** Whether there are rows that free an address and rows that take one. */
  readonly mayWait: boolean;
}

/** All rows of a manifest, once they have been read. */
interface ReadRows extends Memory {
  readonly rowChunks: readonly RowChunk[];
  readonly invalid: Validation['outcomeChunks'];
}

async function readRows(reading: Reading, invalid: OutcomeChunks, results: ObjectStore): Promise<ReadRows> {
  const { jobId, manifest, check } = reading;
  const rowChunks = createRowChunkWriter(results, jobId);
  const memory = createMemory();
  try {
    for await (const rows of manifest.batches) {
      for (const row of rows) {
        if (row.row >= manifest.limits.rows) refuseRows(reading, row, rows);
        const checked = check(row);
        memory.add(row, checked);
        // Only promises are awaited, since a turn of the event loop a row costs more than the row.
        const stored = rowChunks.add(row);
        if (stored) await stored;
        const told = 'problems' in checked ? invalid.add(invalidRow(row, checked.problems)) : undefined;
        if (told) await told;
      }
    }
    return { ...memory.end(), rowChunks: await rowChunks.finish(), invalid: await invalid.finish() };
  } finally {
    await rowChunks.abandon();
  }
}

/** Says about how many rows the file has, from those of so many of its bytes; `row` is the first too many. */
function refuseRows({ bytes, manifest }: Reading, row: Row, batch: readonly Row[]): never {
  const rowsRead = row.row + batch.length - batch.indexOf(row);
  return refuseRowCount(Math.round((rowsRead * bytes) / manifest.bytesRead()), row.line, manifest.limits);
}

const invalidRow = ({ row, line }: Row, problems: readonly string[]): Unsent => ({
  row,
  line,
  status: 'invalid',
  code: 'INVALID_ROW',
  message: problems.join(' '),
});

const INVALID = rowStatusOf('invalid', 'INVALID_ROW');

function createMemory(): { readonly add: (row: Row, checked: Checked) => void; readonly end: () => Memory } {
  const lines: number[] = [];
  const rowStatuses: number[] = [];
  const subjects = createSubjects();
  let naming: string | undefined;
  let [mixed, frees, takes] = [false, false, false];
  return {
    add: ({ line }, checked) => {
      lines.push(line);
      rowStatuses.push('problems' in checked ? INVALID : PENDING);
      if ('problems' in checked) return;
      subjects.add(checked.keys);
      naming ??= checked.naming;
      mixed ||= checked.naming !== undefined && checked.naming !== naming;
      frees ||= checked.frees !== undefined;
      takes ||= checked.takes !== undefined;
    },
    end: () => ({ lines, rowStatuses, repeated: subjects.repeated(), mixed, mayWait: frees && takes }),
  };
}

type WithKeys = Extract<Checked, { readonly keys: unknown }>;

/** Reads the rows with one of these row statuses again, from their chunks. */
type EachRow = (rowStatuses: readonly number[], use: (row: number, checked: WithKeys) => void) => Promise<void>;

function rowsAgain({ jobId, check }: Reading, read: ReadRows, results: ObjectStore): EachRow {
  return async (wanted, use) => {
    for await (const rows of readRowChunks(results, { jobId, rowChunks: read.rowChunks })) {
      for (const row of rows) {
        const checked = wanted.includes(read.rowStatuses[row.row] ?? PENDING) ? check(row) : undefined;
        if (checked && 'keys' in checked) use(row.row, checked);
      }
    }
  };
}

/** Settles the rows that repeat or contradict others, place by place: only its first subject makes a row a repeat. */
async function findConflicts(
  { repeated, rowStatuses, lines }: ReadRows,
  eachRow: EachRow,
  outcomes: OutcomeChunks,
): Promise<Validation['outcomeChunks']> {
  const partners = new Map<number, number>();
  for (const [place, subjects] of repeated.entries()) {
    if (subjects.size === 0) continue;
    const conflicts = createConflicts(subjects);
    // Rows that contradict another already take part, so that whoever contradicts them is found, too.
    await eachRow([PENDING, CONTRADICTION], (row, { keys }) => {
      const key = keys[place];
      if (key) conflicts.add(row, key);
    });
    const found = conflicts.settle(rowStatuses, { findsRepeats: place === 0 });
    for (const [row, partner] of found) partners.set(row, partner);
  }
  for (const row of inOrder(partners)) {
    const partnersLine = lines[partners.get(row) ?? 0] ?? 0;
    await outcomes.add({ row, line: lines[row] ?? 0, ...conflictWith(partnersLine, rowStatuses[row] ?? PENDING) });
  }
  return outcomes.finish();
}

/** Finds which rows wait for which, and settles those that wait for each other in circles. */
async function findOrder(
  { mayWait, lines, rowStatuses }: ReadRows,
  eachRow: EachRow,
  outcomes: OutcomeChunks,
): Promise<{ readonly circling: Validation['outcomeChunks']; readonly waiting?: Waiting }> {
  if (!mayWait) return { circling: [] };
  const order = createOrder();
  await eachRow([PENDING], (row, addresses) => order.add(row, addresses));
  const { awaited, circles } = order.find();
  if (awaited.size === 0) return { circling: [] };

  const messages = new Map<number, string>();
  for (const circle of circles)
    for (const [place, row] of circle.entries()) messages.set(row, circleMessage(circle, place, lines));
  for (const row of inOrder(messages)) {
    rowStatuses[row] = CONTRADICTION;
    const said = { status: 'invalid', code: 'CONTRADICTION', message: messages.get(row) ?? '' } as const;
    await outcomes.add({ row, line: lines[row] ?? 0, ...said });
  }
  return { circling: await outcomes.finish(), waiting: waiting() };

  /** Rows that wait for one which will never be applied wait for nothing. */
  function* waiting(): Waiting {
    for (const [row, other] of awaited)
      if (rowStatuses[row] === PENDING && rowStatuses[other] === PENDING)
        yield [row, { row: other, line: lines[other] ?? 0 }];
  }
}

const inOrder = (rows: ReadonlyMap<number, unknown>): readonly number[] =>
  [...rows.keys()].toSorted((one, other) => one - other);
