import * as z from 'zod';

import { inParallel } from '../../shared/in-parallel.ts';
import { outcomeSchema } from '../../shared/job/events.ts';
import { failureKey } from '../../shared/job/keys.ts';
import type { Outcome } from '../../shared/job/outcome.ts';
import type { Task } from '../../shared/job/messages.ts';
import { ConditionNotMet } from '../../shared/port-errors.ts';
import type { Message, ObjectStore } from '../../shared/ports.ts';
import type { TaskResult } from './task-result.ts';

/** A row's task result once it has failed for good. */
export type Failure = Extract<TaskResult, { kind: 'outcome' }>;

export const isFailure = (taskResult: TaskResult): taskResult is Failure =>
  taskResult.kind === 'outcome' && taskResult.outcome.status === 'failed';

/** A failed row for the dead-letter queue: its task of the next generation, no attempts spent. Moved back to the tasks queue it runs as it is. */
export function deadLetter({ task, outcome: { code, httpStatus, attempts, traceId } }: Failure): Message {
  const body: Task = { ...task, generation: task.generation + 1, attempts: 0 };
  return {
    body,
    attributes: {
      code: code ?? '',
      attempts: String(attempts),
      ...(httpStatus !== undefined && { httpStatus: String(httpStatus) }),
      ...(traceId !== undefined && traceId !== '' && { traceId }),
    },
  };
}

const WRITES_UNDER_WAY = 20;

/**
 * Of a row that was delivered twice and failed twice, the failure that is written down first counts for both deliveries: so
 * there is one dead letter, with the reason that the report gives. Gives the first failure of each of these rows, and nothing
 * where another worker may still be recording it: then the message stays on the queue until the job's state has the outcome.
 */
export async function findFirstFailures(
  failures: readonly Failure[],
  results: ObjectStore,
  { nowMs, endsAtMs }: { readonly nowMs: number; readonly endsAtMs: number },
): Promise<ReadonlyMap<TaskResult, Failure>> {
  const found = new Map<TaskResult, Failure>();
  await inParallel(failures, WRITES_UNDER_WAY, async (failure) => {
    const first = await writeOnce(failure, endsAtMs, results);
    if (first && (first.outcome === failure.outcome || first.endsAtMs < nowMs))
      found.set(failure, { ...failure, outcome: first.outcome });
  });
  return found;
}

const firstFailureSchema = z.object({
  outcome: outcomeSchema,
  /** When the worker that wrote it is over, having recorded it or not; epoch milliseconds. */
  endsAtMs: z.number(),
});

interface FirstFailure {
  readonly outcome: Outcome;
  readonly endsAtMs: number;
}

/** The failure that stands there then; `undefined` when another write is under way (409) and none stands there yet. */
async function writeOnce(
  { task, outcome }: Failure,
  endsAtMs: number,
  results: ObjectStore,
): Promise<FirstFailure | undefined> {
  const key = failureKey(task.jobId, task.row, task.generation);
  const own = { outcome, endsAtMs };
  try {
    await results.write(key, JSON.stringify(own), { ifNoneMatch: '*' });
    return own;
  } catch (error) {
    if (!(error instanceof ConditionNotMet)) throw error;
    const first = await results.read(key);
    return first && firstFailureSchema.parse(JSON.parse(await first.text()));
  }
}
