import { expect, it } from 'vitest';

import { conflictsElsewhere, type Planned } from '../../../functions/worker/conflicts.ts';
import { RateLimited } from '../../../shared/atlassian/errors.ts';
import { claimKey } from '../../../shared/job/keys.ts';
import type { SubjectKey } from '../../../shared/operations/operation.ts';
import { memoryObjectStore } from '../../fakes/memory-object-store.ts';

it('keeps no claim when the time of the batch is over: its rows go again rather than die with their worker', async () => {
  const results = memoryObjectStore();

  const late = conflictsElsewhere([planned(0), planned(1)], results, { nowMs: 0, signal: AbortSignal.abort() });

  await expect(late).rejects.toThrow(RateLimited);
  for await (const key of results.list('')) expect.unreachable(key);
});

it('takes only one of two rows for the repeat when each came first to another subject of both', async () => {
  const keys = [key('account:a', 'new@acme.example'), key('address:new@acme.example', 'account:a')] as const;
  const [account, address] = keys.map(({ subject }) => claimKey('leavers-000000000000', subject));
  const results = memoryObjectStore({
    [account!]: JSON.stringify({ row: 0, line: 2, desired: keys[0].desired }),
    [address!]: JSON.stringify({ row: 1, line: 3, desired: keys[1].desired }),
  });

  const taskResults = await conflictsElsewhere([planned(0, keys), planned(1, keys)], results, IN_TIME);

  expect([...taskResults.keys()]).toEqual(['message-1']);
});

it.each([0, 1])('takes a row for a contradiction by whichever subject it is one (%i)', async (at) => {
  const keys = [key('account:a', 'new@acme.example'), key('address:new@acme.example', 'account:a')];
  const other = keys.with(at, { ...keys[at]!, desired: 'another' });
  const results = memoryObjectStore();

  await conflictsElsewhere([planned(0, keys)], results, IN_TIME);
  const taskResults = await conflictsElsewhere([planned(1, other)], results, IN_TIME);

  expect(taskResults.get('message-1')).toMatchObject({ outcome: { code: 'CONTRADICTION' } });
});

const IN_TIME = { nowMs: 0, signal: new AbortController().signal };

const key = (subject: string, desired: string): SubjectKey => ({ subject, desired });

const planned = (row: number, keys: readonly SubjectKey[] = [key(`account:${row}`, 'suspended')]): Planned => ({
  messageId: `message-${row}`,
  task: {
    version: 1,
    jobId: 'leavers-000000000000',
    target: 'acme',
    operation: 'suspend',
    row,
    line: row + 2,
    cells: {},
    mixed: true,
    generation: 0,
    attempts: 0,
  },
  plan: { kind: 'noop', subject: {}, keys },
});
