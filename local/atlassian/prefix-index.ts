/** Ids by the beginnings of their words. An id may be found by a word that it has no more: whoever asks looks again. */
export interface PrefixIndex {
  readonly add: (word: string, id: string) => void;
  /** Ids with a word that begins so, each once, until the reader stops. */
  readonly find: (prefix: string) => Iterable<string>;
}

interface Entry {
  readonly word: string;
  readonly id: string;
}

/** Additions that may wait unsorted before the whole is sorted again. */
const TAIL_LIMIT = 5000;

/** A sorted list with an unsorted tail: a search costs a bisection, and an addition next to nothing. */
export function prefixIndex(): PrefixIndex {
  let sorted: Entry[] = [];
  let tail: Entry[] = [];

  return {
    add: (word, id) => {
      tail.push({ word, id });
    },
    find: function* (prefix) {
      if (tail.length > TAIL_LIMIT) {
        sorted = sorted.concat(tail).sort((a, b) => (a.word < b.word ? -1 : a.word > b.word ? 1 : 0));
        tail = [];
      }
      const found = new Set<string>();
      for (const { id } of matches(sorted, tail, prefix)) {
        if (found.has(id)) continue;
        found.add(id);
        yield id;
      }
    },
  };
}

function* matches(sorted: readonly Entry[], tail: readonly Entry[], prefix: string): Iterable<Entry> {
  for (let at = firstNotBefore(sorted, prefix); at < sorted.length; at += 1) {
    const entry = sorted[at];
    if (!entry?.word.startsWith(prefix)) break;
    yield entry;
  }
  for (const entry of tail) if (entry.word.startsWith(prefix)) yield entry;
}

function firstNotBefore(sorted: readonly Entry[], word: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle]?.word ?? '') < word) low = middle + 1;
    else high = middle;
  }
  return low;
}
