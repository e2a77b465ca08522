import Table from 'cli-table3';

import { isMet, type Figure, type Goal, type Size } from './figures.ts';

/** A part's figures, as they are kept. */
export interface Measured {
  readonly part: string;
  readonly size: Size;
  readonly figures: readonly Figure[];
}

/** One table of all figures, for a terminal. */
export function terminalTable(measured: readonly Measured[]): string {
  const table = new Table({
    head: ['Part', 'Figure', 'Value', 'Goal', 'Note'],
    colWidths: [null, 58, null, null, 46],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  for (const { part, size, figures } of measured)
    for (const figure of figures) table.push([part, ...cellsOf(figure, size)]);
  return table.toString();
}

/** The same table for docs/performance.md. */
export function markdownTable(measured: readonly Measured[]): string {
  const rows = measured.flatMap(({ part, size, figures }) => figures.map((figure) => [part, ...cellsOf(figure, size)]));
  const lines = [['Part', 'Figure', 'Value', 'Goal', 'Note'], ['---', '---', '--:', '---', '---'], ...rows];
  return lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n');
}

const cellsOf = (figure: Figure, size: Size): [string, string, string, string] => [
  figure.what,
  `${shown(figure.value)} ${figure.unit}`.trim(),
  goalOf(figure, size),
  figure.note ?? '',
];

/** Goals are for full sizes: small ones end before a steady state, so nothing is said of them. */
function goalOf(figure: Figure, size: Size): string {
  if (figure.goal === undefined) return '';
  if (size === 'quick') return wanted(figure.goal);
  return `${wanted(figure.goal)}: ${isMet(figure) ? 'met' : 'not met'}`;
}

const wanted = (goal: Goal): string => ('atLeast' in goal ? `≥ ${shown(goal.atLeast)}` : `≤ ${shown(goal.atMost)}`);

/** Three digits that count, and no more behind the point than these need. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  const digits = size >= 100 || value === 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : size >= 0.1 ? 3 : 4;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}
