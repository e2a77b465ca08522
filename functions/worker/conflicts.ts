import * as z from 'zod';

import { RateLimited } from '../../shared/atlassian/errors.ts';
import { inParallel } from '../../shared/in-parallel.ts';
import { claimKey } from '../../shared/job/keys.ts';
import type { Task } from '../../shared/job/messages.ts';
import { type ObjectStore, writeOnce } from '../../shared/ports.ts';
import type { PlannedRow, SubjectKey } from '../../shared/operations/operation.ts';
import { withoutWrite, type Delivery, type TaskResult } from './task-result.ts';

/** A delivery and what applying its row would do. */
export interface Planned extends Delivery {
  readonly plan: PlannedRow;
}

/** A row that is to be written. */
export interface Writable extends Delivery {
  readonly plan: Extract<PlannedRow, { kind: 'change' }>;
}

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
function contradicting(task: Task, line: number, nowMs: number): TaskResult {
  const message = `Line ${line} names the same account or address in another way and wants something else.`;
  return withoutWrite(task, { status: 'failed', code: 'CONTRADICTION', message }, nowMs);
}

/** The task result of a row that wants the same as the row on that line. */
function repeating(task: Task, line: number, nowMs: number): TaskResult {
  const message = `The same as line ${line}, which names the same account in another way.`;
  return withoutWrite(task, { status: 'unprocessed', code: 'DUPLICATE', message }, nowMs);
}

/** Whether a task result leaves its row to another that wants the same. */
export const isRepeat = (taskResult: TaskResult | undefined): boolean =>
  taskResult?.kind === 'outcome' && taskResult.outcome.code === 'DUPLICATE';

const claimSchema = z.object({ row: z.int().nonnegative(), line: z.int().positive(), desired: z.string() });

const WRITES_UNDER_WAY = 20;

/**
 * Rows that turn out to be about the same account as a row of another batch, in jobs whose rows name accounts in different
 * terms: the first row to be planned claims its subjects in the store, and a later one finds that. Gives the task results of
 * those that may not be written: only a row's first subject makes it a repeat, or of two rows each could repeat the other.
 * Throws RateLimited when the time of the batch is over before all are kept.
 */
export async function conflictsElsewhere(
  planned: readonly Planned[],
  results: ObjectStore,
  { nowMs, signal }: { readonly nowMs: number; readonly signal: AbortSignal },
): Promise<ReadonlyMap<string, TaskResult>> {
  const taskResults = new Map<string, TaskResult>();
  const claiming = planned.flatMap(({ messageId, task, plan }) =>
    task.mixed && 'keys' in plan ? plan.keys.map((key, index) => ({ messageId, task, key, index })) : [],
  );
  await inParallel(claiming, WRITES_UNDER_WAY, async ({ messageId, task, key, index }) => {
    if (signal.aborted) throw outOfTime(nowMs);
    const first = await firstToClaim(task, key, results);
    if (first.row === task.row) return;
    if (first.desired !== key.desired) taskResults.set(messageId, contradicting(task, first.line, nowMs));
    else if (index === 0 && !taskResults.has(messageId)) taskResults.set(messageId, repeating(task, first.line, nowMs));
  });
  return taskResults;
}

const outOfTime = (nowMs: number): RateLimited =>
  new RateLimited('The time for this batch is over; its rows are planned again later', {
    notBeforeMs: nowMs,
    sent: false,
  });

async function firstToClaim(
  { jobId, row, line }: Task,
  { subject, desired }: SubjectKey,
  results: ObjectStore,
): Promise<z.infer<typeof claimSchema>> {
  const key = claimKey(jobId, subject);
  const own = { row, line, desired };
  if (await writeOnce(results, key, JSON.stringify(own))) return own;
  const there = await results.read(key);
  return there ? claimSchema.parse(JSON.parse(await there.text())) : own;
}
