import { RollcallError } from '../../shared/errors.ts';

/** A message of ours that cannot be understood: it is quarantined, as another try would not change it. */
export class MessageUnreadable extends RollcallError {
  readonly code = 'MESSAGE_UNREADABLE';
  readonly temporary = false;
}

/** The manifest was replaced while it was being read, in a bucket that keeps no versions: reading starts over. */
export class ManifestReplaced extends RollcallError {
  readonly code = 'MANIFEST_REPLACED';
  readonly temporary = true;
}

/** An enqueue request came before what it rests on can be read. */
export class JobNotReadable extends RollcallError {
  readonly code = 'JOB_NOT_READABLE';
  readonly temporary = true;
}
