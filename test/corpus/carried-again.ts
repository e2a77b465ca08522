import type { Carried, Line } from './carry.ts';
import type { Entry } from './entry.ts';

/** What goes wrong when the report's own files are dropped back in: they must be read, and what was not sent must ask the same. */
export async function carriedAgain(
  { operation }: Entry,
  { cells, file, summary }: Carried,
  line: Line,
): Promise<readonly string[]> {
  const unprocessed = await line.carry(file('unprocessed.csv'), operation);
  const failed = await line.carry(file('failed.csv'), operation);
  const faults: string[] = [];
  if (JSON.stringify(unprocessed.cells) !== JSON.stringify(cells))
    faults.push(`unprocessed.csv asks something else: ${JSON.stringify(unprocessed.cells).slice(0, 300)}`);
  if (JSON.stringify(unprocessed.summary.manifest.carriedColumns) !== shown(summary.manifest.carriedColumns))
    faults.push(`unprocessed.csv carries ${JSON.stringify(unprocessed.summary.manifest.carriedColumns)}`);
  if (failed.summary.counts.rows !== summary.counts.invalid)
    faults.push(`failed.csv is ${failed.summary.state} with ${failed.summary.counts.rows} rows`);
  return faults;
}

/** UTF-8 cannot hold half a surrogate pair, so a file of ours shows the replacement character in its place. */
const shown = (columns: readonly string[]): string => JSON.stringify(columns.map((column) => column.toWellFormed()));
