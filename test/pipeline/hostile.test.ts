import { parse } from 'csv-parse/sync';
import { afterAll, describe, expect, it } from 'vitest';

import { type Simulator, startSimulator } from '../../local/atlassian/server/simulator.ts';
import { seededRandom } from '../chaos/random.ts';
import { startMemoryPipeline } from '../fakes/memory-pipeline.ts';

// An Atlassian that breaks every rule at once, by the dice: what a job says of its rows must be true all the same.

const ROWS = 12;
const OPERATIONS = [
  { key: 'cloud/membership', header: 'email,group', row: (n: number) => `person${n}@example.com,crowd`, seen: inGroup },
  {
    key: 'cloud/creation',
    header: 'email,products',
    row: (n: number) => `new${n}@example.com,jira-core`,
    seen: exists,
  },
  {
    key: 'cloud/email-change',
    header: 'email,newEmail',
    row: (n: number) => `person${n}@example.com,renamed${n}@example.com`,
    seen: renamed,
  },
  { key: 'cloud/suspend', header: 'email', row: (n: number) => `person${n}@example.com`, seen: suspended },
  { key: 'cloud/restore', header: 'email', row: (n: number) => `gone${n}@example.com`, seen: restored },
  { key: 'cloud/deactivate', header: 'email', row: (n: number) => `person${n}@example.com`, seen: deactivated },
  {
    key: 'data-center/membership',
    header: 'username,group',
    row: (n: number) => `user${n},crowd`,
    seen: inGroupOnDataCenter,
  },
  {
    key: 'data-center/creation',
    header: 'username,email,displayName',
    row: (n: number) => `fresh${n},fresh${n}@dc.example.com,Fresh ${n}`,
    seen: existsOnDataCenter,
  },
  { key: 'data-center/suspend', header: 'username', row: (n: number) => `user${n}`, seen: suspendedOnDataCenter },
] as const;

interface Site {
  readonly cloud: {
    readonly users: readonly {
      readonly accountId: string;
      readonly email: string;
      readonly membershipStatus?: string;
      readonly accountStatus?: string;
    }[];
    readonly groups: readonly { readonly name: string; readonly members: readonly string[] }[];
  };
  readonly dataCenter: {
    readonly users: readonly { readonly username: string; readonly active?: boolean }[];
    readonly groups: readonly { readonly name: string; readonly members: readonly string[] }[];
  };
}

const personOf = (site: Site, email: string) => site.cloud.users.find((user) => user.email === email);
const userOf = (site: Site, username: string) => site.dataCenter.users.find((user) => user.username === username);
const membersOf = (groups: Site['cloud']['groups']) => groups.find(({ name }) => name === 'crowd')?.members ?? [];

function inGroup(site: Site, n: number): boolean {
  return membersOf(site.cloud.groups).includes(personOf(site, `person${n}@example.com`)?.accountId ?? '');
}
function exists(site: Site, n: number): boolean {
  return personOf(site, `new${n}@example.com`) !== undefined;
}
function renamed(site: Site, n: number): boolean {
  return personOf(site, `renamed${n}@example.com`) !== undefined;
}
function suspended(site: Site, n: number): boolean {
  return personOf(site, `person${n}@example.com`)?.membershipStatus === 'suspended';
}
function restored(site: Site, n: number): boolean {
  return personOf(site, `gone${n}@example.com`)?.membershipStatus === 'active';
}
function deactivated(site: Site, n: number): boolean {
  return personOf(site, `person${n}@example.com`)?.accountStatus === 'inactive';
}
function inGroupOnDataCenter(site: Site, n: number): boolean {
  return membersOf(site.dataCenter.groups).includes(`user${n}`);
}
function existsOnDataCenter(site: Site, n: number): boolean {
  return userOf(site, `fresh${n}`) !== undefined;
}
function suspendedOnDataCenter(site: Site, n: number): boolean {
  return userOf(site, `user${n}`)?.active === false;
}

const numbers = Array.from({ length: ROWS }, (_, n) => n);

/** Adds the people whom the files are about to the simulator's own. */
async function populate({ url }: Simulator): Promise<void> {
  const state = (await (await fetch(`${url}/_simulator/state`)).json()) as {
    cloud: { users: object[]; groups: object[] };
    dataCenter: { users: object[]; groups: object[] };
  }; // its own record
  for (const n of numbers) {
    const person = { name: `Person ${n}`, products: ['jira-software'] };
    state.cloud.users.push(
      { ...person, accountId: `id-person-${n}`, email: `person${n}@example.com` },
      { ...person, accountId: `id-gone-${n}`, email: `gone${n}@example.com`, membershipStatus: 'suspended' },
    );
    const emailAddress = `user${n}@dc.example.com`;
    state.dataCenter.users.push({ username: `user${n}`, key: `KEY${n}`, emailAddress, displayName: `User ${n}` });
  }
  state.cloud.groups.push({ groupId: 'g-crowd', name: 'crowd' });
  state.dataCenter.groups.push({ name: 'crowd' });
  const put = await fetch(`${url}/_simulator/state`, { method: 'PUT', body: JSON.stringify(state) });
  expect(put.status).toBeLessThan(300);
}

const tell = async ({ url }: Simulator, patch: object): Promise<void> => {
  const response = await fetch(`${url}/_simulator/behaviour`, { method: 'PATCH', body: JSON.stringify(patch) });
  expect(await response.text()).not.toContain('error');
};

/** How hostile an Atlassian is: a share of the requests for each kind of fault. */
function hostility(seed: number): object {
  const random = seededRandom(seed);
  const rate = (most: number): number => (random() < 0.6 ? random() * most : 0);
  return {
    dice: seed,
    faults: {
      rateLimited: rate(0.1),
      retryAfterSeconds: [null, 0, 1, 30][Math.floor(random() * 4)],
      serverError: rate(0.08),
      serverErrorAfter: rate(0.08),
      serverErrorStatuses: [500, 502, 503, 504],
      resetBefore: rate(0.05),
      resetAfter: rate(0.05),
      truncated: rate(0.05),
      notJson: rate(0.05),
      page: rate(0.08),
      pageAfter: rate(0.08),
      empty: rate(0.05),
      emptyAfter: rate(0.05),
      hangBefore: rate(0.03),
      hangAfter: rate(0.03),
      // Cut by the other side: how long we wait ourselves is tested where the calls are made.
      hangMs: 250,
      trickled: rate(0.05),
      compressed: rate(0.1),
      repeated: rate(0.1),
      endless: rate(0.05),
    },
    propagationMs: { jira: rate(400), organisation: rate(400), userManagement: rate(400), dataCenter: rate(400) },
  };
}

const revoked = (secret: unknown): object =>
  Object.fromEntries(
    Object.entries(secret as object).map(([name, value]) => [name, /token|key/i.test(name) ? 'revoked' : value]),
  );

const SEEDS = Array.from({ length: 40 }, (_, index) => index + 1);
const totals = { jobs: 0, rotated: 0, rows: 0, changed: 0, failed: 0, failedButMade: 0 };
afterAll(() => console.log(`Hostile Atlassian: ${JSON.stringify(totals)}`));

describe('a hostile Atlassian', () => {
  it.each(SEEDS)('with seed %i hides no row, writes none twice, and shows none green that is not', async (seed) => {
    const operation = OPERATIONS[seed % OPERATIONS.length];
    if (!operation) throw new Error('there is an operation for each remainder');
    const simulator = await startSimulator();
    const targets: Record<string, unknown> = { ...simulator.targets };
    const pipeline = startMemoryPipeline({ targets });
    try {
      await populate(simulator);
      // A target has answered before an outage begins: a job that meets nothing else halts at once, and rightly.
      const first = pipeline.upload(`${operation.key}/first.csv`, `${operation.header}\n${operation.row(ROWS)}\n`);
      await pipeline.settle(first);
      await tell(simulator, hostility(seed));

      const file = [operation.header, ...numbers.map(operation.row), ''].join('\n');
      const job = pipeline.upload(`${operation.key}/all.csv`, file);
      if (seed % 3 === 0) {
        // Somebody revokes the credentials in mid-job; the secret gets new ones once the job has halted for it.
        await pipeline.settle(job, ({ outcomes }) => outcomes > 2);
        for (const name of Object.keys(targets)) targets[name] = revoked(targets[name]);
        totals.rotated += 1;
      }
      for (let tries = 0; tries < 8; tries += 1) {
        const { state } = await pipeline.settle(job);
        if (state === 'waiting') await pipeline.approve(job);
        else if (state === 'halted') {
          Object.assign(targets, simulator.targets);
          pipeline.command(job, 'resume');
        } else break;
      }
      const { counts, state } = await pipeline.summaryOf(job);
      const rows: readonly Record<string, string>[] = parse(await pipeline.fileOf(job, 'results.csv'), {
        bom: true,
        columns: true,
      });
      const site = (await (await fetch(`${simulator.url}/_simulator/state`)).json()) as Site; // its own record

      expect(state).toBe('completed');
      expect(rows).toHaveLength(ROWS);
      expect(counts.changed + counts.unchanged + counts.failed + counts.invalid + counts.unprocessed).toBe(ROWS);
      totals.jobs += 1;
      for (const [n, row] of rows.entries()) {
        const status = row['rollcall_status'] ?? '';
        const isMade = operation.seen(site, n);
        totals.rows += 1;
        if (status === 'changed' || status === 'unchanged') {
          totals.changed += 1;
          expect({ n, status, isMade }).toEqual({ n, status, isMade: true });
        } else {
          totals.failed += 1;
          if (isMade) totals.failedButMade += 1;
          const isSaid = /may have been made|may have begun/.test(row['rollcall_message'] ?? '');
          expect({ n, isMade, isSaid, row }).toEqual({ n, isMade, isSaid: isMade || isSaid, row });
        }
      }
      expect(await writtenTwice(simulator)).toEqual([]);
    } finally {
      await pipeline.close();
      await simulator.close();
    }
  });
});

/** What had more than one write with an effect. */
async function writtenTwice({ url }: Simulator): Promise<readonly string[]> {
  const { requests } = (await (await fetch(`${url}/_simulator/requests`)).json()) as {
    requests: readonly { readonly things?: readonly string[]; readonly effective?: boolean }[];
  }; // its own log
  const written = requests.flatMap(({ effective, things = [] }) => (effective ? things : []));
  return written.filter((thing, index) => written.indexOf(thing) !== index);
}
