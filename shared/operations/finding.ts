import { NoAnswer, RateLimited, Refusal } from '../atlassian/errors.ts';
import type { Code } from '../job/codes.ts';
import type { Sight } from './operation.ts';

/** Looking ended before there was anything to write. */
export type Stopped = Extract<Sight, { readonly kind: 'refused' | 'unseen' }>;

/** What a look-up gave for one reference. */
export type Finding<Value> = { readonly kind: 'found'; readonly value: Value } | Stopped;

export const found = <Value>(value: Value): Finding<Value> => ({ kind: 'found', value });

export const refused = (code: Code, message: string): Stopped => ({
  kind: 'refused',
  refusal: new Refusal(code, message),
});

/**
 * Looks up each distinct item by a call of its own, all at once: the API client limits their rate. One item's refusal or missing
 * answer is that item's finding; refused credentials, and what nobody foresaw, are thrown and stop the others.
 */
export async function lookEach<Item, Value>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  look: (item: Item, signal: AbortSignal) => Promise<Finding<Value>>,
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
        findings.set(key, await look(item, either).catch(stoppedBy));
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
  if (error instanceof Refusal && error.code !== 'UNAUTHORIZED') return { kind: 'refused', refusal: error };
  if (error instanceof RateLimited || error instanceof NoAnswer) return { kind: 'unseen', error };
  throw error;
}

function neverLookedUp(): never {
  throw new TypeError('Only what was looked up can be found');
}
