import { settledFate } from '../../shared/job/fates.ts';
import { hasEnded } from '../../shared/job/job.ts';
import type { State } from '../../shared/job/state.ts';
import type { Task } from '../../shared/job/task.ts';

/** What is to be done with a task as its job stands: carry it out, forget it, drop it and say so, or hand it back until later. */
export type Standing = 'due' | 'done' | 'stopped' | 'held';

/** A row that has an outcome is done, unless it failed and was put up again since; one of a job that does not run waits or is dropped. */
export function standingOf(task: Task, state: State): Standing {
  const settled = settledFate(state.fates[task.row] ?? 0);
  if (!settled) return state.state === 'running' ? 'due' : 'stopped';

  const recordedGeneration = state.generations.get(task.row) ?? 0;
  if (settled.status !== 'failed' || task.generation <= recordedGeneration) return 'done';
  // Put up again by hand: a stop of the job holds the row back, but it is not lost, as its dead letter is gone.
  return state.state === 'running' || hasEnded(state.state) ? 'due' : 'held';
}
