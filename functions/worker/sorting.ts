import type { Task } from '../../shared/job/messages.ts';
import type { PlannedRow } from '../../shared/operations/operation.ts';
import type { Delivery } from './delivery.ts';
import { success, type TaskResult } from './task-result.ts';

/** A delivery and what applying its row would do. */
export interface Planned extends Delivery {
  readonly plan: PlannedRow;
}

/** A row that is to be written. */
export interface Writable extends Delivery {
  readonly plan: Extract<PlannedRow, { kind: 'change' }>;
}

/** What planning came to: the rows that need no write or can have none, and those that are to be written. */
export interface Sorted {
  readonly settled: readonly (readonly [Delivery, TaskResult])[];
  readonly writable: readonly Writable[];
}

/** Sorts rows by their plans; `conflicts` gives the task results of rows that others contradict or repeat, by message, `refuse` that of an error. */
export function sortPlanned(
  planned: readonly Planned[],
  conflicts: ReadonlyMap<string, TaskResult>,
  nowMs: number,
  refuse: (error: unknown, task: Task) => TaskResult,
): Sorted {
  const settled: (readonly [Delivery, TaskResult])[] = [];
  const writable: Writable[] = [];
  for (const { messageId, task, plan } of planned) {
    const settle = (taskResult: TaskResult): unknown => settled.push([{ messageId, task }, taskResult]);
    const conflict = conflicts.get(messageId);
    if (conflict) settle(conflict);
    else if (plan.kind === 'noop') settle(success(task, { status: 'unchanged', message: plan.message }, nowMs));
    else if (plan.kind === 'refused') settle(refuse(plan.refusal, task));
    else if (plan.kind === 'unread') settle(refuse(plan.error, task));
    else writable.push({ messageId, task, plan });
  }
  return { settled, writable };
}
