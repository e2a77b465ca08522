import type { Task } from '../../shared/job/messages.ts';
import type { SubjectKey } from '../../shared/operations/operation.ts';
import type { Planned } from './sorting.ts';
import { withoutWrite, type TaskResult } from './task-result.ts';

/**
 * Rows of a batch that turn out to be about the same account (once by id, once by e-mail): a repeat is left to its first
 * row, and rows that want different things all fail. Gives the task results of those that may not be written.
 */
export function conflictsIn(planned: readonly Planned[], nowMs: number): ReadonlyMap<string, TaskResult> {
  const keys = Map.groupBy(planned.flatMap(keysOf), ({ subject }) => subject);
  const taskResults = new Map<string, TaskResult>();
  for (const group of keys.values()) {
    const [first, ...others] = group.toSorted((one, other) => one.row.task.row - other.row.task.row);
    if (!first || others.length === 0) continue;
    const contradiction = others.find(({ desired }) => desired !== first.desired);
    if (contradiction) {
      for (const { row: one } of group) taskResults.set(one.messageId, contradictingIn(one, group, nowMs));
      continue;
    }
    for (const { row: one } of others) {
      if (one.task.row === first.row.task.row || taskResults.has(one.messageId)) continue;
      taskResults.set(one.messageId, repeating(one.task, first.row.task.line, nowMs));
    }
  }
  return taskResults;
}

interface PlannedKey extends SubjectKey {
  readonly row: Planned;
}

const keysOf = (row: Planned): readonly PlannedKey[] =>
  'keys' in row.plan ? row.plan.keys.map((key) => ({ ...key, row })) : [];

function contradictingIn({ task, messageId }: Planned, group: readonly PlannedKey[], nowMs: number): TaskResult {
  const own = group.find(({ row }) => row.messageId === messageId);
  const other = group.find(({ desired }) => desired !== own?.desired) ?? own;
  return contradicting(task, other?.row.task.line ?? task.line, nowMs);
}

/** The task result of a row that wants something else than the row on that line, about the same account or address. */
export function contradicting(task: Task, line: number, nowMs: number): TaskResult {
  const message = `Line ${line} names the same account or address in another way and wants something else.`;
  return withoutWrite(task, { status: 'failed', code: 'CONTRADICTION', message }, nowMs);
}

/** The task result of a row that wants the same as the row on that line. */
export function repeating(task: Task, line: number, nowMs: number): TaskResult {
  const message = `The same as line ${line}, which names the same account in another way.`;
  return withoutWrite(task, { status: 'unprocessed', code: 'DUPLICATE', message }, nowMs);
}

/** Whether a task result leaves its row to another that wants the same. */
export const isRepeat = (taskResult: TaskResult | undefined): boolean =>
  taskResult?.kind === 'outcome' && taskResult.outcome.code === 'DUPLICATE';
