import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { uuid } from '../../../local/atlassian/engine/state.ts';
import { type Simulator, startSimulator } from '../../../local/atlassian/server/simulator.ts';
import { type Atlassian, createAtlassian } from '../../../shared/atlassian/atlassian.ts';
import { parseTarget } from '../../../shared/aws/targets.ts';
import { membership } from '../../../shared/operations/membership.ts';
import { type Cells, type Operation } from '../../../shared/operations/operation.ts';
import { openSession } from '../../../shared/operations/session.ts';
import { suspend } from '../../../shared/operations/suspend.ts';
import { memoryObjectStore } from '../../fakes/memory-object-store.ts';

const USERS = 2_000;
/** As many as a planner looks up together. */
const TOGETHER = 1_000;

let atlassian: Atlassian;
let server: Simulator;

beforeAll(() => {
  atlassian = createAtlassian({
    clock: { now: () => new Date() },
    chance: { uuid: () => crypto.randomUUID(), random: () => 0.5 },
    workers: 1,
    responseLimitBytes: 8 * 2 ** 20,
  });
});
beforeEach(async () => {
  const seed = { users: USERS, groups: 1, groupsPerUser: 0, dataCenterUsers: USERS, dataCenterGroups: 1 };
  server = await startSimulator({ seed });
  const body = JSON.stringify({ refuseWrites: true });
  await fetch(`${server.url}/_simulator/behaviour`, { method: 'PATCH', body });
});
afterEach(() => server.close());
afterAll(() => atlassian.close());

interface Run {
  readonly operation: Operation;
  readonly target: 'cloud' | 'data-center';
  readonly keys?: boolean;
  readonly rows: readonly Cells[];
}

/** Plans a job as planners do, some rows at a time, each with a session of its own, and gives what it read for each row. */
async function planJob({ operation, target: name, keys = true, rows }: Run) {
  const { orgId, orgApiKey, ...keyless } = server.targets.cloud;
  const cloud = keys ? { ...keyless, orgId, orgApiKey } : keyless;
  const secret = JSON.stringify(name === 'cloud' ? cloud : server.targets['data-center']);
  const ports = {
    targets: { secretNameOf: (one: string) => `rollcall/${one}`, find: async () => parseTarget(name, secret) },
    atlassian,
  };
  const listings = { store: memoryObjectStore(), rows: rows.length, prefix: `plan/${crypto.randomUUID()}/1/lists/` };
  const kinds: string[] = [];
  for (let from = 0; from < rows.length; from += TOGETHER) {
    const session = await openSession(ports, { targetName: name, operation, listings });
    const planned = await session.plan(rows.slice(from, from + TOGETHER), new AbortController().signal);
    kinds.push(...planned.map(({ kind }) => kind));
  }
  const answer = await fetch(`${server.url}/_simulator/requests?summary=1`);
  const { reads, writes } = (await answer.json()) as { reads: number; writes: number };
  expect(writes).toBe(0);
  expect(new Set(kinds)).toEqual(new Set(['change']));
  return reads / rows.length;
}

const numbers = Array.from({ length: USERS }, (_, n) => n + 1);
const emailOf = (n: number) => `user${String(n).padStart(5, '0')}@example.com`;
const accountIdOf = (n: number) => `712020:${uuid('a0000000', n)}`;

describe('a planned row costs, with organisation keys,', () => {
  it.each([suspend, membership])('a read for forty rows that name people by e-mail: $name', async (operation) => {
    const rows = numbers.map((n) => ({
      email: emailOf(n),
      ...(operation === membership && { groupName: 'group-001' }),
    }));

    expect(await planJob({ operation, target: 'cloud', rows })).toBeLessThanOrEqual(1 / 40);
  });

  it.each([suspend, membership])('a read for nine rows that name people by account id: $name', async (operation) => {
    const rows = numbers.map((n) => ({
      accountId: accountIdOf(n),
      ...(operation === membership && { groupName: 'group-001' }),
    }));

    expect(await planJob({ operation, target: 'cloud', rows })).toBeLessThanOrEqual(1 / 9);
  });
});

describe('a planned row costs at most a fifth of a read', () => {
  it.each([
    ['by e-mail', (n: number) => ({ email: emailOf(n) })],
    ['by account id', (n: number) => ({ accountId: accountIdOf(n) })],
  ])('without organisation keys, %s', async (_, nameOf) => {
    const rows = numbers.map((n) => ({ ...nameOf(n), groupName: 'group-001' }));

    expect(await planJob({ operation: membership, target: 'cloud', keys: false, rows })).toBeLessThanOrEqual(0.2);
  });

  it.each([suspend, membership])('on Data Center: $name', async (operation) => {
    const rows = numbers.map((n) => ({
      username: `user${String(n).padStart(5, '0')}`,
      ...(operation === membership && { groupName: 'group-001' }),
    }));

    expect(await planJob({ operation, target: 'data-center', rows })).toBeLessThanOrEqual(0.2);
  });
});
