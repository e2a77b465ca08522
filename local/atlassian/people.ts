import type { User } from './model.ts';
import { prefixIndex, type PrefixIndex } from './prefix-index.ts';
import type { Propagation, Side } from './propagation.ts';
import type { SeatCount } from './seats.ts';

/** The users of an organisation, by id, address and the beginnings of their names. */
export interface People {
  readonly user: (accountId: string, side?: Side) => User | undefined;
  readonly byEmail: (email: string, side?: Side) => User | undefined;
  /** Those who have a word of their address or name that begins so, some who only had it among them. */
  readonly byPrefix: (prefix: string) => Iterable<string>;
  /** In the order in which they came. */
  readonly everybody: () => readonly User[];
  /** Adds somebody, or puts somebody in the place of who has the same id. */
  readonly putUser: (user: User) => void;
}

export function people(past: Propagation, seats: SeatCount): People {
  const users = new Map<string, User>();
  const idsByEmail = new Map<string, string>();
  // Built at the first search: most runs never ask for one.
  let words: PrefixIndex | undefined;
  let inOrder: readonly User[] | undefined;

  const user = (accountId: string, side?: Side): User | undefined => {
    const seen = side && past.seen(`user/${accountId}`, side);
    return seen ? (seen.before as User | undefined) : users.get(accountId); // remembered by putUser under this key
  };

  const formerly = (email: string, side: Side): User | undefined => {
    for (const key of past.pending(side)) {
      const former = key.startsWith('user/') ? user(key.slice('user/'.length), side) : undefined;
      if (former?.email.toLowerCase() === email) return former;
    }
    return undefined;
  };

  return {
    user,
    byEmail: (email, side) => {
      const wanted = email.toLowerCase();
      const present = user(idsByEmail.get(wanted) ?? '', side);
      if (present?.email.toLowerCase() === wanted) return present;
      return side && formerly(wanted, side);
    },
    byPrefix: (prefix) => {
      if (!words) {
        words = prefixIndex();
        for (const one of users.values()) addWords(words, one);
      }
      return words.find(prefix);
    },
    everybody: () => (inOrder ??= [...users.values()]),
    putUser: (next) => {
      const present = users.get(next.accountId);
      past.remember(`user/${next.accountId}`, present);
      if (present) {
        seats.free(present);
        if (idsByEmail.get(present.email.toLowerCase()) === next.accountId) {
          idsByEmail.delete(present.email.toLowerCase());
        }
      }
      users.set(next.accountId, next);
      idsByEmail.set(next.email.toLowerCase(), next.accountId);
      seats.take(next);
      if (words) addWords(words, next);
      inOrder = undefined;
    },
  };
}

function addWords(index: PrefixIndex, { accountId, email, name }: User): void {
  index.add(email.toLowerCase(), accountId);
  for (const word of name.toLowerCase().split(/\s+/)) index.add(word, accountId);
}
