import type { Validation } from '../../shared/job/validation.ts';
import { chunksOf, readLines, type Reading } from './reading.ts';
import { subjectStep, CONTRADICTION, DUPLICATE } from './repeats.ts';
import { rowStatusAt, isFresh, lineOf, partnerOf, unfreshen } from './row-table.ts';
import { PENDING } from '../../shared/job/row-status.ts';

/** Writes the outcomes of rows that repeat or contradict another: those that the first subjects showed, then those of each further subject. */
export async function findConflicts(
  reading: Reading,
  found: { readonly conflicts: number; readonly subjectsPerRow: number },
): Promise<Validation['chunks']> {
  const chunks = found.conflicts === 0 ? [] : await writeConflicts(reading, 0);
  for (let at = 1; at < found.subjectsPerRow; at += 1) {
    if ((await compareSubjects(reading, at)) > 0) chunks.push(...(await writeConflicts(reading, at)));
  }
  return chunks;
}

/** Rows that contradict another already take part, so that whoever contradicts them is found whatever the order of subjects. */
async function compareSubjects({ table, check, batches }: Reading, at: number): Promise<number> {
  const step = subjectStep(table, { findsRepeats: false });
  for await (const { rows } of batches()) {
    for (const row of rows) {
      const rowStatus = rowStatusAt(table, row.row);
      if (rowStatus !== PENDING && rowStatus !== CONTRADICTION) continue;
      const checked = check(row);
      const further = 'keys' in checked ? checked.keys[at] : undefined;
      if (further) step.add(row.row, further);
    }
  }
  return step.finish();
}

async function writeConflicts(reading: Reading, at: number): Promise<Validation['chunks']> {
  const { table, rows } = reading;
  const chunks = chunksOf(reading, `subjects-${at}`);
  await readLines(reading);
  for (let row = 0; row < rows; row += 1) {
    if (!isFresh(table, row)) continue;
    unfreshen(table, row);
    const place = { row, line: lineOf(table, row) };
    const partner = lineOf(table, partnerOf(table, row));
    const written = chunks.add({ ...place, ...conflictWith(partner, rowStatusAt(table, row) === DUPLICATE) });
    if (written) await written;
  }
  return chunks.finish();
}

function conflictWith(line: number, isRepeat: boolean) {
  return isRepeat
    ? ({ status: 'unprocessed', code: 'DUPLICATE', message: `The same as line ${line}.` } as const)
    : ({
        status: 'invalid',
        code: 'CONTRADICTION',
        message: `Line ${line} asks something else of the same person, group or address.`,
      } as const);
}
