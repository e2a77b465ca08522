import { PENDING } from '../../shared/job/row-status.ts';
import { orderKey } from '../../shared/job/keys.ts';
import type { Validation } from '../../shared/job/validation.ts';
import type { Checked } from '../../shared/operations/operation.ts';
import { awaitedBy, circleFrom, orderStep } from './order.ts';
import { chunksOf, readLines, type Reading } from './reading.ts';
import { rowStatusAt, isFresh, lineOf, unfreshen } from './row-table.ts';

const LINES_NAMED = 10;

/** Finds the rows that take an address which another row frees, writes down which row each waits for, and settles those that wait in a circle. */
export async function findOrder(
  reading: Reading,
): Promise<{ readonly chunks: Validation['chunks']; readonly ordered: boolean }> {
  const step = orderStep(reading.table);
  await eachPendingRow(reading, (row, { frees }) => {
    if (frees !== undefined) step.free(row, frees);
  });
  await eachPendingRow(reading, (row, { takes }) => {
    if (takes !== undefined) step.take(row, takes);
  });
  const { waiting, circling } = step.finish(reading.rows);
  if (waiting === 0) return { chunks: [], ordered: false };

  await readLines(reading);
  const chunks = circling === 0 ? [] : await writeCircles(reading);
  await reading.results.writeStream(orderKey(reading.jobId), orderLines(reading));
  return { chunks, ordered: true };
}

type Sound = Extract<Checked, { readonly keys: unknown }>;

// Called back rather than iterated over, since a turn of an async iterator a row costs more than the row.
async function eachPendingRow(
  { table, check, batches }: Reading,
  use: (row: number, checked: Sound) => void,
): Promise<void> {
  for await (const { rows } of batches()) {
    for (const row of rows) {
      if (rowStatusAt(table, row.row) !== PENDING) continue;
      const checked = check(row);
      if ('keys' in checked) use(row.row, checked);
    }
  }
}

async function writeCircles(reading: Reading): Promise<Validation['chunks']> {
  const { table, rows } = reading;
  const chunks = chunksOf(reading, 'circles');
  for (let row = 0; row < rows; row += 1) {
    if (!isFresh(table, row)) continue;
    unfreshen(table, row);
    const message = `${namesOf(reading, row)} take one another's addresses in a circle, so none can be first; give one a spare address now and its own in a later file.`;
    await chunks.add({ row, line: lineOf(table, row), status: 'invalid', code: 'CONTRADICTION', message });
  }
  return chunks.finish();
}

function namesOf({ table }: Reading, start: number): string {
  const circle = circleFrom(table, start, LINES_NAMED + 1);
  const lines = circle.slice(0, LINES_NAMED).map((row) => lineOf(table, row));
  return circle.length > LINES_NAMED
    ? `Lines ${lines.join(', ')} and others`
    : `Lines ${lines.slice(0, -1).join(', ')} and ${lines.at(-1)}`;
}

/** Rows that wait for one which will never be applied wait for nothing. */
async function* orderLines({ table, rows }: Reading): AsyncGenerator<string> {
  let lines = '';
  for (let row = 0; row < rows; row += 1) {
    const awaited = awaitedBy(table, row);
    if (awaited === undefined || rowStatusAt(table, row) !== PENDING || rowStatusAt(table, awaited) !== PENDING)
      continue;
    lines += `[${row},${awaited},${lineOf(table, awaited)}]\n`;
    if (lines.length < 65_536) continue;
    yield lines;
    lines = '';
  }
  yield lines;
}
