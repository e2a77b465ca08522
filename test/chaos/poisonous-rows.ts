import { setTimeout as sleep } from 'node:timers/promises';

import type { Recipe, Sight } from '../../shared/operations/operation.ts';

/** Rows of these people end their worker, each in a way of its own. */
export const POISON = {
  crash: 'crash@example.com',
  memory: 'memory@example.com',
  overrun: 'overrun@example.com',
} as const;

/** An operation's recipe as it is, but for the rows that are poison. */
export function poison<Apis>(recipe: Recipe<Apis>): Recipe<Apis> {
  return {
    ...recipe,
    look: async (rows, apis, signal) => {
      // Before anybody's row was written.
      if (rows.some(({ email }) => email === POISON.memory)) await exhaustMemory();
      const sights = await recipe.look(rows, apis, signal);
      return sights.map((sight, index) => withPoison(sight, rows[index]?.['email']));
    },
  };
}

// Among the others' writes, or after them.
function withPoison(sight: Sight, email: string | undefined): Sight {
  if (sight.kind !== 'ready' || (email !== POISON.crash && email !== POISON.overrun)) return sight;
  return {
    ...sight,
    write: async () => {
      if (email === POISON.crash) process.abort();
      for (;;) await sleep(1_000); // heeds no signal
    },
  };
}

async function exhaustMemory(): Promise<never> {
  const held: Buffer[] = [];
  for (;;) {
    held.push(Buffer.alloc(32 * 2 ** 20, 1));
    await sleep(10);
  }
}
