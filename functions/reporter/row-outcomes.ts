import { inParallel } from '../../shared/in-parallel.ts';
import { attemptsOf, settledStatus, wasAttempted } from '../../shared/job/row-status.ts';
import type { RowEvent } from '../../shared/job/events.ts';
import { chunkKey } from '../../shared/job/keys.ts';
import { join, settleOutcome, settleStatus, statusOfRefusal, type Outcome } from '../../shared/job/outcome.ts';
import type { RowPlan } from '../../shared/job/plan.ts';
import type { State } from '../../shared/job/state.ts';
import { unreachedCode } from '../../shared/job/summary.ts';
import type { ObjectStore } from '../../shared/ports.ts';

/** What became of each row, in the order of the rows, with memory for no more than some of them. */
export interface RowOutcomes {
  /** Rows before this one can be asked for now. */
  readonly loadedUpTo: () => number;
  /** Makes the next rows ready, and deletes those before them. */
  readonly loadMore: () => Promise<void>;
  /** What the report says of a row, asked once a row. */
  readonly take: (row: RowWithPlan) => RowResult;
  /** What was found amiss on the way. */
  readonly findings: () => Findings;
}

/** A row with what planning found, where it was planned. */
export interface RowWithPlan {
  readonly row: number;
  readonly line: number;
  readonly plan?: RowPlan | undefined;
}

/** What became of a row. */
export interface RowResult {
  readonly outcome: Outcome;
  /** The outcome that it had before anything was applied, where it was given one then. */
  readonly given: Outcome | undefined;
}

export interface Findings {
  /** Rows of which events and state disagree, and the first of them. */
  readonly disagreeing: number;
  readonly firstDisagreeing: number | undefined;
  readonly missingChunks: readonly string[];
}

/** In rows: how many are made ready at a time, and how far ahead of them entries are kept so that their chunk is not read again. */
export interface Stride {
  readonly step: number;
  readonly reach: number;
}

const STRIDE: Stride = { step: 20_000, reach: 200_000 };
const CHUNKS_UNDER_WAY = 8;

interface Known extends Partial<RowResult> {
  readonly attempts: number;
}

/** A chunk, and the first of its rows that has not been read. */
interface Unread {
  readonly name: string;
  readonly nextRow: number;
  readonly lastRow: number;
}

/** Where a row's outcome may stand: the job's events, the plan, and the state. */
export interface Sources {
  readonly results: ObjectStore;
  readonly state: State;
  /** The chunks of outcomes that were given before anything was applied. */
  readonly givenChunks: ReadonlySet<string>;
}

/**
 * Joins a job's chunks, its tail, its plan and its row statuses. Each chunk is read once, and again only when it spans more
 * rows than the reach.
 */
export function rowOutcomes({ results, state, givenChunks }: Sources, { step, reach } = STRIDE): RowOutcomes {
  const known = new Map<number, Known>();
  const missingChunks: string[] = [];
  let unread: readonly Unread[] = state.chunks.map(({ name, firstRow, lastRow }) => ({
    name,
    nextRow: firstRow,
    lastRow,
  }));
  let end = 0;
  let disagreeing = 0;
  let firstDisagreeing: number | undefined;
  for (const entry of state.tail) learn(known, entry);

  const load = async ({ name, nextRow, lastRow }: Unread, horizon: number): Promise<Unread | undefined> => {
    const chunk = await results.read(chunkKey(state.job.id, name));
    if (!chunk) missingChunks.push(name);
    for (const entry of chunk ? entriesOf(await chunk.text()) : [])
      if (entry.row >= nextRow && entry.row < horizon) learn(known, entry, givenChunks.has(name));
    return chunk && lastRow >= horizon ? { name, nextRow: horizon, lastRow } : undefined;
  };

  return {
    loadedUpTo: () => end,
    loadMore: async () => {
      const horizon = end + reach;
      end += step;
      const due = unread.filter(({ nextRow }) => nextRow < end);
      const left = unread.filter(({ nextRow }) => nextRow >= end);
      await inParallel(due, CHUNKS_UNDER_WAY, async (chunk) => {
        const rest = await load(chunk, horizon);
        if (rest) left.push(rest);
      });
      unread = left;
    },
    take: (planned) => {
      const { row } = planned;
      const found = known.get(row);
      known.delete(row);
      const outcome = found?.outcome ? settleOutcome(found.outcome, found.attempts) : plannedOutcome(state, planned);
      if (!agrees(state, row, outcome)) {
        disagreeing += 1;
        firstDisagreeing ??= row;
      }
      return { outcome: outcome ?? unrecorded(state, planned), given: found?.given };
    },
    findings: () => ({ disagreeing, firstDisagreeing, missingChunks }),
  };
}

function learn(known: Map<number, Known>, entry: RowEvent, isGiven = false): void {
  const { outcome, given, attempts = 0 } = known.get(entry.row) ?? {};
  known.set(
    entry.row,
    entry.kind === 'attempting'
      ? { outcome, given, attempts: attempts + 1 }
      : { outcome: outcome ? join(outcome, entry) : entry, given: isGiven ? entry : given, attempts },
  );
}

function* entriesOf(chunk: string): Iterable<RowEvent> {
  for (let start = 0; start < chunk.length;) {
    const newline = chunk.indexOf('\n', start);
    const end = newline === -1 ? chunk.length : newline;
    // Our own writing, named by a state that If-Match fences: parsing each of millions of lines would double the time.
    if (end > start) yield JSON.parse(chunk.slice(start, end)) as RowEvent;
    start = end + 1;
  }
}

/** The outcome that planning came to, where the state has the same: what was decided of the whole plan counts more. */
function plannedOutcome(state: State, { row, plan }: RowWithPlan): Outcome | undefined {
  if (plan === undefined || plan.kind === 'change') return undefined;
  const { line, at: finishedAt, message } = plan;
  const common = { row, line, generation: 0, attempts: 0, message, finishedAt };
  const outcome: Outcome =
    plan.kind === 'noop'
      ? { ...common, status: 'unchanged' }
      : {
          ...common,
          status: statusOfRefusal(plan.code),
          code: plan.code,
          httpStatus: plan.httpStatus,
          traceId: plan.traceId,
        };
  return agrees(state, row, outcome) ? outcome : undefined;
}

/** The state has every outcome that events and plan hold, as it joined them; of its own it has only rows that it gave up on or stopped before. */
function agrees(state: State, row: number, outcome: Outcome | undefined): boolean {
  const rowStatus = state.rowStatuses[row];
  if (rowStatus === undefined) return false;
  const settled = settledStatus(rowStatus);
  if (!outcome) return settled ? settled.status === 'unprocessed' : unreachedCode(state) !== undefined;
  return (
    settled !== undefined &&
    settled.code === outcome.code &&
    settleStatus(settled, attemptsOf(rowStatus)) === outcome.status
  );
}

/** The outcome of a row of which neither event nor plan speaks: the state's, or that the job stopped before it. */
function unrecorded(state: State, { row, line }: RowWithPlan): Outcome {
  const rowStatus = state.rowStatuses[row] ?? 0;
  const attempts = wasAttempted(rowStatus) ? 1 : 0;
  const common = { row, line, generation: 0, attempts, finishedAt: state.finishedAt ?? '' };
  const settled = settledStatus(rowStatus);
  if (settled) return { ...common, status: settleStatus(settled, attemptsOf(rowStatus)), code: settled.code };
  return {
    ...common,
    status: 'unprocessed',
    code: unreachedCode(state) ?? 'NOT_APPLIED',
    ...(attempts > 0 && { message: WRITE_UNCERTAIN }),
  };
}

// The mark is set for a whole batch before its first write; a stop in between may have withheld this one.
const WRITE_UNCERTAIN =
  'A write of this row may have begun; its answer is not known. Dropped in again, a row that is done comes out unchanged.';
