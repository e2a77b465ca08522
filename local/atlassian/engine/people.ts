import type { Propagation, Side } from './propagation.ts';
import type { User } from './state.ts';

/** The users of an organisation. Reads that name a side see what that side sees by now. */
export interface People {
  readonly user: (accountId: string, side?: Side) => User | undefined;
  /** Everybody who has this address, in any case. */
  readonly withEmail: (email: string, side?: Side) => readonly User[];
  /** Those who have a word of their address or name that begins so, some who only had it among them. */
  readonly withPrefix: (prefix: string) => Iterable<string>;
  /** In the order in which they came. */
  readonly everybody: () => readonly User[];
  /** Adds somebody, or puts somebody in the place of who has the same id; gives who that was. */
  readonly put: (user: User) => User | undefined;
}

export function createPeople(past: Propagation): People {
  const users = new Map<string, User>();
  // A list only where several have the address: a list for each of very many people would take its room.
  const idsByEmail = new Map<string, string | readonly string[]>();
  // Built at the first search: most runs never ask for one.
  let words: PrefixIndex | undefined;
  let inOrder: readonly User[] | undefined;

  const user = (accountId: string, side?: Side): User | undefined => {
    const seen = side && past.seen(KIND + accountId, side);
    return seen ? (seen.before as User | undefined) : users.get(accountId); // remembered by put under this key
  };

  const idsWith = (email: string): readonly string[] => [idsByEmail.get(keyOf(email)) ?? []].flat();

  const withoutEmail = ({ accountId, email }: User): void => {
    const others = idsWith(email).filter((id) => id !== accountId);
    if (others.length > 0) idsByEmail.set(keyOf(email), others);
    else idsByEmail.delete(keyOf(email));
  };

  return {
    user,
    withEmail: (email, side) => {
      const ids = new Set(idsWith(email));
      for (const key of side ? past.pending(side) : []) if (key.startsWith(KIND)) ids.add(key.slice(KIND.length));
      return [...ids].flatMap((id) => user(id, side) ?? []).filter((one) => keyOf(one.email) === keyOf(email));
    },
    withPrefix: (prefix) => {
      if (!words) {
        words = createPrefixIndex();
        for (const one of users.values()) addWords(words, one);
      }
      return words.find(prefix);
    },
    everybody: () => (inOrder ??= [...users.values()]),
    put: (next) => {
      const present = users.get(next.accountId);
      past.remember(KIND + next.accountId, present);
      if (present) withoutEmail(present);
      users.set(next.accountId, next);
      const others = idsWith(next.email);
      idsByEmail.set(keyOf(next.email), others.length === 0 ? next.accountId : [...others, next.accountId]);
      if (words) addWords(words, next);
      inOrder = undefined;
      return present;
    },
  };
}

const KIND = 'user\n';

const keyOf = (email: string): string => email.toLowerCase();

function addWords(index: PrefixIndex, { accountId, email, name }: User): void {
  index.add(email.toLowerCase(), accountId);
  for (const word of name.toLowerCase().split(/\s+/)) index.add(word, accountId);
}

/** Ids by the beginnings of their words. An id may be found by a word that it has no more: whoever asks looks again. */
interface PrefixIndex {
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
function createPrefixIndex(): PrefixIndex {
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
