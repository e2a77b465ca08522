import type { Task } from '../../shared/job/task.ts';
import type { Sight } from '../../shared/operations/operation.ts';
import type { Delivery } from './delivery.ts';
import { success, type TaskResult } from './task-result.ts';

/** A delivery and what looking gave for its row. */
export interface Seen extends Delivery {
  readonly sight: Sight;
}

/** A row that can be written. */
export interface Writable extends Delivery {
  readonly sight: Extract<Sight, { kind: 'ready' }>;
}

/** What looking came to: the rows that need no write or can have none, and those that are to be written. */
export interface Sorted {
  readonly settled: readonly (readonly [Delivery, TaskResult])[];
  readonly writable: readonly Writable[];
}

/** Sorts rows by what looking gave for them; `conflicts` gives the task results of rows that others contradict or repeat, by message, `refuse` that of an error. */
export function sortSeen(
  seen: readonly Seen[],
  conflicts: ReadonlyMap<string, TaskResult>,
  nowMs: number,
  refuse: (error: unknown, task: Task) => TaskResult,
): Sorted {
  const settled: (readonly [Delivery, TaskResult])[] = [];
  const writable: Writable[] = [];
  for (const { messageId, task, sight } of seen) {
    const settle = (taskResult: TaskResult): unknown => settled.push([{ messageId, task }, taskResult]);
    const conflict = conflicts.get(messageId);
    if (conflict) settle(conflict);
    else if (sight.kind === 'fulfilled') settle(success(task, { status: 'unchanged', message: sight.message }, nowMs));
    else if (sight.kind === 'refused') settle(refuse(sight.refusal, task));
    else if (sight.kind === 'unseen') settle(refuse(sight.error, task));
    else writable.push({ messageId, task, sight });
  }
  return { settled, writable };
}
