import { CODES, type Code } from '../job/outcome.ts';
import { RollcallError } from '../errors.ts';

/** What is known of the answer behind a refusal. */
export interface RefusalDetails {
  readonly httpStatus?: number | undefined;
  readonly traceId?: string | undefined;
  /** The write may have been applied in spite of this answer. */
  readonly uncertain?: boolean | undefined;
  readonly cause?: unknown;
}

/** A row cannot be applied as things are: Atlassian refused it, or what was read of it shows why not. */
export class Refusal extends RollcallError {
  readonly code: Code;
  readonly temporary: boolean;
  readonly httpStatus: number | undefined;
  readonly traceId: string | undefined;
  readonly uncertain: boolean;

  constructor(code: Code, message: string, details: RefusalDetails = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.temporary = CODES[code].temporary;
    this.httpStatus = details.httpStatus;
    this.traceId = details.traceId;
    this.uncertain = details.uncertain ?? false;
  }
}

/** The target as it is serves no row of the job: it is not there, lacks credentials or is of another type. The job halts. */
export class TargetUnusable extends Refusal {}

/** The call may not begin yet: Atlassian answered 429, or the rate limiter says that it would. Waiting is not failing. */
export class RateLimited extends RollcallError {
  readonly code = 'RATE_LIMITED';
  readonly temporary = true;
  /** Epoch milliseconds before which no call of this kind should begin. */
  readonly notBeforeMs: number;
  /** False when no request was sent at all. */
  readonly sent: boolean;

  constructor(message: string, options: { readonly notBeforeMs: number; readonly sent: boolean }) {
    super(message);
    this.notBeforeMs = options.notBeforeMs;
    this.sent = options.sent;
  }
}

/** A request was sent and no complete answer came: whether it was applied has to be read back. */
export class NoAnswer extends RollcallError {
  readonly code = 'TIMED_OUT';
  readonly temporary = true;
}

/** The call did not begin, because the job it belongs to no longer runs. */
export class Withheld extends RollcallError {
  readonly code = 'WITHHELD';
  readonly temporary = true;
}
