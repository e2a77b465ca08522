import { describe, expect, it } from 'vitest';

import { createRecorder } from '../../../functions/worker/recorder.ts';
import { again, success } from '../../../functions/worker/task-result.ts';
import type { Task } from '../../../shared/job/messages.ts';
import { memoryEventsQueue, memoryQueue } from '../../fakes/memory-queue.ts';
import { JOB, NOW_MS } from '../../shared/job/building.ts';

const task = (row: number): Task => ({
  version: 2,
  kind: 'row',
  jobId: JOB.id,
  target: 'acme',
  operation: 'suspend',
  row,
  line: row + 2,
  cells: {},
  generation: 0,
  attempts: 0,
});

function start() {
  const time = { nowMs: NOW_MS };
  const [rows, eventsQueue] = [memoryQueue(), memoryEventsQueue()];
  const clock = { now: () => new Date(time.nowMs) };
  const chance = { uuid: () => crypto.randomUUID(), random: () => 0 };
  const noCalls = () => ({ sent: 0, rateLimited: 0, retried: 0 });
  const ports = { tasks: rows, eventsQueue, clock, chance };
  const recorder = createRecorder({ jobId: JOB.id, countCalls: noCalls }, ports);
  return { recorder, rows, eventsQueue, time };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('recorder', () => {
  it('records outcomes as they come and copies when the batch is done, so that a worker that dies leaves no row twice', async () => {
    const { recorder, rows, eventsQueue, time } = start();

    recorder.add('one', again(task(0), NOW_MS + 7_000));
    time.nowMs += 5_000;
    recorder.add('two', success(task(1), { status: 'changed' }, NOW_MS));
    await settled();
    const underWay = { copies: rows.messages.length, recorded: [...recorder.recorded] };
    await recorder.finish();

    expect(underWay).toEqual({ copies: 0, recorded: ['two'] });
    expect(eventsQueue.events).toMatchObject([
      { outcomes: [{ row: 1 }], returned: [] },
      { outcomes: [], returned: [0] },
    ]);
    expect(rows.messages).toHaveLength(1);
  });

  it.each([
    ['what is left of the wait', 20_000, 15],
    ['whole seconds, never too few', 20_001, 16],
    ['nothing when the wait is over', 4_000, 0],
    ['the 15 minutes that SQS delays at most', 3_600_000, 900],
  ])('delays a copy by %s when the batch ends', async (_, waitMs, delaySeconds) => {
    const { recorder, rows, eventsQueue, time } = start();

    recorder.add('one', again(task(0), NOW_MS + waitMs));
    time.nowMs += 5_000;
    await recorder.finish();

    expect(rows.messages).toMatchObject([{ delaySeconds }]);
    expect(eventsQueue.events).toMatchObject([{ until: new Date(time.nowMs + delaySeconds * 1_000).toISOString() }]);
  });
});
