import { afterEach, beforeEach, expect, it } from 'vitest';

import { type Simulator, startSimulator } from '../../local/atlassian/server/simulator.ts';
import { emailOf } from '../bench/manifests.ts';
import { type MemoryPipeline, startMemoryPipeline } from '../fakes/memory-pipeline.ts';

const PEOPLE = 3_100;
const LEAVERS = 3_000;

let simulator: Simulator;
let pipeline: MemoryPipeline;

beforeEach(async () => {
  simulator = await startSimulator({
    seed: {
      users: PEOPLE,
      groups: 1,
      groupsPerUser: 0,
      domain: 'example.com',
      dataCenterUsers: 0,
      dataCenterGroups: 0,
    },
  });
  pipeline = startMemoryPipeline({ targets: { ...simulator.targets } });
});
afterEach(async () => {
  await pipeline.close();
  await simulator.close();
});

const ask = async (path: string): Promise<unknown> => (await fetch(`${simulator.url}/_simulator/${path}`)).json();
const countWrites = async (): Promise<number> =>
  ((await ask('requests?summary=1')) as { readonly writes: number }).writes; // docs/simulator.md

it('three thousand leavers wait with no write, are approved, paused, resumed and undone, and everything is as before (promises 3, 4, 9)', async () => {
  const before = await ask('state');
  const file = ['email', ...Array.from({ length: LEAVERS }, (_, n) => emailOf(n + 1)), ''].join('\n');

  const job = pipeline.upload('cloud/suspend/leavers.csv', file);
  const { state, waitReasons } = await pipeline.settle(job);
  expect(state).toBe('waiting');
  expect(waitReasons.map(({ code }) => code)).toEqual(['APPROVAL_REQUIRED', 'TOO_MANY_PEOPLE']);
  expect(await countWrites()).toBe(0);

  await pipeline.approve(job);
  await pipeline.settle(job, ({ outcomes }) => outcomes > 500);
  pipeline.command(job, 'pause');
  await pipeline.settle(job, (now) => now.state === 'paused');
  await pipeline.advance(1_000); // within which a worker may still believe what it saw
  const whenPaused = await countWrites();
  expect((await pipeline.settle(job)).state).toBe('paused');
  expect(await countWrites()).toBe(whenPaused);
  expect(whenPaused).toBeLessThan(LEAVERS);

  pipeline.command(job, 'resume');
  expect((await pipeline.settle(job)).state).toBe('completed');
  expect((await pipeline.summaryOf(job)).counts).toMatchObject({ rows: LEAVERS, changed: LEAVERS });
  expect(await countWrites()).toBe(LEAVERS);

  const undone = pipeline.upload('cloud/undo/leavers.csv', await pipeline.fileOf(job, 'undo.csv'));
  expect((await pipeline.settle(undone)).state).toBe('waiting');
  await pipeline.approve(undone);
  expect((await pipeline.settle(undone)).state).toBe('completed');
  expect((await pipeline.summaryOf(undone)).counts).toMatchObject({ rows: LEAVERS, changed: LEAVERS });
  expect(await ask('state')).toEqual(before);
}, 180_000);
