import type { Task } from '../../shared/job/messages.ts';

/** A task with the message that brought it. */
export interface Delivery {
  readonly messageId: string;
  readonly task: Task;
}

/** When a batch has to be done with its calls. */
export interface Deadline {
  /** Epoch milliseconds after which no call may begin. */
  readonly atMs: number;
  /** Aborts the calls that are under way then. */
  readonly signal: AbortSignal;
  /** Epoch milliseconds at which the invocation itself is over. */
  readonly endsAtMs: number;
}
