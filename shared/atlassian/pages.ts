import { createPagingError } from './answer-errors.ts';
import type { Call } from './endpoints.ts';

/** What is known of a list before its first page. */
interface PagesOptions<Item> {
  readonly call: Call;
  readonly idOf: (item: Item) => string;
  /** The most different items that may come; absent where nobody knows. */
  readonly most?: number | undefined;
}

/**
 * Watches the pages of one list as they come, and throws where they do not come to an end: servers, and what stands before them, have
 * given cursors that never end, that repeat, and pages without anything new. At most as many pages are forgiven as were worth it.
 */
export function watchPages<Item>({
  call,
  idOf,
  most = Infinity,
}: PagesOptions<Item>): (items: readonly Item[], isLast: boolean) => void {
  const seen = new Set<string>();
  let fruitful = 0;
  let fruitless = 0;
  return (items, isLast) => {
    const before = seen.size;
    for (const item of items) seen.add(idOf(item));
    if (seen.size > before) fruitful += 1;
    else fruitless += 1;
    const forgiven = fruitful === 0 ? 2 : fruitful;
    if (!isLast && (fruitless >= forgiven || seen.size > most)) throw createPagingError(call);
  };
}
