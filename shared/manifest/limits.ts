import { refuse } from './errors.ts';

/** How large a manifest and its parts may be. */
export interface ManifestLimits {
  readonly manifestBytes: number;
  readonly rows: number;
  readonly rowBytes: number;
  readonly columns: number;
  readonly cellCharacters: number;
}

/** Refuses a file that is larger than a manifest may be. */
export function checkSize(bytes: number, limits: ManifestLimits): void {
  if (bytes > limits.manifestBytes)
    refuse(
      `the file has ${bytes} bytes, more than the ${limits.manifestBytes} that are allowed; split it into several files`,
    );
}

/** Refuses a file that has more rows than a manifest may have; `line` is that of the first row too many. */
export function checkRowCount(rows: number, line: number, limits: ManifestLimits): void {
  if (rows > limits.rows)
    refuse(`the file has more than the ${limits.rows} rows that are allowed; split it into several files`, line);
}
