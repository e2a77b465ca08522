import * as z from 'zod';

import { RateLimited } from '../../shared/atlassian/errors.ts';
import { ConditionNotMet } from '../../shared/port-errors.ts';
import { inParallel } from '../../shared/in-parallel.ts';
import { claimKey } from '../../shared/job/keys.ts';
import type { Task } from '../../shared/job/messages.ts';
import type { SubjectKey } from '../../shared/operations/operation.ts';
import type { ObjectStore } from '../../shared/ports.ts';
import { contradicting, repeating } from './conflicts.ts';
import type { Planned } from './sorting.ts';
import type { TaskResult } from './task-result.ts';

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
  try {
    await results.write(key, JSON.stringify(own), { ifNoneMatch: '*' });
    return own;
  } catch (error) {
    if (!(error instanceof ConditionNotMet)) throw error;
    const there = await results.read(key);
    return there ? claimSchema.parse(JSON.parse(await there.text())) : own;
  }
}
