import type { Propagation, Side } from './propagation.ts';

/** Who is in which group, found from either end. Reads that name a side see what that side sees by now. */
export interface Memberships {
  readonly set: (groupId: string, memberId: string, wanted: boolean) => void;
  readonly has: (groupId: string, memberId: string, side?: Side) => boolean;
  readonly count: (groupId: string) => number;
  readonly membersOf: (groupId: string, side?: Side) => Iterable<string>;
  readonly groupIdsOf: (memberId: string, side?: Side) => readonly string[];
}

export function createMemberships(past: Propagation): Memberships {
  const members = new Map<string, Set<string>>();
  // Lists, not sets: there is one for each of very many people, and it is short.
  const groupIds = new Map<string, readonly string[]>();

  const has = (groupId: string, memberId: string, side?: Side): boolean => {
    const seen = side && past.seen(keyOf(groupId, memberId), side);
    return seen ? seen.before === true : (members.get(groupId)?.has(memberId) ?? false);
  };

  /** Pairs that this side may see otherwise than they are. */
  function* pending(side: Side | undefined): Iterable<{ readonly groupId: string; readonly memberId: string }> {
    if (!side) return;
    for (const key of past.pending(side)) {
      const [kind, groupId = '', memberId = ''] = key.split('\n');
      if (kind === KIND) yield { groupId, memberId };
    }
  }

  return {
    has,
    set: (groupId, memberId, wanted) => {
      past.remember(keyOf(groupId, memberId), !wanted);
      const others = (groupIds.get(memberId) ?? []).filter((id) => id !== groupId);
      const inGroup = members.get(groupId) ?? new Set<string>();
      members.set(groupId, inGroup);
      if (wanted) inGroup.add(memberId);
      else inGroup.delete(memberId);
      groupIds.set(memberId, wanted ? [...others, groupId] : others);
    },
    count: (groupId) => members.get(groupId)?.size ?? 0,
    membersOf: function* (groupId, side) {
      for (const memberId of members.get(groupId) ?? []) if (has(groupId, memberId, side)) yield memberId;
      for (const former of pending(side)) {
        if (former.groupId !== groupId || has(groupId, former.memberId)) continue;
        if (has(groupId, former.memberId, side)) yield former.memberId;
      }
    },
    groupIdsOf: (memberId, side) => {
      const former = [...pending(side)].filter((one) => one.memberId === memberId).map(({ groupId }) => groupId);
      const all = new Set([...(groupIds.get(memberId) ?? []), ...former]);
      return [...all].filter((groupId) => has(groupId, memberId, side));
    },
  };
}

const KIND = 'member';

/** Neither id has a line break in it. */
const keyOf = (groupId: string, memberId: string): string => `${KIND}\n${groupId}\n${memberId}`;
