/** One manifest being applied. */
export interface Job {
  readonly id: string;
  readonly target: string;
  readonly operation: string;
  readonly manifest: {
    readonly bucket: string;
    readonly key: string;
    /** Absent in a bucket without versions. */
    readonly versionId?: string | undefined;
    readonly bytes: number;
  };
  /** When the manifest was first seen; ISO 8601, UTC. */
  readonly startedAt: string;
}

/** The states of a job, those before its end first. */
export const OPEN_STATES = ['validating', 'waiting', 'running', 'paused', 'halted'] as const;
export const ENDED_STATES = ['completed', 'cancelled', 'rejected', 'broken'] as const;

export type JobState = (typeof OPEN_STATES)[number] | (typeof ENDED_STATES)[number];

/** Whether nothing more will be let out of a job in this state. */
export const hasEnded = (state: JobState): boolean => (ENDED_STATES as readonly string[]).includes(state);

/** Whether no row gets a further outcome unless a person does something: the job halted or ended. */
export const hasStopped = (state: JobState): boolean => state === 'halted' || hasEnded(state);

/** What a person can ask of a job, by putting an empty object at `control/<jobId>/<command>` in the inbox bucket. */
export const COMMANDS = ['pause', 'resume', 'cancel', 'approve'] as const;

export type Command = (typeof COMMANDS)[number];
