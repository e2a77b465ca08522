import { CODES, type Outcome } from '../../shared/job/outcome.ts';
import { isReportColumn } from '../../shared/manifest/header.ts';
import { isBlank } from '../../shared/manifest/identifiers.ts';

/** The columns that a report adds to the manifest's own. */
export const REPORT_COLUMNS = [
  'rollcall_line',
  'rollcall_status',
  'rollcall_code',
  'rollcall_message',
  'rollcall_http_status',
  'rollcall_attempts',
  'rollcall_trace_id',
  'rollcall_finished_at',
] as const;

/** An outcome as the cells of REPORT_COLUMNS. */
export const reportCells = (outcome: Outcome): readonly string[] => [
  outcome.line > 0 ? String(outcome.line) : '',
  outcome.status,
  outcome.code ?? '',
  messageOf(outcome),
  outcome.httpStatus === undefined ? '' : String(outcome.httpStatus),
  String(outcome.attempts),
  outcome.traceId ?? '',
  outcome.finishedAt,
];

/** What happened, and what to do about it. */
function messageOf({ message, code }: Outcome): string {
  const remedy = code === undefined ? '' : CODES[code].remedy;
  if (!message) return remedy;
  if (remedy === '' || message.includes(remedy)) return message;
  return `${/[.!?]$/.test(message) ? message : `${message}.`} ${remedy}`;
}

/** Picks a row's own cells out of the manifest's, for a file in which every line has as many cells as the header. */
export function ownColumns(header: readonly string[]): {
  readonly names: readonly string[];
  readonly cellsOf: (cells: readonly string[], delimiter: string) => readonly string[];
} {
  const kept = header.flatMap((name, index) => (isReportColumn(name) ? [] : [index]));
  return {
    names: kept.map((index) => header[index] ?? ''),
    cellsOf: (cells, delimiter) => {
      const own = kept.map((index) => cells[index] ?? '');
      const surplus = cells.slice(header.length);
      // A surplus cell stays in sight, in the last column: without it a row that was invalid might look like another, valid one.
      if (!surplus.every(isBlank) && own.length > 0) own.push([own.pop(), ...surplus].join(delimiter));
      return own;
    },
  };
}
