import { describe, expect, it } from 'vitest';

import { eventsQueueOver } from '../../../shared/aws/events-queue.ts';
import { jobEventSchema, type JobEvent } from '../../../shared/job/events.ts';
import { memoryQueue } from '../../fakes/memory-queue.ts';

const EVENT = { version: 1, id: 'event-1', jobId: 'job-1', at: '2026-11-21T08:00:00.000Z' } as const;

describe("the job's events over a queue", () => {
  it('puts an event into the mailbox of its job, under an id of its own', async () => {
    const { eventsQueue, queue } = start();

    await eventsQueue.post([{ ...EVENT, type: 'reconcile' }]);

    expect(queue.messages).toEqual([
      { body: { ...EVENT, type: 'reconcile' }, groupId: 'job-1', deduplicationId: 'event-1' },
    ]);
  });

  it('splits outcomes that are too many for one message, and counts their calls once', async () => {
    const { eventsQueue, posted } = start();
    const outcomes = Array.from({ length: 1_000 }, (_, row) => outcome(row));
    const calls = { sent: 7, rateLimited: 1, retried: 2 };

    await eventsQueue.post([{ ...EVENT, type: 'recorded', outcomes, returned: [2_000], dropped: [3_000], calls }]);

    const parts = posted().filter((event) => event.type === 'recorded');
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.flatMap((part) => part.outcomes)).toEqual(outcomes);
    expect(parts.flatMap((part) => part.returned)).toEqual([2_000]);
    expect(parts.flatMap((part) => part.dropped)).toEqual([3_000]);
    expect(parts.filter((part) => part.calls.sent > 0).map((part) => part.calls)).toEqual([calls]);
  });

  it('splits writes about to begin that are too many for one message', async () => {
    const { eventsQueue, posted } = start();
    const rows = Array.from({ length: 60_000 }, (_, row) => ({ row, line: row + 2 }));

    await eventsQueue.post([{ ...EVENT, type: 'attempting', rows }]);

    expect(posted().flatMap((event) => (event.type === 'attempting' ? event.rows : []))).toEqual(rows);
  });

  it('gives the parts of an event ids that are the same whenever it is posted', async () => {
    const { eventsQueue, queue } = start();
    const rows = Array.from({ length: 60_000 }, (_, row) => ({ row, line: row + 2 }));

    await eventsQueue.post([{ ...EVENT, type: 'attempting', rows }]);
    await eventsQueue.post([{ ...EVENT, type: 'attempting', rows }]);

    const ids = queue.messages.map((message) => message.deduplicationId);
    expect(new Set(ids).size).toBe(ids.length / 2);
  });
});

function start() {
  const queue = memoryQueue();
  const posted = (): readonly JobEvent[] => queue.messages.map(({ body }) => jobEventSchema.parse(body));
  return { queue, eventsQueue: eventsQueueOver(queue), posted };
}

const outcome = (row: number) =>
  ({
    row,
    line: row + 2,
    generation: 0,
    status: 'failed',
    code: 'REQUEST_REFUSED',
    message: 'x'.repeat(1_000),
    attempts: 1,
    finishedAt: EVENT.at,
  }) as const;
