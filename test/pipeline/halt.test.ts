import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { type Simulator, startSimulator } from '../../local/atlassian/server/simulator.ts';
import { emailOf } from '../bench/manifests.ts';
import { type MemoryPipeline, startMemoryPipeline } from '../fakes/memory-pipeline.ts';

let simulator: Simulator;
let pipeline: MemoryPipeline;
/** The secrets as they stand. */
let targets: Record<string, unknown>;

const ROWS = 30;
/** Nobody is too many. */
const LAX = { percent: 100, people: 1_000, unknownTotal: 1_000, groupPercent: 100, groupSize: 50 };

beforeEach(async () => {
  simulator = await startSimulator({
    seed: { users: 40, groups: 3, groupsPerUser: 0, domain: 'example.com', dataCenterUsers: 0, dataCenterGroups: 0 },
  });
  targets = { ...simulator.targets };
  pipeline = startMemoryPipeline({
    targets,
    policy: { rules: [{ above: { takes: ROWS, gives: ROWS } }], tooMany: LAX },
  });
});
afterEach(async () => {
  await pipeline.close();
  await simulator.close();
});

const numbers = Array.from({ length: ROWS }, (_, index) => index + 1);

const FILES = {
  membership: ['email,group name,action', ...numbers.map((n) => `${emailOf(n)},group-001,add`), ''].join('\n'),
  // Always read before it is written.
  'email-change': ['email,newEmail', ...numbers.map((n) => `${emailOf(n)},new.${emailOf(n)}`), ''].join('\n'),
} as const;

const revoke = (): void => {
  targets['cloud'] = { ...simulator.targets.cloud, apiToken: 'revoked', orgApiKey: 'revoked' };
};
const mend = (): void => {
  targets['cloud'] = simulator.targets.cloud;
};

/** Lets Atlassian answer so the next write that the filter names. */
const refuseOnce = (refusal: Readonly<Record<string, unknown>>): Promise<Response> =>
  fetch(`${simulator.url}/_simulator/behaviour`, {
    method: 'PATCH',
    body: JSON.stringify({ refusedWrites: [{ ...refusal, times: 1 }] }),
  });

describe('a job that halted for its credentials and is resumed', () => {
  it.each(['membership', 'email-change'] as const)('applies every row of %s, none is failed', async (operation) => {
    const job = pipeline.upload(`cloud/${operation}/file.csv`, FILES[operation]);
    await pipeline.settle(job, ({ outcomes }) => outcomes > 0);
    revoke();
    const halted = await pipeline.settle(job);
    expect(halted).toMatchObject({ state: 'halted', halt: { code: 'UNAUTHORIZED' } });
    const stopped = await pipeline.summaryOf(job);
    expect(stopped.counts).toMatchObject({ failed: 0, unprocessed: ROWS - halted.outcomes });

    mend();
    pipeline.command(job, 'resume');

    expect(await pipeline.settle(job)).toMatchObject({ state: 'completed' });
    expect((await pipeline.summaryOf(job)).counts).toMatchObject({ changed: ROWS, failed: 0, unprocessed: 0 });
    expect(pipeline.deadLetters).toEqual([]);
  });

  it('takes up the one row whose write met the refusal', async () => {
    await refuseOnce({ method: 'POST', path: '/group/user', status: 401, body: 'Client must be authenticated' });
    const job = pipeline.upload('cloud/membership/file.csv', FILES.membership);
    expect(await pipeline.settle(job)).toMatchObject({ state: 'halted', halt: { code: 'UNAUTHORIZED' } });

    pipeline.command(job, 'resume');

    expect(await pipeline.settle(job)).toMatchObject({ state: 'completed' });
    expect((await pipeline.summaryOf(job)).counts).toMatchObject({ changed: ROWS, failed: 0 });
  });

  it('goes on planning where planning met the refusal', async () => {
    revoke();
    const job = pipeline.upload('cloud/membership/file.csv', FILES.membership);
    expect(await pipeline.settle(job)).toMatchObject({ state: 'halted', halt: { code: 'UNAUTHORIZED' } });

    mend();
    pipeline.command(job, 'resume');

    expect(await pipeline.settle(job)).toMatchObject({ state: 'completed' });
    expect((await pipeline.summaryOf(job)).counts).toMatchObject({ changed: ROWS, failed: 0 });
  });
});

describe('a redriven row that meets refused credentials', () => {
  it('stays a dead letter, since an ended job is resumed by nobody, and is applied when it is redriven again', async () => {
    await refuseOnce({ method: 'POST', path: '/group/user', status: 403, body: { errorMessages: ['not allowed'] } });
    const job = pipeline.upload('cloud/membership/file.csv', FILES.membership);
    expect(await pipeline.settle(job)).toMatchObject({ state: 'completed' });
    expect(pipeline.deadLetters).toHaveLength(1);

    revoke();
    await pipeline.redrive();
    await pipeline.settle(job);

    expect((await pipeline.summaryOf(job)).codes).toEqual({ UNAUTHORIZED: 1 });
    expect(pipeline.deadLetters).toMatchObject([{ body: { generation: 2 }, attributes: { code: 'UNAUTHORIZED' } }]);
    mend();
    await pipeline.redrive();
    await pipeline.settle(job);
    expect((await pipeline.summaryOf(job)).counts).toMatchObject({ changed: ROWS, failed: 0 });
    expect(pipeline.deadLetters).toEqual([]);
  });
});
