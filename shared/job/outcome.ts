import type { Code } from './codes.ts';

export const STATUSES = ['changed', 'unchanged', 'failed', 'invalid', 'unprocessed'] as const;

/** What became of a row. */
export type Status = (typeof STATUSES)[number];

/** The most that an outcome's message has. */
export const MESSAGE_CHARACTERS = 1_000;

/** What became of one row, as its event keeps it and the report shows it. */
export interface Outcome {
  /** The row's place in the manifest, counted from 0 without header and blank lines. */
  readonly row: number;
  /** The line in the manifest on which the row begins, counted from 1. */
  readonly line: number;
  readonly generation: number;
  readonly status: Status;
  readonly code?: Code | undefined;
  /** For a person; at most MESSAGE_CHARACTERS, no secret, no cell but the one at fault. */
  readonly message?: string | undefined;
  readonly httpStatus?: number | undefined;
  readonly attempts: number;
  /** On an `unchanged` row: Atlassian itself answered its first write that it was so already, so no write of ours made it so. */
  readonly untouched?: true | undefined;
  /** Atlassian's own id of the request, for its support. */
  readonly traceId?: string | undefined;
  /** ISO 8601, UTC. */
  readonly finishedAt: string;
}
