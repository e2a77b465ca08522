import type { Propagation, Side } from './propagation.ts';

/** Who is in which group, found from either end. Reads that name a side see what that side sees by now. */
export interface Memberships {
  readonly set: (groupId: string, accountId: string, wanted: boolean) => void;
  readonly has: (groupId: string, accountId: string, side?: Side) => boolean;
  readonly count: (groupId: string) => number;
  readonly membersOf: (groupId: string, side?: Side) => Iterable<string>;
  readonly groupIdsOf: (accountId: string, side?: Side) => readonly string[];
}

export function memberships(past: Propagation): Memberships {
  const members = new Map<string, Set<string>>();
  // Lists, not sets: there is one for each of very many people, and it is short.
  const groupIds = new Map<string, readonly string[]>();

  const has = (groupId: string, accountId: string, side?: Side): boolean => {
    const seen = side && past.seen(keyOf(groupId, accountId), side);
    return seen ? seen.before === true : (members.get(groupId)?.has(accountId) ?? false);
  };

  /** Pairs that this side may see otherwise than they are. */
  function* pending(side: Side | undefined): Iterable<{ readonly groupId: string; readonly accountId: string }> {
    if (!side) return;
    for (const key of past.pending(side)) {
      const [kind, groupId = '', accountId = ''] = key.split('/');
      if (kind === KIND) yield { groupId, accountId };
    }
  }

  return {
    has,
    set: (groupId, accountId, wanted) => {
      past.remember(keyOf(groupId, accountId), !wanted);
      const mine = groupIds.get(accountId) ?? [];
      const inGroup = members.get(groupId) ?? new Set<string>();
      members.set(groupId, inGroup);
      if (wanted) inGroup.add(accountId);
      else inGroup.delete(accountId);
      groupIds.set(accountId, wanted ? [...mine, groupId] : mine.filter((id) => id !== groupId));
    },
    count: (groupId) => members.get(groupId)?.size ?? 0,
    membersOf: function* (groupId, side) {
      for (const accountId of members.get(groupId) ?? []) if (has(groupId, accountId, side)) yield accountId;
      for (const former of pending(side)) {
        if (former.groupId !== groupId || has(groupId, former.accountId)) continue;
        if (has(groupId, former.accountId, side)) yield former.accountId;
      }
    },
    groupIdsOf: (accountId, side) => {
      const former = [...pending(side)].filter((one) => one.accountId === accountId).map(({ groupId }) => groupId);
      const all = new Set([...(groupIds.get(accountId) ?? []), ...former]);
      return [...all].filter((groupId) => has(groupId, accountId, side));
    },
  };
}

const KIND = 'member';

/** Neither id has a slash in it. */
const keyOf = (groupId: string, accountId: string): string => `${KIND}/${groupId}/${accountId}`;
