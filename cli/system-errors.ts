import { describeDiskFault, sqliteCodeOf } from '../local/aws/disk.ts';

const NOT_ALLOWED = 'may not be written or read by this user. Give its owner the right, or choose another place';

const UNMADE =
  'cannot be made: its disk is read-only, or what it should lie in is gone. Make the disk writable, or choose another place';
const BY_CODE: Readonly<Record<string, string>> = {
  EACCES: NOT_ALLOWED,
  EPERM: NOT_ALLOWED,
  ENOTDIR: 'lies under a file, and a folder was expected. Choose another place',
  EEXIST: 'is a file, and a folder was expected. Choose another place',
};
/** SQLITE_BUSY and SQLITE_CANTOPEN. (sqlite.org, result codes.) */
const BY_SQLITE_CODE: Readonly<Record<number, string>> = {
  5: 'Another local stack runs in this folder. Stop it, or choose another folder with --folder.',
  14: "The file of the queues' messages cannot be opened. Look at who owns the folder, or choose another with --folder.",
};

/** What a person reads of an error of this machine, and what to do about it, in one sentence or two; `undefined` for any other. */
export function describeSystemError(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const disk = describeDiskFault(error);
  const sqlite = sqliteCodeOf(error);
  if (disk !== undefined)
    return `Nothing can be written to ${placeOf(error)}: the disk ${disk}, then run the command again.`;
  if (sqlite !== undefined) return BY_SQLITE_CODE[sqlite];
  const code = codeOf(error) ?? '';
  if (code === 'EADDRINUSE')
    return `Port ${textIn(error, 'port')} is in use. End what has it, or choose other ports with --port.`;
  // Node says so of a folder on a read-only disk, whatever the disk says.
  const isUnmade = code === 'ENOENT' && textIn(error, 'syscall') === 'mkdir';
  const what = textIn(error, 'path') === undefined ? undefined : isUnmade ? UNMADE : BY_CODE[code];
  return what && `${placeOf(error)} ${what} (--folder, --out).`;
}

/** The code of a system error, e.g. `EEXIST`. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error ? textIn(error, 'code') : undefined;

const placeOf = (error: Error): string => textIn(error, 'path') ?? 'the folder';

function textIn(error: Error, field: string): string | undefined {
  const value: unknown = Reflect.get(error, field);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
