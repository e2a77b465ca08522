import { NoAnswer, RateLimited, Refusal, Withheld } from '../../shared/atlassian/errors.ts';
import type { Calls } from '../../shared/job/events.ts';
import type { PlanRequest } from '../../shared/job/messages.ts';
import type { Code } from '../../shared/job/outcome.ts';
import type { Post } from '../../shared/job/post.ts';
import { errorFields, type Log } from '../../shared/log.ts';
import { haltsJob } from '../../shared/operations/session.ts';
import type { Clock, Queue } from '../../shared/ports.ts';
import type { PlanningJob } from './planner.ts';

export interface ErrorPorts {
  readonly planQueue: Queue;
  readonly post: Post;
  readonly clock: Clock;
  readonly log: Log;
}

/** Something has to be waited for: Atlassian, or another job. */
export class PlanDeferred extends Error {
  /** Epoch milliseconds. */
  readonly notBeforeMs: number;
  readonly calls: Calls;
  /** How many rows of the chunk are planned and stored. */
  readonly done: number;
  /** Absent where nothing is wrong: then the plan may wait for ever. */
  readonly reason: Error | undefined;

  constructor(
    message: string,
    options: {
      readonly notBeforeMs: number;
      readonly calls: Calls;
      readonly done: number;
      readonly reason?: Error | undefined;
    },
  ) {
    super(message);
    this.notBeforeMs = options.notBeforeMs;
    this.calls = options.calls;
    this.done = options.done;
    this.reason = options.reason;
  }
}

const NO_CALLS: Calls = { sent: 0, rateLimited: 0, retried: 0 };
const RETRY_MS = 10_000;
/** What SQS can delay a message by. */
const LONGEST_MS = 900_000;
const PATIENCE_MS = 6 * 3_600_000;

/** Tries again later what failed for a passing reason, or is not foreseen; halts the job for what only a person can put right, and after six hours. */
export async function handlePlanError(
  error: unknown,
  request: PlanRequest,
  { plan }: PlanningJob,
  ports: ErrorPorts,
): Promise<void> {
  if (error instanceof Withheld) return;
  const nowMs = ports.clock.now().getTime();
  const deferred = error instanceof PlanDeferred ? error : undefined;
  const reason = deferred ? deferred.reason : error;
  const isOver = reason !== undefined && nowMs - plan.sinceMs > PATIENCE_MS;
  if (haltsJob(reason) || isOver) return ports.post(request.jobId, { type: 'halted', ...reasonOf(reason) });

  const isFailure = reason !== undefined && !(reason instanceof RateLimited);
  const fields = { job: request.jobId, ...errorFields(reason ?? error) };
  ports.log(isFailure ? 'planner.failed' : 'plan.deferred', fields);
  const waitMs = Math.min(LONGEST_MS, Math.max(0, notBeforeOf(error, nowMs) - nowMs));
  const delaySeconds = Math.ceil(waitMs / 1_000);
  const body = deferred && request.kind === 'plan' ? { ...request, done: deferred.done } : request;
  await ports.planQueue.send([{ body, groupId: request.jobId, delaySeconds }]);
  const until = new Date(nowMs + delaySeconds * 1_000).toISOString();
  await ports.post(request.jobId, { type: 'deferred', until, calls: deferred?.calls ?? NO_CALLS });
}

const notBeforeOf = (error: unknown, nowMs: number): number =>
  error instanceof PlanDeferred || error instanceof RateLimited ? error.notBeforeMs : nowMs + RETRY_MS;

function reasonOf(error: unknown): { readonly code: Code; readonly message: string } {
  if (error instanceof Refusal || error instanceof NoAnswer) return { code: error.code, message: error.message };
  return {
    code: 'ATLASSIAN_ERROR',
    message: 'The rows could not be planned for six hours; see the log of the planner, then resume the job.',
  };
}
