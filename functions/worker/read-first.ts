import { Refusal } from '../../shared/atlassian/errors.ts';
import type { ChangeTask, Task } from '../../shared/job/messages.ts';
import { wasAttempted } from '../../shared/job/row-status.ts';
import { refusedBy, type Finding, type Stopped } from '../../shared/operations/finding.ts';
import type { Change, PlannedRow } from '../../shared/operations/operation.ts';
import { describeState } from '../../shared/operations/readable.ts';
import { haltsJob, type Session } from '../../shared/operations/session.ts';
import { nowMs, runFor, settleAll, type Batch } from './batch.ts';
import { again, isInDoubt, success, type Delivery } from './task-result.ts';

/** A row with the change that is to be written. */
export interface Writable extends Delivery {
  readonly change: Change;
}

/**
 * The rows to write: at once where the plan is fresh and no write can have begun, the others as they are read. The rest have
 * their task results.
 */
export async function findWritable(
  deliveries: readonly Delivery[],
  session: Session,
  batch: Batch,
): Promise<readonly Writable[]> {
  const readsFirst = await runFor(deliveries, session.readsFirst, batch);
  if (readsFirst === undefined) return [];
  const goesUnread = (delivery: Delivery<ChangeTask>): boolean => !readsFirst && mayGoUnread(delivery, batch);
  const { unread = [], read = [] } = Object.groupBy(deliveries.filter(holdsChange), (delivery) =>
    goesUnread(delivery) ? 'unread' : 'read',
  );
  const readAtMs = nowMs(batch);
  const found = [
    ...(await readChanges(read, session, batch)),
    ...(await planRows(deliveries.filter(holdsRow), session, batch)),
  ];
  const writable: Writable[] = unread.map((delivery) => ({ ...delivery, change: changeOf(delivery) }));
  for (const one of found) {
    const change = await settleUnlessWritable(one, readAtMs, batch);
    if (change) writable.push({ ...one.delivery, change });
  }
  return writable;
}

const holdsChange = (delivery: Delivery): delivery is Delivery<ChangeTask> => delivery.task.kind === 'change';

type RowTask = Extract<Task, { readonly kind: 'row' }>;

const holdsRow = (delivery: Delivery): delivery is Delivery<RowTask> => delivery.task.kind === 'row';

const changeOf = ({ task: { subject, before, after } }: Delivery<ChangeTask>): Change => ({ subject, before, after });

/** For how long after planning a write may go unread. */
const FRESH_MS = 600_000;

function mayGoUnread({ task, isFirst }: Delivery<ChangeTask>, batch: Batch): boolean {
  const isUntried = isFirst && task.attempts === 0 && task.generation === 0 && !isAttempted(task, batch);
  // The tasks of an undo name the operation that they perform.
  const isUndo = task.operation !== batch.state.job.operation;
  return (
    isUntried && !isUndo && !task.readAgain && !task.freed && nowMs(batch) - Date.parse(task.plannedAt) <= FRESH_MS
  );
}

const isAttempted = ({ row }: Task, { state }: Batch): boolean => wasAttempted(state.rowStatuses[row] ?? 0);

/** How a row was found. */
interface Found {
  readonly delivery: Delivery;
  readonly finding:
    | { readonly kind: 'before'; readonly change: Change }
    | { readonly kind: 'desired'; readonly message?: string | undefined }
    | { readonly kind: 'other'; readonly refusal: Refusal }
    | Stopped;
}

function readChanges(
  deliveries: readonly Delivery<ChangeTask>[],
  session: Session,
  batch: Batch,
): Promise<readonly Found[]> {
  const read = async (rows: typeof deliveries) => {
    const changes = rows.map(changeOf);
    const states = await session.read(changes, batch.deadline.signal);
    return changes.map((change, index) => standingOf(change, states[index], session));
  };
  return lookUp(deliveries, read, batch);
}

function standingOf(change: Change, state: Finding<unknown> | undefined, session: Session): Found['finding'] {
  if (!state) throw new Error('fewer states than changes');
  if (state.kind !== 'found') return state;
  const kind = session.compare(change, state.value);
  if (kind !== 'other') return { kind, change };
  const rebased = session.rebase(change, state.value);
  return rebased ? { kind: 'before', change: rebased } : { kind, refusal: changedSincePlan(change, state.value) };
}

function changedSincePlan({ before }: Change, state: unknown): Refusal {
  const [planned, present] = [describeState(before), describeState(state)];
  const what = planned === '' || present === '' ? '' : `: the plan found "${planned}", now it is "${present}"`;
  return new Refusal(
    'CHANGED_SINCE_PLAN',
    `Somebody changed this after it was planned${what}. Nothing was written; drop failed.csv in again if the row still applies.`,
  );
}

function planRows(deliveries: readonly Delivery<RowTask>[], session: Session, batch: Batch): Promise<readonly Found[]> {
  const plan = async (rows: typeof deliveries) => {
    const cells = rows.map(({ task }) => task.cells);
    return (await session.plan(cells, batch.deadline.signal)).map(findingOf);
  };
  return lookUp(deliveries, plan, batch);
}

function findingOf(planned: PlannedRow): Found['finding'] {
  switch (planned.kind) {
    case 'noop':
      return { kind: 'desired', message: planned.message };
    case 'change':
      return planned.blocked ? refusedBy(planned.blocked.refusal) : { kind: 'before', change: planned };
    case 'refused':
    case 'unread':
      return planned;
    default:
      return planned satisfies never;
  }
}

/**
 * What a look-up that rows share found of each; the others have their task results. One row's value may be why it is
 * refused: by halves that row ends up alone, and fails alone.
 */
async function lookUp<Of extends Delivery>(
  rows: readonly Of[],
  ask: (rows: readonly Of[]) => Promise<readonly Found['finding'][]>,
  batch: Batch,
): Promise<readonly Found[]> {
  if (rows.length === 0) return [];
  try {
    const findings = await ask(rows);
    return rows.map((delivery, index) => {
      const finding = findings[index];
      if (!finding) throw new Error(`${findings.length} findings for ${rows.length} rows`);
      return { delivery, finding };
    });
  } catch (error) {
    if (rows.length > 1 && isRequestRefused(error)) {
      const middle = Math.ceil(rows.length / 2);
      const first = await lookUp(rows.slice(0, middle), ask, batch);
      return [...first, ...(await lookUp(rows.slice(middle), ask, batch))];
    }
    await settleAll(rows, error, batch);
    return [];
  }
}

/** Whether Atlassian refused what it was asked, rather than who asks. */
const isRequestRefused = (error: unknown): boolean =>
  error instanceof Refusal && error.code === 'REQUEST_REFUSED' && !haltsJob(error);

/** The change where it is still to be made; any other row gets its task result. */
async function settleUnlessWritable(
  { delivery, finding }: Found,
  readAtMs: number,
  batch: Batch,
): Promise<Change | undefined> {
  const { messageId, task } = delivery;
  const settledMs = finding.kind === 'desired' || finding.kind === 'other' ? settledAtMs(task, batch) : 0;
  if (settledMs > readAtMs) {
    batch.recorder.add(messageId, again({ ...task, readAgain: true }, settledMs));
    return undefined;
  }
  switch (finding.kind) {
    case 'before':
      if (!isInDoubt(task, batch.state)) return finding.change;
      batch.recorder.add(messageId, { kind: 'done', task });
      return undefined;
    case 'desired':
      batch.recorder.add(messageId, success(task, { status: 'unchanged', message: finding.message }, nowMs(batch)));
      return undefined;
    case 'other':
    case 'refused':
      await settleAll([delivery], finding.refusal, batch);
      return undefined;
    case 'unread':
      await settleAll([delivery], finding.error, batch);
      return undefined;
    default:
      return finding satisfies never;
  }
}

/**
 * From when on Atlassian shows what stands of a row's subject: before, it may show what stood before a write of ours. A row
 * waits for that once, and not where its own write had begun.
 */
function settledAtMs(task: Task, batch: Batch): number {
  const { lastWrites, consistencySeconds } = batch.ports;
  const lastMs = lastWrites.get(task.target);
  if (task.readAgain || lastMs === undefined || isAttempted(task, batch)) return 0;
  return lastMs + consistencySeconds * 1_000;
}
