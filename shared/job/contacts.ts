import { createHash } from 'node:crypto';

import type { Clock, ObjectStore } from '../ports.ts';
import type { Target } from '../target.ts';
import { LEDGER_PREFIX } from './keys.ts';

/** Which targets have answered lately, so that an outage is told from a wrong address. */
export interface Contacts {
  readonly has: (target: Target) => Promise<boolean>;
  readonly note: (target: Target) => Promise<void>;
}

/** How long an answer is remembered, and how often a process notes one. */
const LATELY_MS = 7 * 86_400_000;
const NOTED_EVERY_MS = 6 * 3_600_000;

/** Contacts that are kept in the results bucket, by address: another address in a target's secret has not answered yet. */
export function storedContacts(results: Pick<ObjectStore, 'read' | 'write'>, clock: Clock): Contacts {
  const noted = new Map<string, number>();
  const nowMs = (): number => clock.now().getTime();
  return {
    has: async (target) => {
      const stored = await results.read(keyOf(target));
      return stored !== undefined && nowMs() - Date.parse(await stored.text()) < LATELY_MS;
    },
    note: async (target) => {
      const key = keyOf(target);
      if (nowMs() - (noted.get(key) ?? -Infinity) < NOTED_EVERY_MS) return;
      noted.set(key, nowMs());
      await results.write(key, clock.now().toISOString());
    },
  };
}

function keyOf(target: Target): string {
  const address =
    target.type === 'cloud' ? [target.siteUrl, target.apiUrl, target.cloudId, target.orgId] : [target.baseUrl];
  const hash = createHash('sha256').update(JSON.stringify([target.type, ...address]));
  return `${LEDGER_PREFIX}contacts/${hash.digest('hex').slice(0, 32)}`;
}
