import Table from 'cli-table3';

import { CODES, type Code } from '../shared/job/codes.ts';
import type { Summary } from '../shared/job/summary.ts';
import { countRows } from './count-rows.ts';

/** A job's end in a few lines for a person. */
export function describeSummary(summary: Summary): string {
  const { job, state, counts, codes, halt, problems = [], manifest } = summary;
  const { rows, changed, unchanged, failed, invalid, unprocessed } = counts;
  const counted = { changed, unchanged, failed, invalid, unprocessed };
  const parts = Object.entries(counted).filter(([, count]) => count > 0);
  return [
    `${job}: ${state}. ${countRows(rows)}${parts.length > 0 ? `: ${parts.map(([name, count]) => `${count} ${name}`).join(', ')}` : ''}.`,
    ...(rows === 0 && state === 'completed' ? ['  There is no row under the header.'] : []),
    ...(manifest.carriedColumns.length > 0
      ? [`  Columns that are carried along unread: ${shown(manifest.carriedColumns)}.`]
      : []),
    ...(halt ? [`  ${halt.code}: ${halt.message}`] : []),
    ...problems.map(({ line, message }) => `  ${line === undefined ? '' : `line ${line}: `}${message}`),
    ...Object.entries(codes).map(([code, count]) => `  ${count} × ${code}: ${CODES[code as Code].remedy}`), // the keys of `codes` are codes
  ].join('\n');
}

const SHOWN = 10;

const shown = (columns: readonly string[]): string =>
  `${columns.slice(0, SHOWN).join(', ')}${columns.length > SHOWN ? ` and ${columns.length - SHOWN} more` : ''}`;

/** Jobs side by side, one a line. */
export function summaryTable(summaries: readonly Summary[]): string {
  const table = new Table({
    head: [
      'target',
      'operation',
      'state',
      'rows',
      'changed',
      'unchanged',
      'failed',
      'invalid',
      'unprocessed',
      'calls',
      'a row',
    ],
    style: { head: [], border: [] },
    colAligns: ['left', 'left', 'left', ...Array<'right'>(8).fill('right')],
  });
  for (const { target, operation, state, counts, calls } of summaries) {
    const { rows, changed, unchanged, failed, invalid, unprocessed } = counts;
    table.push([
      target,
      operation,
      state,
      rows,
      changed,
      unchanged,
      failed,
      invalid,
      unprocessed,
      calls.sent,
      calls.perRow,
    ]);
  }
  return table.toString();
}
