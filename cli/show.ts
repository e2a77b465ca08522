import { MultiBar, Presets } from 'cli-progress';
import Table from 'cli-table3';

import { isCompleted } from '../shared/job/job.ts';
import { CODES, type Code } from '../shared/job/outcome.ts';
import type { Summary } from '../shared/job/summary.ts';
import { countSettled } from './jobs.ts';
import type { PreviewedChange } from './plan-preview.ts';

/** What fits into a terminal of the usual size. */
const WIDTH = 100;
const COLUMNS_SHOWN = 10;

/** Where a job stands, or how it ended, in a few lines for a person; with some of its plan's changes where they are given. */
export function describeSummary(summary: Summary, changes: readonly PreviewedChange[] = []): string {
  const { job, state, mode, counts, halt, problems = [], manifest } = summary;
  const { rows, changed, unchanged, failed, invalid, unprocessed } = counts;
  const parts = nonZero({ changed, unchanged, failed, invalid, unprocessed });
  const isEmpty = rows === 0 && isCompleted(state);
  const lines = [
    `${job}: ${state}${mode === 'dry-run' ? ' (dry run)' : ''}. ${countRows(rows)}${parts === '' ? '' : `: ${parts}`}.`,
    ...(isEmpty ? ['  The file has no rows below its header.'] : []),
    ...describePlan(summary),
    ...describeChanges(summary, changes),
    ...describeWaiting(summary),
    ...(isGuess(manifest.encoding)
      ? ['  Read as Windows-1252, since the file is no UTF-8 and does not say what it is; save it as "CSV UTF-8".']
      : []),
    ...(manifest.carriedColumns.length > 0
      ? [`  Columns copied to the report without being used: ${listSome(manifest.carriedColumns)}.`]
      : []),
    ...(halt ? [`  ${halt.code}: ${halt.message}`] : []),
    ...problems.map(({ line, message }) => `  ${line === undefined ? '' : `line ${line}: `}${message}`),
    ...describeCodes(summary),
  ];
  return lines.flatMap(wrap).join('\n');
}

/** Windows-1252 is what is left when nothing says how the letters are written. */
const isGuess = (encoding: string | undefined): boolean => encoding === 'windows-1252';

/** What the plan says in figures. */
function describePlan({ plan }: Summary): readonly string[] {
  if (!plan) return [];
  const { change, unchanged, failed, invalid, seats = {}, domains = {} } = plan;
  const figures = nonZero({ 'to change': change, unchanged, failed, invalid });
  const taken = Object.entries(seats).map(([product, count]) => `${count > 0 ? '+' : ''}${count} ${product}`);
  const created = Object.entries(domains).map(([domain, count]) => `${domain} (${count})`);
  return [
    `  Plan: ${figures === '' ? 'nothing to do' : figures}. Its hash is ${plan.hash}.`,
    ...(taken.length > 0 ? [`  Seats: ${taken.join(', ')}.`] : []),
    ...(created.length > 0 ? [`  Domains of people who are created: ${created.join(', ')}.`] : []),
  ];
}

/** Some of the changes, each on a line of its own that is cut rather than wrapped. */
function describeChanges({ plan }: Summary, changes: readonly PreviewedChange[]): readonly string[] {
  if (changes.length === 0) return [];
  const more = (plan?.change ?? 0) - changes.length;
  const width = Math.max(...changes.map(({ line }) => String(line).length));
  return [
    ...changes.map((change) => cut(`${INDENT}line ${String(change.line).padStart(width)}  ${describeChange(change)}`)),
    ...(more > 0 ? [`${INDENT}and ${more} more, which plan.csv lists`] : []),
  ];
}

/** Who, and what differs; what a single field is called is said once. */
function describeChange({ who, before, after }: PreviewedChange): string {
  const field = /^[^:;]+: /.exec(before)?.[0] ?? '';
  const isOneField = field !== '' && after.startsWith(field) && !`${before}${after}`.includes('; ');
  return `${who}: ${before === '' ? 'nothing' : before} -> ${isOneField ? after.slice(field.length) : after}`;
}

// Cells are other people's text: nothing in them may reach the terminal as a command.
// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001F\u007F-\u009F\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;

function cut(line: string): string {
  const printable = line.replaceAll(UNPRINTABLE, ' ');
  return printable.length <= WIDTH ? printable : `${printable.slice(0, WIDTH - 1)}…`;
}

/** Why nothing is done, or nothing more, until somebody approves. */
function describeWaiting({ waiting }: Summary): readonly string[] {
  if (!waiting || waiting.reasons.length === 0) return [];
  return [
    `  Waits since ${waiting.since}; plan.csv shows each row. It waits because of:`,
    ...waiting.reasons.map(({ code, message }) => `  ${code}: ${message}`),
  ];
}

/** What to do about each code; that a job waits is said by its reasons. */
const describeCodes = ({ codes, plan, waiting }: Summary): readonly string[] =>
  Object.entries(waiting && plan ? plan.codes : codes)
    .toSorted(([one, count], [other, otherCount]) => otherCount - count || (one < other ? -1 : 1))
    .map(([code, count]) => `  ${count} × ${code}: ${CODES[code as Code].remedy}`); // the keys of `codes` are codes

const nonZero = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');

/** A line in as many as it takes; the further ones are indented. */
function wrap(text: string): readonly string[] {
  const lines: string[] = [];
  let line = text;
  while (line.length > WIDTH) {
    const blank = line.lastIndexOf(' ', WIDTH);
    const end = blank > INDENT.length ? blank : line.indexOf(' ', WIDTH);
    if (end === -1) break;
    lines.push(line.slice(0, end));
    line = `${INDENT}${line.slice(end + 1)}`;
  }
  return [...lines, line];
}

const INDENT = '    ';

function listSome(columns: readonly string[]): string {
  const more = columns.length - COLUMNS_SHOWN;
  return `${columns.slice(0, COLUMNS_SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Jobs side by side, one a line, in 100 columns. */
export function tabulateSummaries(summaries: readonly Summary[]): string {
  const statuses = ['rows', 'changed', 'unchanged', 'failed', 'invalid', 'unprocessed'] as const;
  return renderTable(
    ['job', 'state', ...statuses],
    summaries.map(({ target, operation, state, counts }) => [
      `${target}/${operation}`,
      state,
      ...statuses.map((status) => counts[status]),
    ]),
  );
}

/** A table for a terminal, numbers to the right. */
export function renderTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const colAligns = rows[0]?.map((cell) => (typeof cell === 'number' ? 'right' : 'left')) ?? [];
  const table = new Table({ head: [...head], style: { head: [], border: [] }, colAligns, chars: NO_LINES_BETWEEN });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}

const NO_LINES_BETWEEN = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };

/** Rows counted in words: `1 row`, `2 rows`. */
export const countRows = (count: number): string => `${count} ${count === 1 ? 'row' : 'rows'}`;

/** Of a job's id the end tells which it is. */
const LABEL = 34;

/** Shows a progress bar for each job that runs, on a terminal's stderr; where that is no terminal, nothing. */
export function showProgress(stream: NodeJS.WriteStream = process.stderr): {
  readonly add: (label: string) => (status: Summary) => void;
  readonly stop: () => void;
} {
  if (!stream.isTTY) return { add: () => () => undefined, stop: () => undefined };
  const bars = new MultiBar(
    { stream, hideCursor: true, barsize: 28, format: '{label} {bar} {value}/{total} rows, {state}' },
    Presets.shades_classic,
  );
  return {
    add: (label) => {
      const bar = bars.create(1, 0, { label: label.slice(-LABEL).padEnd(LABEL), state: 'validating' });
      return (status) => {
        bar.setTotal(Math.max(status.counts.rows, 1));
        bar.update(countSettled(status) - (status.codes.NOT_APPROVED ?? 0), { state: status.state });
      };
    },
    stop: () => bars.stop(),
  };
}
