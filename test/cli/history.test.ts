import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Entry, findHistory } from '../../cli/history.ts';
import { type Simulator, startSimulator } from '../../local/atlassian/server/simulator.ts';
import { emailOf } from '../bench/manifests.ts';
import { type MemoryPipeline, startMemoryPipeline } from '../fakes/memory-pipeline.ts';

let simulator: Simulator;
let pipeline: MemoryPipeline;
let suspended: string;

beforeAll(async () => {
  simulator = await startSimulator({
    seed: { users: 100, groups: 3, groupsPerUser: 0, domain: 'example.com', dataCenterUsers: 0, dataCenterGroups: 0 },
  });
  pipeline = startMemoryPipeline({ targets: { ...simulator.targets } });
  const joined = pipeline.upload(
    'cloud/membership/joiners.csv',
    `email;group\n${emailOf(1)};group-001\n${emailOf(2)};group-001\n`,
  );
  await pipeline.settle(joined);
  const leavers = Array.from({ length: 60 }, (_, index) => emailOf(index + 1)).join('\n');
  suspended = pipeline.upload('cloud/suspend/leavers.csv', `email\n${leavers}\n`, {
    principal: 'uploader',
    metadata: { 'rollcall-reason': 'CHG-42' },
  });
  await pipeline.settle(suspended);
  await pipeline.approve(suspended, 'approver');
  await pipeline.settle(suspended);
});
afterAll(async () => {
  await pipeline.close();
  await simulator.close();
});

const historyOf = async (who: string, sinceMs = -Infinity): Promise<readonly Entry[]> => {
  const entries: Entry[] = [];
  for await (const entry of findHistory(pipeline.results, { who, sinceMs })) entries.push(entry);
  return entries;
};

describe('the history of a person', () => {
  it('is every row of any job that is about them, with who uploaded and approved it and why', async () => {
    const entries = await historyOf(emailOf(1).toUpperCase());

    expect(entries.map(({ operation, status, line }) => [operation, status, line])).toEqual([
      ['membership', 'changed', 2],
      ['suspend', 'changed', 2],
    ]);
    expect(entries[1]).toMatchObject({
      job: suspended,
      uploadedBy: ['uploader'],
      approvedBy: ['approver'],
      reason: 'CHG-42',
      cells: { email: emailOf(1) },
    });
  });

  it('is empty for somebody whose address only begins so', async () => {
    expect(await historyOf('user')).toEqual([]);
  });

  it('begins on the day that was asked for', async () => {
    expect(await historyOf(emailOf(1), Date.now() + 86_400_000)).toEqual([]);
  });
});

it('the history of a job is all of its rows, by its id or the end of it', async () => {
  expect(await historyOf(suspended)).toHaveLength(60);
  expect(await historyOf(suspended.slice(-12))).toHaveLength(60);
});
