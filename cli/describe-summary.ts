import Table from 'cli-table3';

import { CODES, type Code } from '../shared/job/codes.ts';
import type { Summary } from '../shared/job/summary.ts';
import { countRows } from './count-rows.ts';

/** A job's end in a few lines for a person. */
export function describeSummary(summary: Summary): string {
  const { job, state, counts, codes, halt, problems = [] } = summary;
  const { rows, changed, unchanged, failed, invalid, unprocessed } = counts;
  const counted = { changed, unchanged, failed, invalid, unprocessed };
  const parts = Object.entries(counted).filter(([, count]) => count > 0);
  return [
    `${job}: ${state}. ${countRows(rows)}${parts.length > 0 ? `: ${parts.map(([name, count]) => `${count} ${name}`).join(', ')}` : ''}.`,
    ...(halt ? [`  ${halt.code}: ${halt.message}`] : []),
    ...problems.map(({ line, message }) => `  ${line === undefined ? '' : `line ${line}: `}${message}`),
    ...Object.entries(codes).map(([code, count]) => `  ${count} × ${code}: ${CODES[code as Code].remedy}`), // the keys of `codes` are codes
  ].join('\n');
}

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
