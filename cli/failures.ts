import { constants } from 'node:os';

import { RollcallError } from '../shared/errors.ts';
import { describeSystemError } from './system-errors.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const CHECK_LAUNCHER_MS = 250;

/** A command cannot do what was asked; its message says why, and what to do. */
export class CommandFailed extends RollcallError {
  readonly code = 'COMMAND_FAILED';
  readonly temporary = false;
}

/** A signal ended the command before its work was done. */
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

/** What a person reads of an error: our own messages and those of AWS as they are; of this machine's what to do; anything else is our bug, with its stack. */
export function describeError(error: unknown): string {
  if (error instanceof RollcallError) return error.message;
  if (!(error instanceof Error)) return `Unexpected error, please report it: ${String(error)}`;
  const ofMachine = describeSystemError(error);
  if (ofMachine !== undefined) return ofMachine;
  // The local stack says so of its disk, and AWS of itself.
  if (error.name === 'ServiceUnavailable') return `${error.message} Then run the command again.`;
  // The SDK puts $metadata on whatever a request fails with; these two stop it before it sends one.
  if ('$metadata' in error || /^CredentialsProviderError:|Region is missing/.test(String(error))) {
    return `A request to AWS failed (${error.name}: ${error.message}). Check the credentials, the region and the names that the command was given.`;
  }
  return `Unexpected error, please report it: ${error.stack ?? error.message}`;
}

/** The interruption that an error comes from: what waits on an aborted signal throws its reason as a cause. */
export function findInterruption(error: unknown): Interrupted | undefined {
  if (error instanceof Interrupted) return error;
  return error instanceof Error ? findInterruption(error.cause) : undefined;
}

/** Turns SIGINT, SIGTERM and SIGHUP into an abort for the reason Interrupted, so that what is open can be closed first. */
export function catchSignals(): AbortSignal {
  const ending = new AbortController();
  // The handlers stay: one Ctrl-C comes from the terminal, from npm and from node24.mjs, and none of the three may cut the closing short.
  for (const signal of SIGNALS) process.on(signal, () => ending.abort(new Interrupted(signal)));
  return ending.signal;
}

/** Ends this process when node24.mjs, which started it, is gone, even by SIGKILL: nobody else would end it then. */
export function endWithLauncher(): void {
  const launcher = Number(process.env['ROLLCALL_LAUNCHER']);
  if (launcher !== process.ppid) return;
  const checking = setInterval(() => {
    if (process.ppid !== launcher) process.exit(1);
  }, CHECK_LAUNCHER_MS);
  checking.unref();
}
