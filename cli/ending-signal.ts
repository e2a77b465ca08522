import { constants } from 'node:os';

import { RollcallError } from '../shared/errors.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The command was told to end before it had done its work. */
export class Interrupted extends RollcallError {
  readonly code = 'INTERRUPTED';
  readonly temporary = false;
  /** What a shell expects of a program that a signal ended. */
  readonly exitCode: number;

  constructor(signal: (typeof SIGNALS)[number]) {
    super(`Ended by ${signal}.`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** Aborted, for the reason Interrupted, when this process is told to end: what was begun is closed rather than left. */
export function endingSignal(): AbortSignal {
  const ending = new AbortController();
  // The handlers stay: one Ctrl-C comes from the terminal, from npm and from node24.mjs, and none of the three may cut the closing short.
  for (const signal of SIGNALS) process.on(signal, () => ending.abort(new Interrupted(signal)));
  return ending.signal;
}

/** The interruption that an error comes from: what waits on an aborted signal throws its reason as a cause. */
export function interruptionIn(error: unknown): Interrupted | undefined {
  if (error instanceof Interrupted) return error;
  return error instanceof Error ? interruptionIn(error.cause) : undefined;
}
