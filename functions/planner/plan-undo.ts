import { readRowPlans, type RowPlan, type StoredPlan } from '../../shared/job/plan.ts';
import { mayHaveChanged, PENDING } from '../../shared/job/row-status.ts';
import { readState } from '../../shared/job/state.ts';
import { readValidation, type Validation } from '../../shared/job/validation.ts';
import { trimIdentifier } from '../../shared/manifest/cells.ts';
import { chunkNumbers } from '../../shared/manifest/row-chunks.ts';
import { type Finding, found, refused, valueOf } from '../../shared/operations/finding.ts';
import type { Cells, Change } from '../../shared/operations/operation.ts';
import { describeChange } from '../../shared/operations/readable.ts';
import type { Session } from '../../shared/operations/session.ts';
import { JobNotReadable, type ObjectStore } from '../../shared/ports.ts';

type Undoes = NonNullable<Validation['undoes']>;

/**
 * Plans rows of an undo.csv. What takes a row back comes from the plan and the outcomes of its job: the cells only have to show
 * the same. Throws JobNotReadable when the job's plan is gone.
 */
export async function createUndoPlan(undoes: Undoes, session: Session, results: ObjectStore): Promise<Session['plan']> {
  const undone = await openUndone(undoes, results);
  return async (rows, signal) => {
    const plans = await readPlans(new Set(rows.map(rowOf)), undone, results);
    const inverses = rows.map((cells) => findInverse(cells, plans.get(rowOf(cells)), undone, session));
    const planned = (await session.planChanges(inverses.flatMap(valueOf), signal)).values();
    return inverses.map((inverse) => {
      if (inverse.kind !== 'found') return inverse;
      const { value } = planned.next();
      if (!value) throw new Error('fewer plans than changes');
      return value;
    });
  };
}

/** A job that is taken back. */
interface Undone extends Pick<Validation, 'rowChunks'> {
  readonly jobId: string;
  readonly plan: StoredPlan;
  readonly rowStatuses: Uint8Array;
}

async function openUndone({ jobId }: Undoes, results: ObjectStore): Promise<Undone> {
  const [state, validation] = await Promise.all([readState(results, jobId), readValidation(results, jobId)]);
  if (!state?.plan || !validation) throw new JobNotReadable(`What the job ${jobId} changed is not kept any more`);
  const { attempt, chunks } = state.plan;
  const plan = { jobId, attempt, chunks: chunks.map((sha256) => sha256 ?? '') };
  return { jobId, plan, rowChunks: validation.rowChunks, rowStatuses: state.rowStatuses };
}

/** The row of the undone job; the cell is sound, or the row would be invalid. */
const rowOf = ({ row }: Cells): number => Number(row);

/** The plans of these rows of the undone job; of one chunk at a time. */
async function readPlans(
  rows: ReadonlySet<number>,
  { plan, rowChunks }: Undone,
  results: ObjectStore,
): Promise<ReadonlyMap<number, RowPlan>> {
  const indices = new Set([...rows].flatMap((row) => chunkNumbers(rowChunks, { from: row, to: row + 1 })));
  const plans = new Map<number, RowPlan>();
  for (const index of indices)
    for (const one of await readRowPlans(results, plan, index)) if (rows.has(one.row)) plans.set(one.row, one);
  return plans;
}

function findInverse(
  cells: Cells,
  plan: RowPlan | undefined,
  { jobId, rowStatuses }: Undone,
  { invert }: Session,
): Finding<Change> {
  const row = rowOf(cells);
  if (!plan || !mayHaveChanged(rowStatuses[row] ?? PENDING))
    return refused('INVALID_ROW', `Row ${row} of the job ${jobId} changed nothing, so there is nothing to take back.`);
  const inverse = plan.kind === 'change' ? invert(plan) : undefined;
  if (!inverse)
    return refused(
      'REQUEST_REFUSED',
      `Nobody can tell how row ${row} of the job ${jobId} was before; change it by hand.`,
    );
  const { subject: who, before: from, after: to } = describeChange(inverse);
  const altered = Object.entries({ who, from, to }).find(([name, text]) => cells[name] !== trimIdentifier(text));
  return altered ? refused('INVALID_ROW', alteredMessage(altered, jobId)) : found(inverse);
}

const alteredMessage = ([name, text]: readonly [string, string], jobId: string): string =>
  `${name}: the job ${jobId} says ${JSON.stringify(text)} here, so the row was altered. Drop in that job's undo.csv as it is; rows may be left out.`;
