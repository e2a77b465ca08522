import { type Code, CODES } from './codes.ts';
import { type Outcome, type Status, STATUSES } from './outcome.ts';

/** As much of an outcome as a job's state keeps: it alone decides which status, code and generation a row has. */
export type Standing = Pick<Outcome, 'status' | 'code' | 'untouched' | 'generation'> & Partial<Outcome>;

/**
 * The one of two outcomes of a row that counts: changed > unchanged > failed > unprocessed, whatever their order, number or
 * generation; of two failures the higher generation's; then the one whose code has the lower number. Of outcomes that are alike
 * so far, the earlier success and the later failure count, for what else they say. Commutative, associative and idempotent.
 */
export const join = <Of extends Standing>(a: Of, b: Of): Of => (precedence(a, b) >= 0 ? a : b);

/**
 * A row that is found as it should be after a write of it had begun was changed by this job (promise 2), unless that was
 * the only one and Atlassian answered it that the row was so already.
 */
export const settleStatus = ({ status, untouched }: Pick<Outcome, 'status' | 'untouched'>, attempts: number): Status =>
  status === 'unchanged' && attempts > (untouched ? 1 : 0) ? 'changed' : status;

/** The same rule for a whole outcome; give it the merged one, with how many `attempting` entries name its row. */
export function settleOutcome(outcome: Outcome, attempts: number): Outcome {
  const status = settleStatus(outcome, attempts);
  return status === outcome.status ? outcome : { ...outcome, status, message: CHANGED_UNSEEN };
}

const CHANGED_UNSEEN = 'Found as wanted after a write of this row had begun.';

/** Positive when `a` counts, negative when `b` does, 0 when they are alike. */
function precedence(a: Standing, b: Standing): number {
  const byStatus = rankOf(a) - rankOf(b);
  if (byStatus !== 0) return byStatus;
  const byGeneration = a.generation - b.generation;
  if (a.status === 'failed' && byGeneration !== 0) return byGeneration;
  const byCode = placeOf(b.code) - placeOf(a.code);
  if (byCode !== 0) return byCode;
  const later = byGeneration || compareText(a.finishedAt ?? '', b.finishedAt ?? '');
  if (later !== 0) return isSuccess(a.status) ? -later : later;
  return compareText(textOf(a), textOf(b));
}

/** A code's place in the order that is stored; it never changes, so a job comes to the same result under any version. */
const placeOf = (code: Code | undefined): number =>
  code === undefined ? 0 : Math.min(...Object.values(CODES[code].numbers));

/**
 * The higher counts. That Atlassian answered a write so comes before what was only read. `invalid` rows are never sent and
 * meet no other outcome; they have a rank only so that the order is total.
 */
const rankOf = ({ status, untouched }: Pick<Outcome, 'status' | 'untouched'>): number =>
  (untouched ? 0.5 : 0) - STATUSES.indexOf(status);

const isSuccess = (status: Status): boolean => status === 'changed' || status === 'unchanged';

const compareText = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

/** Of outcomes alike in all that matters any may count, so long as it is always the same one. */
const textOf = ({ row, line, message, httpStatus, attempts, traceId }: Partial<Outcome>): string =>
  JSON.stringify([row, line, message, httpStatus, attempts, traceId]);
