import { NoAnswer, RateLimited, Refusal } from '../atlassian/errors.ts';
import type { Code } from '../job/outcome.ts';

/** A look-up ended before anything was found: with a refusal, or because it must wait or got no answer, which other rows do not suffer for. */
export type Stopped =
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'unread'; readonly error: RateLimited | NoAnswer };

/** What a look-up gave for one reference. */
export type Finding<Value> = { readonly kind: 'found'; readonly value: Value } | Stopped;

export const found = <Value>(value: Value): Finding<Value> => ({ kind: 'found', value });

export const refusedBy = (refusal: Refusal): Stopped => ({ kind: 'refused', refusal });

export const refused = (code: Code, message: string): Stopped => refusedBy(new Refusal(code, message));

/** Goes on with what was found; what stopped the look-up stays as it is. */
export const whenFound = <Value, Next>(
  finding: Finding<Value>,
  next: (value: Value) => Finding<Next>,
): Finding<Next> => (finding.kind === 'found' ? next(finding.value) : finding);

/** What was found, if anything was. */
export const valueOf = <Value>(finding: Finding<Value>): readonly Value[] =>
  finding.kind === 'found' ? [finding.value] : [];

/**
 * Looks up each distinct item by a call of its own, all at once: the API client limits their rate. One item's refusal or missing
 * answer is that item's finding; refused credentials, and what nobody foresaw, are thrown and stop the others.
 */
export async function lookUpEach<Item, Value>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  lookUp: (item: Item, signal: AbortSignal) => Promise<Finding<Value>>,
  signal: AbortSignal,
): Promise<(item: Item) => Finding<Value>> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const distinct = new Map(items.map((item) => [keyOf(item), item]));
  const findings = new Map<string, Finding<Value>>();
  const failures: unknown[] = [];
  await Promise.all(
    [...distinct].map(async ([key, item]) => {
      try {
        findings.set(key, await lookUp(item, either).catch(stoppedBy));
      } catch (error) {
        failures.push(error);
        stop.abort(error);
      }
    }),
  );
  if (failures.length > 0) throw failures[0];
  return (item) => findings.get(keyOf(item)) ?? neverLookedUp();
}

function stoppedBy(error: unknown): Stopped {
  if (error instanceof Refusal && error.code !== 'UNAUTHORIZED') return refusedBy(error);
  if (error instanceof RateLimited || error instanceof NoAnswer) return { kind: 'unread', error };
  throw error;
}

/** Stands for the findings of a look-up that was not made, since nobody needs them. */
export function neverLookedUp(): never {
  throw new TypeError('Only what was looked up can be found');
}
