import { setTimeout as sleep } from 'node:timers/promises';

import type { Recipe } from '../../shared/operations/operation.ts';

/** Rows of these people end their worker, each in a way of its own: by account id, their addresses. */
export const POISON = {
  '712020:crash': 'crash@example.com',
  '712020:memory': 'memory@example.com',
  '712020:overrun': 'overrun@example.com',
} as const;

/** An operation's recipe as it is, but for the rows that are poison. */
export const poison = <Apis>(recipe: Recipe<Apis>): Recipe<Apis> => ({
  ...recipe,
  // Among the others' writes, or after them.
  write: async (change, apis, signal) => {
    const who = JSON.stringify(change.subject);
    if (who.includes('712020:memory')) await exhaustMemory();
    if (who.includes('712020:crash')) process.abort();
    while (who.includes('712020:overrun')) await sleep(1_000); // heeds no signal
    return recipe.write(change, apis, signal);
  },
});

async function exhaustMemory(): Promise<never> {
  const held: Buffer[] = [];
  for (;;) {
    held.push(Buffer.alloc(32 * 2 ** 20, 1));
    await sleep(10);
  }
}
