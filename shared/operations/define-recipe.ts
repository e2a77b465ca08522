import { Refusal } from '../atlassian/errors.ts';
import type { Target } from '../target.ts';
import type { Cells, Checked, Claim, Column, Recipe, Sight } from './operation.ts';
import type { Parsed } from './read-row.ts';

/** What a row claims, and the addresses that it frees and takes, lower-cased. */
export type Claims = Extract<Checked, { readonly claims: readonly Claim[] }>;

/** An operation's pieces for one type of target, in terms of its own Wish. */
export interface RecipePieces<Wish, Apis> {
  readonly columns: readonly Column[];
  readonly required: readonly (readonly string[])[];
  readonly readHeader?: Recipe<Apis>['readHeader'];
  readonly parse: (cells: Cells, target: Target) => Parsed<Wish>;
  /** By the identifiers as written. */
  readonly claims: (wish: Wish) => Claims;
  /** One function from a wish to its Sight; throws only what concerns all of them. */
  readonly look: (wishes: readonly Wish[], apis: Apis, signal: AbortSignal) => Promise<(wish: Wish) => Sight>;
}

/** A recipe whose Wish nobody outside needs to know. */
export function defineRecipe<Wish, Apis extends { readonly target: Target }>(
  pieces: RecipePieces<Wish, Apis>,
): Recipe<Apis> {
  const { columns, required, readHeader, parse, claims, look } = pieces;
  return {
    columns,
    required,
    readHeader,
    check: (cells, target) => {
      const parsed = parse(cells, target);
      return 'wish' in parsed ? claims(parsed.wish) : parsed;
    },
    look: async (rows, apis, signal) => {
      const parsed = rows.map((cells) => parse(cells, apis.target));
      const wishes = parsed.flatMap((row) => ('wish' in row ? [row.wish] : []));
      const sightOf = wishes.length === 0 ? neverHappens : await look(wishes, apis, signal);
      return parsed.map((row) => ('wish' in row ? sightOf(row.wish) : unreadable(row.problems)));
    },
  };
}

// A row was sound when it was validated, so the target's secret has changed since (or the task was written by hand).
const unreadable = (problems: readonly string[]): Sight => ({
  kind: 'refused',
  refusal: new Refusal('REQUEST_REFUSED', `Nothing was sent to Atlassian: ${problems.join(' ')}`),
});

function neverHappens(): never {
  throw new TypeError('A row that parsed was not looked at');
}
