import { MultiBar, Presets } from 'cli-progress';
import Table from 'cli-table3';

import { isCompleted } from '../shared/job/job.ts';
import { CODES, type Code } from '../shared/job/outcome.ts';
import type { Summary } from '../shared/job/summary.ts';
import { countSettled } from './jobs.ts';

const COLUMNS_SHOWN = 10;

/** A job's end in a few lines for a person. */
export function describeSummary(summary: Summary): string {
  const { job, state, counts, codes, halt, problems = [], manifest } = summary;
  const { rows, changed, unchanged, failed, invalid, unprocessed } = counts;
  const parts = Object.entries({ changed, unchanged, failed, invalid, unprocessed })
    .filter(([, count]) => count > 0)
    .map(([status, count]) => `${count} ${status}`);
  return [
    `${job}: ${state}. ${countRows(rows)}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}.`,
    ...(rows === 0 && isCompleted(state) ? ['  The file has no rows below its header.'] : []),
    ...(manifest.carriedColumns.length > 0
      ? [`  Columns copied to the report without being used: ${listSome(manifest.carriedColumns)}.`]
      : []),
    ...(halt ? [`  ${halt.code}: ${halt.message}`] : []),
    ...problems.map(({ line, message }) => `  ${line === undefined ? '' : `line ${line}: `}${message}`),
    ...Object.entries(codes).map(([code, count]) => `  ${count} × ${code}: ${CODES[code as Code].remedy}`), // the keys of `codes` are codes
  ].join('\n');
}

function listSome(columns: readonly string[]): string {
  const more = columns.length - COLUMNS_SHOWN;
  return `${columns.slice(0, COLUMNS_SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Jobs side by side, one a line. */
export function tabulateSummaries(summaries: readonly Summary[]): string {
  const statuses = ['rows', 'changed', 'unchanged', 'failed', 'invalid', 'unprocessed'] as const;
  return renderTable(
    ['target', 'operation', 'state', ...statuses, 'calls', 'calls a row'],
    summaries.map(({ target, operation, state, counts, calls }) => [
      target,
      operation,
      state,
      ...statuses.map((status) => counts[status]),
      calls.sent,
      calls.perRow,
    ]),
  );
}

/** A table for a terminal, numbers to the right. */
export function renderTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const colAligns = rows[0]?.map((cell) => (typeof cell === 'number' ? 'right' : 'left')) ?? [];
  const table = new Table({ head: [...head], style: { head: [], border: [] }, colAligns });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}

/** Rows counted in words: `1 row`, `2 rows`. */
export const countRows = (count: number): string => `${count} ${count === 1 ? 'row' : 'rows'}`;

/** Shows a progress bar for each job that runs, on a terminal's stderr; where that is no terminal, nothing. */
export function showProgress(stream: NodeJS.WriteStream = process.stderr): {
  readonly add: (label: string) => (status: Summary) => void;
  readonly stop: () => void;
} {
  if (!stream.isTTY) return { add: () => () => undefined, stop: () => undefined };
  const bars = new MultiBar(
    { stream, hideCursor: true, format: '{label} {bar} {value}/{total} rows, {state}' },
    Presets.shades_classic,
  );
  return {
    add: (label) => {
      const bar = bars.create(1, 0, { label: label.padEnd(34), state: 'validating' });
      return (status) => {
        bar.setTotal(Math.max(status.counts.rows, 1));
        bar.update(countSettled(status), { state: status.state });
      };
    },
    stop: () => bars.stop(),
  };
}
