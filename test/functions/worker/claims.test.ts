import { expect, it } from 'vitest';

import { conflictsElsewhere } from '../../../functions/worker/claims.ts';
import type { Seen } from '../../../functions/worker/sorting.ts';
import { RateLimited } from '../../../shared/atlassian/errors.ts';
import { memoryObjectStore } from '../../fakes/memory-object-store.ts';

it('keeps no claim when the time of the batch is over: its rows go again rather than die with their worker', async () => {
  const results = memoryObjectStore();

  const late = conflictsElsewhere([seen(0), seen(1)], results, { nowMs: 0, signal: AbortSignal.abort() });

  await expect(late).rejects.toThrow(RateLimited);
  for await (const key of results.list('')) expect.unreachable(key);
});

const seen = (row: number): Seen => ({
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
  sight: { kind: 'fulfilled', claims: [{ thing: `account:${row}`, wish: 'suspended' }] },
});
