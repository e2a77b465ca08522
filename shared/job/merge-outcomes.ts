import { type Outcome, type Status, STATUSES } from './outcome.ts';

/**
 * The one of two outcomes of a row that counts: changed > unchanged > failed > unprocessed, whatever their order, number or
 * generation. Of two successes the first counts; of two failures the higher generation's, then the later.
 * Commutative, associative and idempotent.
 */
export const mergeOutcomes = (a: Outcome, b: Outcome): Outcome => (precedence(a, b) >= 0 ? a : b);

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
function precedence(a: Outcome, b: Outcome): number {
  const byStatus = rankOf(a) - rankOf(b);
  if (byStatus !== 0) return byStatus;
  const later = a.generation - b.generation || compareText(a.finishedAt, b.finishedAt);
  if (later !== 0) return isSuccess(a.status) ? -later : later;
  return compareText(textOf(a), textOf(b));
}

/**
 * The higher counts. That Atlassian answered a write so comes before what was only read. `invalid` rows are never sent and
 * meet no other outcome; they have a rank only so that the order is total.
 */
export const rankOf = ({ status, untouched }: Pick<Outcome, 'status' | 'untouched'>): number =>
  (untouched ? 0.5 : 0) - STATUSES.indexOf(status);

const isSuccess = (status: Status): boolean => status === 'changed' || status === 'unchanged';

const compareText = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

/** Of outcomes alike in all that matters any may count, so long as it is always the same one. */
const textOf = ({ row, line, code, message, httpStatus, untouched, attempts, traceId }: Outcome): string =>
  JSON.stringify([row, line, code, message, httpStatus, untouched, attempts, traceId]);
