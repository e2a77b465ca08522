import { fateOf, settledFate, withFate } from './fates.ts';
import { rankOf } from './merge-outcomes.ts';
import type { Outcome } from './outcome.ts';

/** A row's fate, and the generation of its failure where it failed. */
export interface RowFate {
  readonly fate: number;
  readonly generation: number;
}

/**
 * A row's fate after one more outcome: changed > unchanged > failed > invalid > unprocessed, whatever their order and
 * number; between two failures the later generation wins. What an attempt makes of an `unchanged` row is settled when the
 * fate is read: it may be told of later.
 */
export function mergeFates(old: RowFate, outcome: Outcome): RowFate {
  const { status, code, untouched } = outcome;
  const settled = settledFate(old.fate);
  const supersedes =
    settled === undefined ||
    rankOf(outcome) > rankOf(settled) ||
    (status === 'failed' && settled.status === 'failed' && outcome.generation > old.generation);
  if (!supersedes) return old;
  return {
    fate: withFate(old.fate, fateOf(status, code, untouched)),
    generation: status === 'failed' ? outcome.generation : 0,
  };
}
