import type { Task } from '../../shared/job/task.ts';
import type { Seen } from './sorting.ts';
import { withoutWrite, type TaskResult } from './task-result.ts';

/**
 * Rows of a batch that turn out to be about the same account (once by id, once by e-mail): a repeat is left to its first
 * row, and rows that want different things all fail. Gives the task results of those that may not be written.
 */
export function conflictsIn(seen: readonly Seen[], nowMs: number): ReadonlyMap<string, TaskResult> {
  const claims = Map.groupBy(seen.flatMap(claimsOf), ({ thing }) => thing);
  const taskResults = new Map<string, TaskResult>();
  for (const group of claims.values()) {
    const [first, ...others] = group.toSorted((one, other) => one.seen.task.row - other.seen.task.row);
    if (!first || others.length === 0) continue;
    const contradiction = others.find(({ wish }) => wish !== first.wish);
    if (contradiction) {
      for (const { seen: one } of group) taskResults.set(one.messageId, contradictingIn(one, group, nowMs));
      continue;
    }
    for (const { seen: one } of others) {
      if (one.task.row === first.seen.task.row || taskResults.has(one.messageId)) continue;
      taskResults.set(one.messageId, repeating(one.task, first.seen.task.line, nowMs));
    }
  }
  return taskResults;
}

interface SeenClaim {
  readonly thing: string;
  readonly wish: string;
  readonly seen: Seen;
}

const claimsOf = (seen: Seen): readonly SeenClaim[] =>
  'claims' in seen.sight ? seen.sight.claims.map(({ thing, wish }) => ({ thing, wish, seen })) : [];

function contradictingIn({ task, messageId }: Seen, group: readonly SeenClaim[], nowMs: number): TaskResult {
  const own = group.find(({ seen }) => seen.messageId === messageId);
  const other = group.find(({ wish }) => wish !== own?.wish) ?? own;
  return contradicting(task, other?.seen.task.line ?? task.line, nowMs);
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
