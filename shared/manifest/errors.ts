import { RollcallError } from '../errors.ts';
import type { Problem } from '../job/events.ts';

/** The manifest as a whole cannot be applied: every reason at once, each with its line and what to do. */
export class ManifestRefused extends RollcallError {
  readonly code = 'MANIFEST_REFUSED';
  readonly temporary = false;
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ line, message }) => (line === undefined ? message : `line ${line}: ${message}`)).join('; '));
    this.problems = problems;
  }
}

/** Refuses the manifest for one reason. */
export function refuse(message: string, line?: number): never {
  throw new ManifestRefused([line === undefined ? { message } : { line, message }]);
}
