import { expect, it } from 'vitest';

import { conflictsElsewhere } from '../../../functions/worker/claims.ts';
import type { Seen } from '../../../functions/worker/sorting.ts';
import { RateLimited } from '../../../shared/atlassian/errors.ts';
import { claimKey } from '../../../shared/job/keys.ts';
import type { Claim } from '../../../shared/operations/operation.ts';
import { memoryObjectStore } from '../../fakes/memory-object-store.ts';

it('keeps no claim when the time of the batch is over: its rows go again rather than die with their worker', async () => {
  const results = memoryObjectStore();

  const late = conflictsElsewhere([seen(0), seen(1)], results, { nowMs: 0, signal: AbortSignal.abort() });

  await expect(late).rejects.toThrow(RateLimited);
  for await (const key of results.list('')) expect.unreachable(key);
});

it('takes only one of two rows for the repeat when each came first to another claim of both', async () => {
  const claims = [claim('account:a', 'new@acme.example'), claim('address:new@acme.example', 'account:a')] as const;
  const [account, address] = claims.map(({ thing }) => claimKey('leavers-000000000000', thing));
  const results = memoryObjectStore({
    [account!]: JSON.stringify({ row: 0, line: 2, wish: claims[0].wish }),
    [address!]: JSON.stringify({ row: 1, line: 3, wish: claims[1].wish }),
  });

  const taskResults = await conflictsElsewhere([seen(0, claims), seen(1, claims)], results, IN_TIME);

  expect([...taskResults.keys()]).toEqual(['message-1']);
});

it.each([0, 1])('takes a row for a contradiction by whichever claim it is one (%i)', async (at) => {
  const claims = [claim('account:a', 'new@acme.example'), claim('address:new@acme.example', 'account:a')];
  const other = claims.with(at, { ...claims[at]!, wish: 'another' });
  const results = memoryObjectStore();

  await conflictsElsewhere([seen(0, claims)], results, IN_TIME);
  const taskResults = await conflictsElsewhere([seen(1, other)], results, IN_TIME);

  expect(taskResults.get('message-1')).toMatchObject({ outcome: { code: 'CONTRADICTION' } });
});

const IN_TIME = { nowMs: 0, signal: new AbortController().signal };

const claim = (thing: string, wish: string): Claim => ({ thing, wish });

const seen = (row: number, claims: readonly Claim[] = [claim(`account:${row}`, 'suspended')]): Seen => ({
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
  sight: { kind: 'fulfilled', claims },
});
