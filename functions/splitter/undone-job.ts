import { hasEnded, hasStopped, type Job } from '../../shared/job/job.ts';
import { planChunkKey } from '../../shared/job/keys.ts';
import { readState } from '../../shared/job/state.ts';
import type { Validation } from '../../shared/job/validation.ts';
import { refuse } from '../../shared/manifest/refusal.ts';
import type { Cells } from '../../shared/operations/operation.ts';
import { isStored, type ObjectStore } from '../../shared/ports.ts';

/** Which job the rows of an undo.csv name. */
export interface UndoneJobs {
  /** Throws ManifestRefused where a row names another job than those before it. */
  readonly add: (line: number, cells: Cells) => void;
  readonly named: () => string | undefined;
}

export function noteUndoneJob(): UndoneJobs {
  let named: string | undefined;
  return {
    named: () => named,
    add: (line, { job }) => {
      named ??= job;
      if (job === undefined || job === named) return;
      refuse(
        `this row is of the job ${shown(job)} and the rows before it are of ${shown(named ?? '')}; one job a file`,
        line,
      );
    },
  };
}

/** The job that a file takes back, and the operation that this performs. Throws ManifestRefused for a job that cannot be taken back. */
export async function findUndone(
  undone: string | undefined,
  { target }: Pick<Job, 'target'>,
  results: ObjectStore,
): Promise<NonNullable<Validation['undoes']>> {
  if (undone === undefined) return refuse('no row of the file names a job, so there is nothing to take back');
  const state = await readState(results, undone);
  if (!state || state.job.target !== target)
    return refuse(
      `there is no job ${shown(undone)} of the target ${target}; drop in the undo.csv of one of its jobs, as it is`,
    );
  const { plan, appliedAt } = state;
  if (!plan?.gate || appliedAt === undefined)
    return refuse(`the job ${shown(undone)} changed nothing, so there is nothing to take back`);
  if (!hasEnded(state.state) && !hasStopped(state.state))
    return refuse(
      `the job ${shown(undone)} is still running; pause it or wait for its end, then drop in its newest undo.csv`,
    );
  if (!(await isStored(results, planChunkKey(undone, plan.attempt, 0))))
    return refuse(
      `the plan of the job ${shown(undone)} is not kept any more, so nobody can tell what it changed; make the changes by hand`,
    );
  return { jobId: undone, operation: plan.gate.operation ?? state.job.operation };
}

const shown = (id: string): string => JSON.stringify(id.slice(0, 100)).toWellFormed();
