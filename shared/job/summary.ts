import { type Code, CODES, type Outcome, settleStatus, type Status, STATUSES } from './outcome.ts';
import { attemptsOf, settledStatus } from './row-status.ts';
import { hasStopped, isCancelled, isWaiting, STATES, type JobState } from './job.ts';
import type { Calls, Problem } from './events.ts';
import type { WaitReason } from './plan.ts';
import type { Actor, GateSummary, State } from './state.ts';

/** How many rows a job has and what became of them. */
export type Counts = Readonly<Record<'rows' | Status, number>>;

/** What the plan would do with the rows: how many it would change, and what would become of the others. */
export type PlanFigures = Pick<GateSummary['counts'], 'change' | 'unchanged' | 'failed' | 'invalid'> &
  Pick<GateSummary, 'hash' | 'codes' | 'seats' | 'domains'>;

/** The rows that have one code: how many, the lines of the first ten, and what to do about them. */
export interface Failure {
  readonly code: Code;
  readonly rows: number;
  readonly lines: readonly number[];
  readonly remedy: string;
}

/** A job at a glance: what `status.json` says while it runs and `summary.json` when it has stopped. What is not known yet is absent. */
export interface Summary {
  readonly version: 2;
  readonly job: string;
  readonly revision: number;
  readonly target: string;
  readonly operation: string;
  /** Absent for a file that came by hand. */
  readonly sender?: string | undefined;
  readonly mode: 'apply' | 'dry-run';
  readonly state: JobState;
  /** Why, in the words of whoever dropped the file. */
  readonly reason?: string | undefined;
  readonly manifest: {
    readonly key: string;
    readonly versionId?: string | undefined;
    readonly bytes: number;
    readonly sha256?: string | undefined;
    readonly encoding?: string | undefined;
    readonly delimiter?: string | undefined;
    readonly carriedColumns: readonly string[];
  };
  /** As it held for this job. */
  readonly policy?: GateSummary['policy'] | undefined;
  readonly plan?: PlanFigures | undefined;
  /** While the job waits. */
  readonly waiting?: { readonly reasons: readonly WaitReason[]; readonly since: string } | undefined;
  readonly counts: Counts;
  readonly codes: Readonly<Partial<Record<Code, number>>>;
  /** Rows that did not come out well, by code, most first; only in a report, which reads every row. */
  readonly failures?: readonly Failure[] | undefined;
  /** With how many of them a row took, on average, to two decimal places. */
  readonly calls: Calls & { readonly perRow: number };
  readonly actors: readonly Actor[];
  readonly startedAt: string;
  readonly finishedAt?: string | undefined;
  readonly halt?: { readonly code: Code; readonly message: string } | undefined;
  readonly problems?: readonly Problem[] | undefined;
}

/** The summary of a job as its state stands. */
export const summaryOf = (state: State): Summary => summaryWith(state, tallyRowStatuses(state));

/** What was found amiss while rows were counted, and whether it means that a row is not accounted for. */
export interface Amiss {
  readonly problems: readonly Problem[];
  readonly broken: boolean;
}

/** A summary of rows that were counted elsewhere; figures that do not add up once a job has stopped make it `broken`, and it says which. */
export function summaryWith(state: State, tally: Tally, amiss: Amiss = { problems: [], broken: false }): Summary {
  const imbalance = hasStopped(state.state) ? imbalanceOf(tally.counts) : undefined;
  const imbalances = imbalance === undefined ? [] : [{ message: imbalance }];
  const problems = [...state.problems, ...amiss.problems, ...imbalances];
  const { job, plan, halt } = state;
  return {
    version: 2,
    job: job.id,
    revision: state.revision,
    target: job.target,
    operation: job.operation,
    sender: job.sender,
    mode: plan?.gate?.mode ?? (job.options.dryRun ? 'dry-run' : 'apply'),
    state: amiss.broken || imbalance !== undefined ? 'broken' : state.state,
    reason: job.options.reason,
    manifest: manifestOf(state),
    policy: plan?.gate?.policy,
    plan: plan?.gate && figuresOf(plan.gate),
    waiting: waitOf(state),
    counts: tally.counts,
    codes: tally.codes,
    failures: tally.failures,
    calls: callsOf(state),
    actors: state.actors,
    startedAt: job.startedAt,
    finishedAt: state.finishedAt,
    halt: halt && { code: halt.code, message: halt.message },
    problems: problems.length === 0 ? undefined : problems,
  };
}

function figuresOf({ hash, counts, codes, seats, domains }: GateSummary): PlanFigures {
  const { change, unchanged, failed, invalid } = counts;
  const named = domains && Object.keys(domains).length > 0 ? { domains } : {};
  return { hash, change, unchanged, failed, invalid, codes, seats, ...named };
}

const waitOf = ({ state, waitReasons, stateSinceMs }: State): Summary['waiting'] =>
  isWaiting(state) ? { reasons: waitReasons, since: new Date(stateSinceMs).toISOString() } : undefined;

function callsOf({ calls: { sent, rateLimited, retried }, rows }: State): Summary['calls'] {
  return { sent, rateLimited, retried, perRow: Math.round((100 * sent) / Math.max(1, rows)) / 100 };
}

/** Rows counted by status and by code. */
export interface Tally {
  readonly counts: Counts;
  readonly codes: Readonly<Partial<Record<Code, number>>>;
  /** Where every row was read. */
  readonly failures?: readonly Failure[] | undefined;
}

/** Counts the outcomes of `rows` rows one by one. */
export function createTally(rows: number): {
  readonly add: (status: Status, code: Code | undefined, times?: number) => void;
  readonly total: () => Tally;
} {
  const counts = { rows, changed: 0, unchanged: 0, failed: 0, invalid: 0, unprocessed: 0 };
  const codes: Partial<Record<Code, number>> = {};
  return {
    add: (status, code, times = 1) => {
      counts[status] += times;
      if (code !== undefined && times > 0) codes[code] = (codes[code] ?? 0) + times;
    },
    total: () => ({ counts: { ...counts }, codes: { ...codes } }),
  };
}

/** Of a code's rows, whoever corrects them begins with the first. */
const MOST_LINES = 10;

/** Counts the rows that failed, are invalid or were lost, by code, with the lines of the first ten of each; most rows first. */
export function countFailures(): {
  readonly add: (outcome: Pick<Outcome, 'status' | 'code' | 'line'>) => void;
  readonly total: () => readonly Failure[];
} {
  const counted = new Map<Code, { rows: number; readonly lines: number[] }>();
  return {
    add: ({ status, code, line }) => {
      const isFailure = status === 'failed' || status === 'invalid' || code === 'NOT_APPLIED';
      if (!isFailure || code === undefined) return;
      const known = counted.get(code) ?? { rows: 0, lines: [] };
      counted.set(code, known);
      known.rows += 1;
      if (known.lines.length < MOST_LINES) known.lines.push(line);
    },
    total: () =>
      [...counted]
        .map(([code, { rows, lines }]) => ({ code, rows, lines, remedy: CODES[code].remedy }))
        .toSorted((one, other) => other.rows - one.rows),
  };
}

/** The code of rows that a stopped or ended job did not get to; `undefined` while it goes on, and in a completed job, which has none. */
export function unreachedCode({ state, halt }: Pick<State, 'state' | 'halt'>): Code | undefined {
  const { unreached } = STATES[state];
  return isCancelled(state) && halt && endsRows(halt.code) ? halt.code : unreached;
}

/** Says which figures break promise 1 (rows = changed + unchanged + failed + invalid + unprocessed), or nothing when it holds. */
export function imbalanceOf(counts: Counts): string | undefined {
  const sum = STATUSES.reduce((total, status) => total + counts[status], 0);
  if (sum === counts.rows) return undefined;
  const figures = STATUSES.map((status) => `${status} ${counts[status]}`).join(' + ');
  return `The figures do not add up: ${counts.rows} rows, but ${figures} = ${sum}. Report this, with the job's id.`;
}

/** How often each row status occurs: a state has up to millions of rows, and no more than 256 row statuses. */
function tallyRowStatuses(state: State): Tally {
  const occurrences = new Uint32Array(256);
  for (const rowStatus of state.rowStatuses) occurrences[rowStatus] = (occurrences[rowStatus] ?? 0) + 1;
  const unreached = unreachedCode(state);
  const tally = createTally(state.rows);
  occurrences.forEach((times, rowStatus) => {
    if (times === 0) return;
    const settled = settledStatus(rowStatus);
    if (settled) tally.add(settleStatus(settled, attemptsOf(rowStatus)), settled.code, times);
    else if (unreached) tally.add('unprocessed', unreached, times);
  });
  return tally.total();
}

function manifestOf({ job, manifest }: State): Summary['manifest'] {
  return {
    key: job.manifest.key,
    versionId: job.manifest.versionId,
    bytes: job.manifest.bytes,
    sha256: manifest?.sha256,
    encoding: manifest?.encoding,
    delimiter: manifest?.delimiter,
    carriedColumns: manifest?.carriedColumns ?? [],
  };
}

/** Whether a cancelled job's reason is also its rows': HALTED is not, for such a job can be resumed no more. */
const endsRows = (code: Code): boolean => code !== 'HALTED' && 'unprocessed' in CODES[code].numbers;
