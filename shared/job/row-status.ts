import { deflateRawSync, inflateRawSync, constants } from 'node:zlib';

import { CODES, type Code, settleStatus, type Status } from './outcome.ts';

/** A row without an outcome has one of these three. */
export const PENDING = 0;
/** A worker handed the row back or dropped it: nobody has it in hand, and it still fills its place in the window. */
export const HANDED_BACK = 1;
/** The row waits for another row's outcome: it leaves its place in the window to others, or the two might wait for each other. */
export const AWAITING_ROW = 2;

/** Set beside the row status once a write may have begun, and once another may have. */
const ATTEMPTED = 0x80;
const ATTEMPTED_AGAIN = 0x40;
const MARKS = ATTEMPTED | ATTEMPTED_AGAIN;

interface SettledStatus {
  readonly status: Status;
  readonly code: Code | undefined;
  readonly untouched?: true | undefined;
}

const FIRST_SETTLED = 3;

/** The numbers of what has no code; those of codes stand in their table. Stored: new ones are appended after the highest of both. */
const WITHOUT_CODE: readonly (readonly [number, SettledStatus])[] = [
  [3, { status: 'changed', code: undefined }],
  [4, { status: 'unchanged', code: undefined }],
  [36, { status: 'unchanged', code: undefined, untouched: true }],
];

const SETTLED: ReadonlyMap<number, SettledStatus> = new Map([...WITHOUT_CODE, ...withCodes()]);

const numbers = new Map([...SETTLED].map(([number, settled]) => [nameOf(settled), number]));

/** The byte of a row that has this outcome. */
export function rowStatusOf(status: Status, code?: Code, untouched?: true): number {
  const number = numbers.get(nameOf({ status, code, untouched }));
  if (number === undefined) throw new TypeError(`No row can be ${status} with code ${code ?? '(none)'}`);
  return number;
}

/** The outcome that a byte stands for, or `undefined` when the row has none yet. */
export const settledStatus = (rowStatus: number): SettledStatus | undefined => SETTLED.get(bareRowStatus(rowStatus));

/** The row status without the marks. */
export const bareRowStatus = (rowStatus: number): number => rowStatus & ~MARKS;

export const isSettled = (rowStatus: number): boolean => bareRowStatus(rowStatus) >= FIRST_SETTLED;

export const wasAttempted = (rowStatus: number): boolean => (rowStatus & ATTEMPTED) !== 0;

/** Whether a write of the row took effect, or may have: what an undo takes back. */
export function mayHaveChanged(rowStatus: number): boolean {
  const settled = settledStatus(rowStatus);
  const status = settled && settleStatus(settled, attemptsOf(rowStatus));
  return status === 'changed' || (wasAttempted(rowStatus) && status !== 'unchanged');
}

/** How many writes of the row may have begun: none, one, or two and more. */
export const attemptsOf = (rowStatus: number): number =>
  wasAttempted(rowStatus) ? ((rowStatus & ATTEMPTED_AGAIN) === 0 ? 1 : 2) : 0;

/** The same row status, with the mark that a write may have begun, or that another may have. */
export const attempted = (rowStatus: number): number => rowStatus | (wasAttempted(rowStatus) ? MARKS : ATTEMPTED);

/** Another row status for the same row; the marks stay. */
export const withRowStatus = (old: number, rowStatus: number): number => (old & MARKS) | rowStatus;

/** Row statuses as they are stored: deflated, base64. A million rows that went alike take about a kilobyte. */
export const packRowStatuses = (rowStatuses: Uint8Array): string =>
  deflateRawSync(rowStatuses, { level: constants.Z_BEST_SPEED }).toString('base64');

/** The inverse of packRowStatuses; throws RangeError when it does not come to `rows` bytes. */
export function unpackRowStatuses(packed: string, rows: number): Uint8Array {
  const rowStatuses = inflateRawSync(Buffer.from(packed, 'base64'), { maxOutputLength: Math.max(rows, 1) });
  if (rowStatuses.length !== rows) throw new RangeError(`${rowStatuses.length} rowStatuses for ${rows} rows`);
  return new Uint8Array(rowStatuses);
}

function withCodes(): (readonly [number, SettledStatus])[] {
  return (Object.keys(CODES) as Code[]).flatMap((code) =>
    Object.entries(CODES[code].numbers).map(
      ([status, number]) => [number, { status: status as Status, code }] as const,
    ),
  );
}

function nameOf({ status, code, untouched }: SettledStatus): string {
  if (status === 'changed' || status === 'unchanged') return `${status}${untouched ? '!' : ''}`;
  return `${status}/${code ?? ''}`;
}
