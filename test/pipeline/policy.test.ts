import { afterEach, describe, expect, it } from 'vitest';

import { type Simulator, startSimulator } from '../../local/atlassian/server/simulator.ts';
import { emailOf } from '../bench/manifests.ts';
import { type MemoryPipeline, startMemoryPipeline, type UploadOptions } from '../fakes/memory-pipeline.ts';

let simulator: Simulator;
let pipeline: MemoryPipeline;

afterEach(async () => {
  await pipeline.close();
  await simulator.close();
});

interface World {
  readonly users?: number;
  readonly groupsPerUser?: number;
  readonly policy?: Parameters<typeof startMemoryPipeline>[0]['policy'];
}

async function start({ users = 400, groupsPerUser = 1, policy = {} }: World = {}): Promise<void> {
  simulator = await startSimulator({
    seed: { users, groups: 3, groupsPerUser, domain: 'example.com', dataCenterUsers: 0, dataCenterGroups: 0 },
  });
  pipeline = startMemoryPipeline({ targets: { ...simulator.targets }, policy });
}

const people = (from: number, to: number): string =>
  ['email', ...Array.from({ length: to - from + 1 }, (_, n) => emailOf(from + n)), ''].join('\n');
const memberships = (from: number, to: number, action = 'add', group = 'group-001'): string =>
  [
    'email,group name,action',
    ...Array.from({ length: to - from + 1 }, (_, n) => `${emailOf(from + n)},${group},${action}`),
    '',
  ].join('\n');

const drop = async (key: string, file: string, options?: UploadOptions) => {
  const job = pipeline.upload(key, file, options);
  const { state } = await pipeline.settle(job);
  const summary = await pipeline.summaryOf(job);
  return { job, state, summary, reasons: (summary.waiting?.reasons ?? []).map(({ code }) => code) };
};

const simulated = async (method: string, path: string, body?: unknown): Promise<unknown> => {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  return (await fetch(`${simulator.url}/_simulator/${path}`, init)).json();
};
const writes = async (): Promise<number> =>
  ((await simulated('GET', 'requests?summary=1')) as { readonly writes: number }).writes; // docs/simulator.md

/** Nobody is too many. */
const LAX = { percent: 100, people: 10_000, unknownTotal: 10_000, groupPercent: 100, groupSize: 50 };

describe('promise 3: approval by default', () => {
  it('lets 50 leavers go by hand, and 51 wait with no write until they are approved', async () => {
    await start({ policy: { tooMany: LAX } });

    expect(await drop('cloud/suspend/few.csv', people(1, 50))).toMatchObject({ state: 'completed' });
    const many = await drop('cloud/suspend/many.csv', people(51, 101));

    expect(many).toMatchObject({ state: 'waiting', reasons: ['APPROVAL_REQUIRED'] });
    expect(many.summary.counts).toMatchObject({ rows: 51, unprocessed: 51 });
    expect(await writes()).toBe(50);
    await pipeline.approve(many.job);
    expect(await pipeline.settle(many.job)).toMatchObject({ state: 'completed' });
    expect(await writes()).toBe(101);
  });

  it('lets 200 people be added, and 201 wait', async () => {
    await start({ groupsPerUser: 0 });

    expect(await drop('cloud/membership/few.csv', memberships(1, 200, 'add', 'group-002'))).toMatchObject({
      state: 'completed',
    });
    expect(await drop('cloud/membership/many.csv', memberships(1, 201, 'add', 'group-003'))).toMatchObject({
      reasons: ['APPROVAL_REQUIRED'],
    });
  });

  it("lets a sender's file run by the sender's own number", async () => {
    await start({
      policy: { tooMany: LAX, rules: [{ sender: 'hr', operation: 'suspend', above: { takes: 60, gives: 0 } }] },
    });

    expect(await drop('cloud/suspend/from-hr/leavers.csv', people(1, 60))).toMatchObject({ state: 'completed' });
    expect(await drop('cloud/suspend/leavers.csv', people(61, 120))).toMatchObject({ reasons: ['APPROVAL_REQUIRED'] });
    expect(await drop('cloud/suspend/from-hr/more.csv', people(200, 260))).toMatchObject({
      reasons: ['APPROVAL_REQUIRED'],
    });
  });

  it('releases nothing for an early, a foreign, a wrong or a repeated approval', async () => {
    await start({ policy: { tooMany: LAX } });
    const other = await drop('cloud/suspend/other.csv', people(200, 260));
    const job = pipeline.upload('cloud/suspend/many.csv', people(1, 60));
    pipeline.command(job, 'approve', `${'0'.repeat(64)}`);
    expect(await pipeline.settle(job)).toMatchObject({ state: 'waiting' });

    pipeline.command(job, 'approve', other.summary.plan?.hash ?? '');
    pipeline.command(job, 'approve', '');
    pipeline.command(job, 'approve', 'yes');

    expect(await pipeline.settle(job)).toMatchObject({ state: 'waiting' });
    expect(await writes()).toBe(0);
  });

  it("refuses the uploader's own approval where two persons are asked for", async () => {
    await start({ policy: { tooMany: LAX, rules: [{ twoPersons: true }] } });
    const { job } = await drop('cloud/suspend/many.csv', people(1, 60), { principal: 'ann' });

    await pipeline.approve(job, 'ann');
    expect(await pipeline.settle(job)).toMatchObject({ state: 'waiting' });
    await pipeline.approve(job, 'bob');

    expect(await pipeline.settle(job)).toMatchObject({ state: 'completed' });
  });

  it('asks again after so many changes', async () => {
    await start({ policy: { tooMany: LAX } });
    const { job, reasons } = await drop('cloud/suspend/some.csv', people(1, 25), {
      metadata: { 'rollcall-steps': '10' },
    });
    expect(reasons).toEqual(['STEP']);
    expect(await writes()).toBe(10);

    for (const made of [20, 25]) {
      const { plan, approval } = await pipeline.settle(job);
      pipeline.command(job, 'approve', `${plan?.gate?.hash} STEP=${(approval?.steps ?? 1) + 1}`);
      await pipeline.settle(job);
      expect(await writes()).toBe(made);
    }

    expect(await pipeline.settle(job)).toMatchObject({ state: 'completed' });
  });

  it('plans and applies only from a time on', async () => {
    await start();
    const at = new Date(Date.now() + 7_200_000).toISOString();
    const { job, reasons } = await drop('cloud/suspend/later.csv', people(1, 3), {
      metadata: { 'rollcall-not-before': at },
    });
    expect(reasons).toEqual(['NOT_BEFORE']);
    expect(await writes()).toBe(0);

    await pipeline.advance(7_300_000);

    expect(await pipeline.settle(job)).toMatchObject({ state: 'completed' });
  });
});

describe('a dry run', () => {
  it('only reads, and predicts what the real run does', async () => {
    await start();
    await simulated('PATCH', 'behaviour', { refuseWrites: true });
    const file = `${memberships(1, 20, 'add', 'group-002')}nobody@example.com,group-002,add\n${emailOf(1)},no-group,add\n`;
    const dry = await drop('cloud/membership/team.dry-run.csv', file);

    expect(dry.summary).toMatchObject({
      mode: 'dry-run',
      state: 'completed',
      codes: { DRY_RUN: dry.summary.plan?.change },
    });
    expect(await writes()).toBe(0);
    await simulated('PATCH', 'behaviour', { refuseWrites: false });
    const real = await drop('cloud/membership/team.csv', file);

    expect(real).toMatchObject({ state: 'completed', reasons: [] });
    expect(real.summary.counts).toMatchObject({
      changed: dry.summary.plan?.change,
      unchanged: dry.summary.plan?.unchanged,
      failed: dry.summary.plan?.failed,
      invalid: dry.summary.plan?.invalid,
    });
    expect(real.summary.plan).toMatchObject({ codes: dry.summary.plan?.codes });
  });

  it('is asked for by metadata too, and leaves no dead letters', async () => {
    await start();

    const dry = await drop('cloud/suspend/x.csv', people(399, 402), { metadata: { 'rollcall-dry-run': 'true' } });

    expect(dry.summary).toMatchObject({ mode: 'dry-run', counts: { failed: 2, unprocessed: 2 } });
    expect(pipeline.deadLetters).toEqual([]);
  });
});

describe('held whatever the mode', () => {
  const hr = { policy: { rules: [{ sender: 'hr', above: { takes: 100_000, gives: 100_000 } }] } };

  it('too many people: more than 5% of the directory and more than 10', async () => {
    await start(hr);

    expect(await drop('cloud/suspend/from-hr/a.csv', people(1, 20))).toMatchObject({ state: 'completed' });
    const more = await drop('cloud/suspend/from-hr/b.csv', people(21, 22));

    expect(more).toMatchObject({ reasons: ['TOO_MANY_PEOPLE'] });
    expect(await writes()).toBe(20);
    await pipeline.advance(86_500_000);
    expect(await drop('cloud/suspend/from-hr/c.csv', people(31, 34))).toMatchObject({ state: 'completed' });
  });

  it('too many people of a group', async () => {
    await start(hr);

    // group-001 has 133 or 134 of the 400.
    const waiting = await drop('cloud/membership/from-hr/a.csv', removalsOfFirstGroup(19));
    expect(waiting).toMatchObject({ state: 'completed' });
    expect(await drop('cloud/membership/from-hr/b.csv', removalsOfFirstGroup(60))).toMatchObject({
      reasons: ['TOO_MANY_PEOPLE', 'TOO_MANY_PEOPLE'],
    });
  });

  it('many refused: more than half and at least 20, where something would change; leavers without an account do not count', async () => {
    await start(hr);

    expect(await drop('cloud/membership/from-hr/a.csv', memberships(381, 419, 'add', 'group-002'))).toMatchObject({
      state: 'completed',
    });
    expect(await drop('cloud/membership/from-hr/b.csv', memberships(381, 421, 'add', 'group-003'))).toMatchObject({
      reasons: ['MANY_REFUSED'],
    });
    expect(await drop('cloud/suspend/from-hr/c.csv', people(399, 450))).toMatchObject({ state: 'completed' });
    expect(await drop('cloud/membership/from-hr/d.csv', memberships(401, 450, 'add'))).toMatchObject({
      state: 'completed',
    });
  });

  it('a repeated file, if it would change anything', async () => {
    await start(hr);
    const file = memberships(1, 5, 'add', 'group-003');

    await drop('cloud/membership/from-hr/a.csv', file);
    expect(await drop('cloud/membership/from-hr/b.csv', file)).toMatchObject({ state: 'completed', reasons: [] });
    await drop('cloud/membership/from-hr/c.csv', memberships(1, 1, 'remove', 'group-003'));

    expect(await drop('cloud/membership/from-hr/d.csv', file)).toMatchObject({ reasons: ['REPEATED_FILE'] });
  });

  it('the wrong folder', async () => {
    await start(hr);
    const [header, ...lines] = people(1, 3).trim().split('\n');
    const file = [`${header},products`, ...lines.map((line) => `${line},jira-software`)].join('\n');

    expect(await drop('cloud/suspend/from-hr/a.csv', file)).toMatchObject({ reasons: ['WRONG_FOLDER'] });
  });

  it('and is accepted by its name only', async () => {
    await start(hr);
    const { job, summary } = await drop('cloud/suspend/from-hr/a.csv', people(1, 40));

    pipeline.command(job, 'approve', `${summary.plan?.hash}`);
    expect(await pipeline.settle(job)).toMatchObject({ state: 'waiting' });
    pipeline.command(job, 'approve', `${summary.plan?.hash} REPEATED_FILE`);
    expect(await pipeline.settle(job)).toMatchObject({ state: 'waiting' });
    pipeline.command(job, 'approve', `${summary.plan?.hash} TOO_MANY_PEOPLE`);

    expect(await pipeline.settle(job)).toMatchObject({ state: 'completed' });
  });

  it('never where nothing would change', async () => {
    await start(hr);
    await drop('cloud/suspend/from-hr/a.csv', people(1, 20));

    expect(await drop('cloud/suspend/from-hr/b.csv', `${people(1, 20)}\n`)).toMatchObject({ state: 'completed' });
  });

  function removalsOfFirstGroup(count: number): string {
    const members = Array.from({ length: 134 }, (_, n) => 1 + n * 3).slice(-count);
    return ['email,group name,action', ...members.map((n) => `${emailOf(n)},group-001,remove`), ''].join('\n');
  }
});

describe('a plan that is approved late', () => {
  it('is planned anew: the same runs, another waits again', async () => {
    await start({ policy: { tooMany: LAX } });
    const same = await drop('cloud/suspend/a.csv', people(1, 60));
    const other = await drop('cloud/suspend/b.csv', people(101, 160));
    await pipeline.advance(7 * 86_400_000);
    await pipeline.approve(same.job);
    expect(await pipeline.settle(same.job)).toMatchObject({ state: 'completed' });
    await drop('cloud/suspend/c.csv', people(101, 110));

    await pipeline.approve(other.job);

    expect(await pipeline.settle(other.job)).toMatchObject({ state: 'waiting' });
    expect((await pipeline.summaryOf(other.job)).waiting?.reasons.map(({ code }) => code)).toContain('CHANGED_PLAN');
    await pipeline.approve(other.job);
    expect(await pipeline.settle(other.job)).toMatchObject({ state: 'completed' });
  });
});

describe('what is protected', () => {
  it('is told, and the rest of the file goes on', async () => {
    await start();

    const { summary } = await drop('cloud/suspend/a.csv', `${people(1, 3)}admin@example.com\n`);

    expect(summary).toMatchObject({ state: 'completed', counts: { changed: 3, failed: 1 }, codes: { PROTECTED: 1 } });
  });
});

describe('two copies of a file', () => {
  it('dropped at once invite each person once', async () => {
    await start();
    const file = ['email,products', ...[1, 2, 3].map((n) => `new${n}@example.com,jira-software`), ''].join('\n');
    const jobs = [pipeline.upload('cloud/creation/a.csv', file), pipeline.upload('cloud/creation/b.csv', file)];
    for (const job of jobs) await pipeline.settle(job);

    const counts = await Promise.all(jobs.map(async (job) => (await pipeline.summaryOf(job)).counts));

    expect(counts.map(({ changed }) => changed).toSorted()).toEqual([0, 3]);
    expect(counts.map(({ unchanged }) => unchanged).toSorted()).toEqual([0, 3]);
    expect(await writes()).toBe(3);
  });
});

describe('a cancel that meets an approval', () => {
  it.each([[['approve', 'cancel']], [['cancel', 'approve']]] as const)('wins: %s', async (commands) => {
    await start({ policy: { tooMany: LAX } });
    const { job, summary } = await drop('cloud/suspend/a.csv', people(1, 60));

    for (const command of commands) pipeline.command(job, command, command === 'approve' ? summary.plan?.hash : '');

    expect(await pipeline.settle(job)).toMatchObject({ state: 'cancelled' });
  });
});
