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

/** How large a manifest and its parts may be. */
export interface ManifestLimits {
  readonly manifestBytes: number;
  readonly rows: number;
  readonly rowBytes: number;
  readonly columns: number;
  readonly cellCharacters: number;
}

/**
 * What a file that Rollcall wrote may have: a report's columns, its quotes and UTF-8 make it larger than its manifest was,
 * and it must be taken all the same when it is dropped back in.
 */
export const ownFileLimits = (limits: ManifestLimits): ManifestLimits => ({
  ...limits,
  // Windows-1252 grows threefold at most, and then there are the cells of our own.
  manifestBytes: limits.manifestBytes * 4,
  rowBytes: limits.rowBytes * 4 + 8 * 1_024,
  // The escaping apostrophe; and our own message may be the longest cell.
  cellCharacters: Math.max(limits.cellCharacters + 1, 2_000),
});

/** Refuses a file that is larger than a manifest may be. */
export function checkSize(bytes: number, limits: ManifestLimits): void {
  if (bytes > limits.manifestBytes)
    refuse(
      `the file has ${bytes} bytes, more than the ${limits.manifestBytes} that are allowed; split it into several files`,
    );
}

/** Refuses a file that has more rows than a manifest may have: about so many, the first too many on this line. */
export function refuseRowCount(rows: number, line: number, limits: ManifestLimits): never {
  const files = Math.ceil(rows / limits.rows);
  const [found, most] = [rows, limits.rows].map((count) => count.toLocaleString('en'));
  return refuse(
    `the file has about ${found} rows, more than the ${most} that are allowed; split it into ${files} files of at most ${most} rows, each with the header`,
    line,
  );
}
