import type { Validation } from '../../shared/job/validation.ts';
import { chunksOf, readLines, type Reading } from './reading.ts';
import { claimStep, CONTRADICTION, DUPLICATE } from './repeats.ts';
import { rowStatusAt, isFresh, lineOf, partnerOf, unfreshen } from './row-table.ts';
import { PENDING } from '../../shared/job/row-status.ts';

/** Writes the outcomes of rows that repeat or contradict another: those that the first claims showed, then those of each further claim. */
export async function findConflicts(
  reading: Reading,
  found: { readonly conflicts: number; readonly claimsPerRow: number },
): Promise<Validation['chunks']> {
  const chunks = found.conflicts === 0 ? [] : await writeConflicts(reading, 0);
  for (let claim = 1; claim < found.claimsPerRow; claim += 1) {
    if ((await compareClaims(reading, claim)) > 0) chunks.push(...(await writeConflicts(reading, claim)));
  }
  return chunks;
}

/** Rows that contradict another already take part, so that whoever contradicts them is found whatever the order of claims. */
async function compareClaims({ table, check, batches }: Reading, claim: number): Promise<number> {
  const step = claimStep(table, { findsRepeats: false });
  for await (const { rows } of batches()) {
    for (const row of rows) {
      const rowStatus = rowStatusAt(table, row.row);
      if (rowStatus !== PENDING && rowStatus !== CONTRADICTION) continue;
      const checked = check(row);
      const further = 'claims' in checked ? checked.claims[claim] : undefined;
      if (further) step.add(row.row, further);
    }
  }
  return step.finish();
}

async function writeConflicts(reading: Reading, claim: number): Promise<Validation['chunks']> {
  const { table, rows } = reading;
  const chunks = chunksOf(reading, `claims-${claim}`);
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
