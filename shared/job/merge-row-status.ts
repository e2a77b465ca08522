import { rowStatusOf, settledStatus, withRowStatus } from './row-status.ts';
import { rankOf } from './merge-outcomes.ts';
import type { Outcome } from './outcome.ts';

/** A row's status, and the generation of its failure where it failed. */
export interface MergedRowStatus {
  readonly rowStatus: number;
  readonly generation: number;
}

/**
 * A row's status after one more outcome: changed > unchanged > failed > invalid > unprocessed, whatever their order and
 * number; between two failures the later generation wins. What an attempt makes of an `unchanged` row is settled when the
 * row status is read: it may be told of later.
 */
export function mergeRowStatus(old: MergedRowStatus, outcome: Outcome): MergedRowStatus {
  const { status, code, untouched } = outcome;
  const settled = settledStatus(old.rowStatus);
  const supersedes =
    settled === undefined ||
    rankOf(outcome) > rankOf(settled) ||
    (status === 'failed' && settled.status === 'failed' && outcome.generation > old.generation);
  if (!supersedes) return old;
  return {
    rowStatus: withRowStatus(old.rowStatus, rowStatusOf(status, code, untouched)),
    generation: status === 'failed' ? outcome.generation : 0,
  };
}
