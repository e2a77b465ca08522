import { parse } from 'csv-parse/sync';

import { CODES, isCode } from '../../shared/job/outcome.ts';
import type { Summary } from '../../shared/job/summary.ts';
import { peopleIn, type Errand, type ErrandRow, type Kind, type People } from './errand.ts';
import type { State } from '../../local/atlassian/engine/state.ts';

/** What a round ended with. */
export interface Evidence {
  readonly errand: Errand;
  readonly summary: Summary;
  /** results.csv. */
  readonly results: string;
  readonly state: State;
  readonly effective: ReadonlyMap<string, number>;
  /** Rows that have a dead letter. */
  readonly letters: ReadonlySet<number>;
}

/** What was found: each violation of a promise in a sentence. */
export interface TaskResult {
  readonly violations: readonly string[];
  /** Rows that failed for no reason of their own: Atlassian kept failing. */
  readonly spoilt: number;
}

interface ReportRow {
  readonly line: number;
  readonly status: string;
  readonly code: string;
}

/** Compares report, state and effective writes row by row. */
export function verify(evidence: Evidence): TaskResult {
  const { errand, summary, effective } = evidence;
  const report = readReport(evidence.results);
  const violations = [...conservation(summary, report, errand), ...twice(effective), ...foreign(errand, effective)];
  const before = peopleIn(errand.state);
  const after = peopleIn(evidence.state);
  let spoilt = 0;
  for (const [index, row] of errand.rows.entries()) {
    const said = report[index];
    if (!said) continue; // conservation has said so
    const facts = factsOf(row, { before, after, effective });
    const wrong = misfit(row, said, facts);
    if (wrong !== undefined)
      violations.push(`line ${said.line} (${row.kind}) is ${said.status} ${said.code}: ${wrong}`);
    if (said.status === 'failed' && !evidence.letters.has(index))
      violations.push(`line ${said.line} failed and has no dead letter`);
    if (said.status === 'failed' && isTemporary(said.code)) spoilt += 1;
  }
  return { violations, spoilt };
}

function readReport(results: string): readonly ReportRow[] {
  const rows: Record<string, string>[] = parse(results, { bom: true, columns: true, relaxColumnCount: false });
  return rows.map((row) => ({
    line: Number(row['rollcall_line']),
    status: row['rollcall_status'] ?? '',
    code: row['rollcall_code'] ?? '',
  }));
}

/** Promise 1, and that the files say the same as the summary. */
function conservation(summary: Summary, report: readonly ReportRow[], { rows }: Errand): string[] {
  const { counts, state } = summary;
  const { rows: counted, ...statuses } = counts;
  const found: string[] = [];
  if (state !== 'completed') found.push(`the job is ${state}: ${JSON.stringify(summary.problems ?? summary.halt)}`);
  if (counted !== rows.length) found.push(`the summary counts ${counted} rows of ${rows.length}`);
  if (report.length !== rows.length) found.push(`results.csv has ${report.length} rows of ${rows.length}`);
  const sum = Object.values(statuses).reduce((total, count) => total + count, 0);
  if (sum !== counted) found.push(`the counts come to ${sum}, not ${counted}`);
  for (const [status, count] of Object.entries(statuses)) {
    const inFile = report.filter((row) => row.status === status).length;
    if (inFile !== count) found.push(`the summary counts ${count} ${status} rows, results.csv ${inFile}`);
  }
  if (report.some(({ line }, index) => line <= (report[index - 1]?.line ?? 1)))
    found.push('results.csv is out of order');
  return found;
}

/** Promise 2. */
function twice(effective: ReadonlyMap<string, number>): string[] {
  return [...effective].flatMap(([thing, writes]) => (writes > 1 ? [`${thing} was changed ${writes} times`] : []));
}

function foreign({ rows }: Errand, effective: ReadonlyMap<string, number>): string[] {
  const asked = new Set(rows.flatMap(({ thing }) => thing ?? []));
  return [...effective.keys()].filter((thing) => !asked.has(thing)).map((thing) => `${thing} was changed by no row`);
}

interface Facts {
  readonly heldBefore: boolean;
  readonly holds: boolean;
  /** Effective ones. */
  readonly writes: number;
}

function factsOf(
  { thing, holds }: ErrandRow,
  world: { readonly before: People; readonly after: People; readonly effective: ReadonlyMap<string, number> },
): Facts {
  const writes = thing === undefined ? 0 : (world.effective.get(thing) ?? 0);
  return { heldBefore: holds(world.before), holds: holds(world.after), writes };
}

/** Why a row's report and the facts do not fit together; `undefined` when they do. */
function misfit(row: ErrandRow, said: ReportRow, facts: Facts): string | undefined {
  const { kind } = row;
  if (!expected(kind, said)) return 'that is not what it was made for';
  switch (said.status) {
    case 'changed':
      if (!facts.holds) return 'it does not hold';
      return facts.heldBefore || facts.writes !== 1 ? `${facts.writes} effective writes` : undefined;
    case 'unchanged':
      if (!facts.holds) return 'it does not hold';
      return facts.writes > 0 ? `${facts.writes} effective writes` : undefined;
    case 'failed':
      // Whether a write without an answer was applied is what its message leaves open.
      if (said.code === 'TIMED_OUT') return undefined;
      return facts.writes > 0 || facts.holds !== facts.heldBefore ? 'it was changed' : undefined;
    default:
      // A repeat holds by the row that it repeats.
      if (kind === 'repeat') return undefined;
      return facts.writes > 0 ? 'it was changed' : undefined;
  }
}

const OUTCOMES: Readonly<Record<Kind, readonly string[]>> = {
  due: ['changed', 'unchanged'],
  done: ['unchanged'],
  unknown: ['failed USER_NOT_FOUND'],
  refused: ['failed'],
  invalid: ['invalid INVALID_ROW'],
  contradiction: ['invalid CONTRADICTION'],
  repeat: ['unprocessed DUPLICATE'],
};

function expected(kind: Kind, { status, code }: ReportRow): boolean {
  if (OUTCOMES[kind].includes(status) || OUTCOMES[kind].includes(`${status} ${code}`)) return true;
  const isSent = kind === 'due' || kind === 'done' || kind === 'unknown';
  // A row of a chain fails with the one whose address it waits for.
  return isSent && status === 'failed' && (isTemporary(code) || code === 'WORKER_DIED' || code === 'EMAIL_IN_USE');
}

const isTemporary = (code: string): boolean => isCode(code) && CODES[code].temporary;
