import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ServiceRefusal } from './service-refusal.ts';

/** The disk under the emulators, which may be full or read-only for a while. */
export interface Disk {
  /**
   * Does what a request asks for. What the disk refuses is answered 503, to be tried again; until the disk takes something
   * again no message is handed out, so that none spends its receives on functions that can record nothing.
   */
  readonly serve: <Result>(operation: string, work: () => Result | Promise<Result>) => Promise<Result>;
}

export interface DiskOptions {
  /** A folder on it. */
  readonly folder: string;
  /** What a write fails with, by the operation, because a test wants it. */
  readonly fault?: DiskFault | undefined;
  /** Told when the disk refuses something, and when it takes something again. */
  readonly say?: ((sentence: string) => void) | undefined;
}

/** S3: the method. SQS: the operation. */
export type DiskFault = (operation: string) => Error | undefined;

const READING = ['GET', 'HEAD'];
const HANDING_OUT = 'ReceiveMessage';
/** As much as one request to S3 or SQS mostly needs. */
const PROBE = Buffer.alloc(1_048_576, 'x');
const PROBE_EVERY_MS = 1_000;

/** Watches the disk that holds a folder. */
export function watchDisk({ folder, fault, say = () => undefined }: DiskOptions): Disk {
  let refusal: ServiceRefusal | undefined;
  let probedMs = 0;

  const attempt = (operation: string): void => {
    const error = fault?.(operation);
    if (error) throw error;
  };
  const takesAgain = (operation: string): boolean => {
    if (Date.now() - probedMs < PROBE_EVERY_MS) return false;
    probedMs = Date.now();
    if (!probe(folder, () => attempt(operation))) return false;
    refusal = undefined;
    say(`${folder} can be written to again: the local stack goes on.`);
    return true;
  };
  const refused = (what: string): ServiceRefusal => {
    const message = `Nothing can be written to ${folder}: the disk ${what}; the local stack then goes on by itself.`;
    if (!refusal) say(message);
    probedMs = Date.now();
    return (refusal = new ServiceRefusal(503, 'ServiceUnavailable', message));
  };

  return {
    serve: async (operation, work) => {
      if (refusal && operation === HANDING_OUT && !takesAgain(operation)) throw refusal;
      try {
        if (!READING.includes(operation)) attempt(operation);
        return await work();
      } catch (error) {
        const what = describeDiskFault(error);
        throw what === undefined ? error : refused(what);
      }
    },
  };
}

function probe(folder: string, attempt: () => void): boolean {
  const path = join(folder, '.probe');
  try {
    attempt();
    writeFileSync(path, PROBE);
    return true;
  } catch {
    return false;
  } finally {
    removeIfPossible(path);
  }
}

function removeIfPossible(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The next probe writes over it.
  }
}

const FULL = 'is full. Make room';
const READ_ONLY = 'is read-only. Make it writable';
const FAILING = 'fails. Look at the system log and mend it';

const BY_CODE: Readonly<Record<string, string>> = {
  ENOSPC: FULL,
  EDQUOT: FULL,
  EROFS: READ_ONLY,
};
/** SQLITE_FULL, SQLITE_READONLY, SQLITE_IOERR. (sqlite.org, result codes.) */
const BY_SQLITE_CODE: Readonly<Record<number, string>> = { 13: FULL, 8: READ_ONLY, 10: FAILING };

/** What is the matter with the disk, and what to do, where that is why something failed; `undefined` for any other error. */
export function describeDiskFault(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const sqlite = sqliteCodeOf(error);
  if (sqlite !== undefined) return BY_SQLITE_CODE[sqlite];
  return 'code' in error ? BY_CODE[String(error.code)] : undefined;
}

/** SQLite's primary result code; `undefined` when the error is none of SQLite's. */
export const sqliteCodeOf = (error: Error): number | undefined =>
  'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
