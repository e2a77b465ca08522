import { fateOf, settledFate, wasAttempted, withFate } from './fates.ts';
import { settleStatus } from './merge.ts';
import { STATUSES, type Outcome, type Status } from './outcome.ts';

/** A row's fate, and the generation of its failure where it failed. */
export interface RowFate {
  readonly fate: number;
  readonly generation: number;
}

/**
 * A row's fate after one more outcome: changed > unchanged > failed > invalid > unprocessed, whatever their order and
 * number; between two failures the later generation wins. An `unchanged` row whose write may have begun counts as changed.
 */
export function mergeFates(old: RowFate, outcome: Outcome): RowFate {
  const status = settleStatus(outcome, wasAttempted(old.fate));
  const settled = settledFate(old.fate);
  const supersedes =
    settled === undefined ||
    rank(status) > rank(settled.status) ||
    (status === 'failed' && settled.status === 'failed' && outcome.generation > old.generation);
  if (!supersedes) return old;
  return {
    fate: withFate(old.fate, fateOf(status, outcome.code, outcome.untouched)),
    generation: status === 'failed' ? outcome.generation : 0,
  };
}

const rank = (status: Status): number => -STATUSES.indexOf(status);
