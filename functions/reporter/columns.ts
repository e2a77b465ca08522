import { CODES, type Code, type Outcome, statusOfRefusal } from '../../shared/job/outcome.ts';
import type { RowPlan } from '../../shared/job/plan.ts';
import type { State } from '../../shared/job/state.ts';
import { isBlank } from '../../shared/manifest/cells.ts';
import { isReportColumn } from '../../shared/manifest/header.ts';
import { findOperation } from '../../shared/operations/index.ts';
import type { Change } from '../../shared/operations/operation.ts';
import { UNDO } from '../../shared/operations/undo.ts';
import { describeChange, describeState } from '../../shared/operations/readable.ts';
import type { ReportedRow } from './reported-rows.ts';

/** The columns that results.csv, failed.csv and unprocessed.csv add to the manifest's own. */
export const REPORT_COLUMNS = [
  'rollcall_line',
  'rollcall_operation',
  'rollcall_status',
  'rollcall_code',
  'rollcall_message',
  'rollcall_http_status',
  'rollcall_attempts',
  'rollcall_trace_id',
  'rollcall_finished_at',
] as const;

/** An outcome as the cells of REPORT_COLUMNS. */
export const reportCells = (
  operation: string,
  { outcome, plan }: Pick<ReportedRow, 'outcome' | 'plan'>,
): readonly string[] => [
  String(outcome.line),
  operation,
  outcome.status,
  outcome.code ?? '',
  messageOf({ code: outcome.code, message: outcome.message ?? noteOf(outcome, plan) }),
  outcome.httpStatus === undefined ? '' : String(outcome.httpStatus),
  String(outcome.attempts),
  outcome.traceId ?? '',
  outcome.finishedAt,
];

/** What planning noted of a row that is as desired now, such as that its person has no access. */
const noteOf = ({ status }: Outcome, plan: RowPlan | undefined): string | undefined =>
  plan?.kind === 'change' && (status === 'changed' || status === 'unchanged') ? plan.message : undefined;

/** The columns that plan.csv adds to the manifest's own. */
export const PLAN_COLUMNS = [
  'rollcall_line',
  'rollcall_operation',
  'rollcall_plan',
  'rollcall_code',
  'rollcall_message',
  'rollcall_before',
  'rollcall_after',
] as const;

/** What the plan says of a row, as the cells of PLAN_COLUMNS: `change`, or the status that it would have. */
export function planCells(operation: string, row: ReportedRow): readonly string[] {
  const { plan, given, outcome } = row;
  const line = String(outcome.line);
  if (given) return [line, operation, given.status, given.code ?? '', messageOf(given), '', ''];
  if (!plan) return [line, operation, outcome.status, outcome.code ?? '', messageOf(outcome), '', ''];
  switch (plan.kind) {
    case 'noop': {
      const state = describeState(plan.before);
      return [line, operation, 'unchanged', '', plan.message ?? '', state, state];
    }
    case 'refused':
      return [line, operation, statusOfRefusal(plan.code), plan.code, messageOf(plan), '', ''];
    case 'change': {
      const { before, after } = describeChange(changeOf(plan));
      return [line, operation, 'change', '', changeMessage(plan.message, row.after), before, after];
    }
    default:
      return plan satisfies never;
  }
}

/** A dependency is said beside whatever else is to be known. */
const changeMessage = (message: string | undefined, after: number | undefined): string =>
  [message, after === undefined ? undefined : `Applied once line ${after} is, which frees the address.`]
    .filter((part) => part !== undefined)
    .join(' ');

/** The columns of undo.csv: those of the operation `undo`, and what is ours. */
export const UNDO_COLUMNS = [
  'job',
  'row',
  'who',
  'from',
  'to',
  'rollcall_line',
  'rollcall_operation',
  'rollcall_message',
] as const;

/** What undoing a row would do, as the cells of UNDO_COLUMNS; `undefined` for a row that nobody has to undo. */
export function undoCells(
  { job: { id, operation }, plan: jobPlan }: Pick<State, 'job' | 'plan'>,
  { plan, outcome, mayHaveChanged }: ReportedRow,
): readonly string[] | undefined {
  if (!mayHaveChanged) return undefined;
  const change = plan?.kind === 'change' ? changeOf(plan) : undefined;
  const inverse = change && invert(jobPlan?.gate?.operation ?? operation, change);
  const shown = change && describeChange(inverse ?? change);
  const [from, to] = inverse && shown ? [shown.before, shown.after] : ['', ''];
  const message = !inverse ? NO_WAY_BACK : outcome.status === 'changed' ? '' : UNSEEN;
  return [id, String(outcome.row), shown?.subject ?? '', from, to, String(outcome.line), UNDO, message];
}

/** What takes a change back; operations do so alike on Cloud and on Data Center. */
function invert(operation: string, change: Change): Change | undefined {
  const found = findOperation(operation);
  return (found?.cloud ?? found?.dataCenter)?.invert(change);
}

const changeOf = ({ subject, before, after }: Extract<RowPlan, { kind: 'change' }>): Change => ({
  subject,
  before,
  after,
});

const NO_WAY_BACK =
  'This row cannot be undone: its operation has no opposite, or it is not known how things were before. Make the change by hand.';
const UNSEEN = 'A write of this row may have begun and its answer is not known; it is undone if it took effect.';

/** What happened, and what to do about it. */
function messageOf({ message, code }: { readonly message?: string | undefined; readonly code?: Code | undefined }) {
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
