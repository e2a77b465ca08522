import { RollcallError } from './errors.ts';

/** A conditional write found another object than it expected (S3 answered 412), or lost a race (409). */
export class ConditionNotMet extends RollcallError {
  readonly code = 'CONDITION_NOT_MET';
  readonly temporary = true;

  constructor(key: string, options?: ErrorOptions) {
    super(`${key} is no longer what it was when it was read; read it again`, options);
  }
}

/** SQS did not accept every message of a batch. */
export class QueueRefused extends RollcallError {
  readonly code = 'QUEUE_REFUSED';
  readonly temporary = true;
}

/** A target's secret is there but cannot be used as it is: which field is wrong, never its value. */
export class TargetUnreadable extends RollcallError {
  readonly code = 'TARGET_UNREADABLE';
  readonly temporary = false;
}
