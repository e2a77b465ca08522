import { RollcallError } from '../../../shared/errors.ts';

/** Why an invocation came to nothing, in Lambda's own words. */
export type FailureCode =
  | 'Sandbox.Timedout'
  | 'Runtime.ExitError'
  | 'Runtime.OutOfMemory'
  | 'Runtime.Unhandled'
  | 'Runtime.ImportModuleError'
  | 'Throttled';

/** An invocation failed as a whole: the function threw, died, overran its time or memory, or had no process free. */
export class InvocationFailed extends RollcallError {
  readonly code: FailureCode;
  readonly temporary = true;

  constructor(code: FailureCode, message: string) {
    super(message);
    this.code = code;
  }
}
