/** What bounds how a job is applied. */
export interface Policy {
  /** The least that the full window holds, in rows. */
  readonly windowRows: number;
  /** The work that the full window holds, in seconds at the job's present rate. */
  readonly windowSeconds: number;
  /** Silence after which a job is overdue. */
  readonly overdueMs: number;
  /** How long a halted or waiting job is kept before it is cancelled. */
  readonly expiryMs: number;
  /** How long something stays in the outbox before it is sent again. */
  readonly resendMs: number;
}
