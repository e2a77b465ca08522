import { setTimeout as sleep } from 'node:timers/promises';

import type { PlannedRow, Recipe } from '../../shared/operations/operation.ts';

/** Rows of these people end their worker, each in a way of its own. */
export const POISON = {
  crash: 'crash@example.com',
  memory: 'memory@example.com',
  overrun: 'overrun@example.com',
} as const;

/** An operation's recipe as it is, but for the rows that are poison. */
export function poison<Apis>(recipe: Recipe<Apis>): Recipe<Apis> {
  const emails = new Map<string, string | undefined>();
  return {
    ...recipe,
    plan: async (rows, apis, signal) => {
      // Before anybody's row was written.
      if (rows.some(({ email }) => email === POISON.memory)) await exhaustMemory();
      const plans = await recipe.plan(rows, apis, signal);
      for (const [index, planned] of plans.entries()) emails.set(subjectOf(planned), rows[index]?.['email']);
      return plans;
    },
    // Among the others' writes, or after them.
    write: async (change, apis, signal) => {
      const email = emails.get(JSON.stringify(change.subject));
      if (email === POISON.crash) process.abort();
      while (email === POISON.overrun) await sleep(1_000); // heeds no signal
      return recipe.write(change, apis, signal);
    },
  };
}

const subjectOf = (planned: PlannedRow): string => ('subject' in planned ? JSON.stringify(planned.subject) : '');

async function exhaustMemory(): Promise<never> {
  const held: Buffer[] = [];
  for (;;) {
    held.push(Buffer.alloc(32 * 2 ** 20, 1));
    await sleep(10);
  }
}
