import { RollcallError } from '../shared/errors.ts';

/** A command cannot do what was asked; its message says why, and what to do. */
export class CommandFailed extends RollcallError {
  readonly code = 'COMMAND_FAILED';
  readonly temporary = false;
}

/** What a person is told of an error: a deliberate one says it all in its message, any other is our bug and shows its stack. */
export const told = (error: unknown): string =>
  error instanceof RollcallError
    ? error.message
    : `Unforeseen: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
