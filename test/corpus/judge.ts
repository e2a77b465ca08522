import { isDeepStrictEqual } from 'node:util';

import { carriedAgain } from './carried-again.ts';
import { readReport, type Carried, type Line } from './carry.ts';
import type { Entry, Refusal, Report } from './entry.ts';

/** Everything in which a manifest came to something else than it must; nothing when all is well. */
export async function faultsOf(entry: Entry, line: Line): Promise<readonly string[]> {
  const { ending } = entry;
  const carried = await line.carry(entry.bytes(), entry.operation);
  if (ending.kind === 'refusal') return refusalFaults(ending, carried);
  const faults = [...reportFaults(ending, carried), ...fileFaults(carried)];
  return faults.length > 0 ? faults : carriedAgain(entry, carried, line);
}

function refusalFaults({ line, says }: Refusal, { summary }: Carried): readonly string[] {
  if (summary.state !== 'rejected') return [`it is ${summary.state} with ${summary.counts.rows} rows, not refused`];
  const found = summary.problems ?? [];
  return found.some((problem) => problem.line === line && says.test(problem.message))
    ? []
    : [`no problem on line ${line} says ${says}: ${JSON.stringify(found).slice(0, 400)}`];
}

function reportFaults(wanted: Report, { summary, cells }: Carried): readonly string[] {
  if (summary.state !== 'cancelled')
    return [`it is ${summary.state}: ${JSON.stringify(summary.problems)?.slice(0, 400)}`];
  const { counts, manifest } = summary;
  return [
    ...differing('rows', counts.rows, wanted.rows),
    ...differing('sound rows', cells.length, wanted.sound),
    ...differing('invalid rows', counts.invalid, wanted.invalid),
    ...differing('unprocessed rows', counts.unprocessed, wanted.sound),
    ...differing('encoding', manifest.encoding, wanted.encoding),
    ...differing('delimiter', manifest.delimiter, wanted.delimiter),
    ...differing('cells', cells, wanted.cells),
    ...differing('carried columns', manifest.carriedColumns, wanted.carried),
  ];
}

/** What is not said in the table is not compared. */
function differing(what: string, found: unknown, wanted: unknown): readonly string[] {
  if (wanted === undefined || isDeepStrictEqual(found, wanted)) return [];
  const [is, must] = [found, wanted].map((value) => JSON.stringify(value)?.slice(0, 300));
  return [`${what}: ${is}, not ${must}`];
}

const FORMULA = /^[=+\-@\t\r]/;

/** The files hold each row once, in order, and nothing that a spreadsheet would run. */
function fileFaults({ summary, file }: Carried): readonly string[] {
  const { counts, manifest } = summary;
  const delimiter = manifest.delimiter ?? ',';
  const wanted = {
    'results.csv': counts.rows,
    'failed.csv': counts.invalid,
    'unprocessed.csv': counts.unprocessed,
  };
  return Object.entries(wanted).flatMap(([name, rows]) => {
    const table = readReport(file(name), delimiter);
    const running = table.flat().filter((cell) => FORMULA.test(cell));
    return [
      ...differing(`lines of ${name}`, table.length - 1, rows),
      ...(running.length > 0 ? [`${name} has cells that a spreadsheet runs: ${JSON.stringify(running[0])}`] : []),
    ];
  });
}
