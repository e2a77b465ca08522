import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';

import { stateKey } from '../../../shared/job/keys.ts';
import { AWAITING_ROW, PENDING, rowStatusOf } from '../../../shared/job/row-status.ts';
import { parseState, serializeState } from '../../../shared/job/state.ts';
import type { Message } from '../../../shared/ports.ts';
import { gateOf } from '../../shared/job/building.ts';
import { NOW, start } from './start.ts';

const KEY = 'acme/membership/joiners.csv';
const manifestOf = (rows: number): string =>
  `email;group\n${Array.from({ length: rows }, (_, row) => `user${row}@acme.example;"staff\n${row % 7}"\n`).join('')}`;

async function validated(rows: number, options: Parameters<typeof start>[0] = {}) {
  const started = start(options);
  const jobId = await started.upload(KEY, manifestOf(rows));
  await started.putPlan(jobId);
  return { ...started, jobId };
}

it('sends the released rows as tasks and says how far it came', async () => {
  const { jobId, enqueue, messages, tasks, events } = await validated(10);

  await enqueue(jobId, { from: 2, to: 4 });

  expect(tasks()).toEqual(
    [2, 3].map((row) => ({
      version: 2,
      kind: 'change',
      jobId,
      target: 'acme',
      operation: 'membership',
      row,
      line: 2 + 2 * row,
      subject: { accountId: `account-${row}` },
      before: { member: false },
      after: { member: true },
      plannedAt: NOW.toISOString(),
      generation: 0,
      attempts: 0,
    })),
  );
  expect(messages.map(({ groupId }) => groupId)).toEqual([jobId, jobId]);
  expect(events.at(-1)).toMatchObject({
    type: 'enqueued',
    enqueueId: 'enqueue-1',
    reached: 4,
  });
});

it('goes on from where another enqueue ended, to the end of the file', async () => {
  const { jobId, enqueue, tasks, events } = await validated(5);
  await enqueue(jobId, { to: 3 });

  await enqueue(jobId, { from: 3, to: 5 });

  expect(tasks().map(({ row }) => row)).toEqual([0, 1, 2, 3, 4]);
  expect(events.at(-1)).toMatchObject({ reached: 5 });
});

it('reads the plan chunks that hold the released rows and no other, and the inbox not at all', async () => {
  const { jobId, enqueue, tasks, inbox, results } = await validated(7_600);
  const reads: string[] = [];
  for (const store of [inbox, results]) {
    const { read } = store;
    Object.assign(store, { read: (key: string) => (reads.push(key), read(key)) });
  }

  await enqueue(jobId, { from: 4_999, to: 5_001 });

  expect(tasks().map(({ row, line }) => [row, line])).toEqual([
    [4_999, 10_000],
    [5_000, 10_002],
  ]);
  expect(reads.toSorted()).toEqual([
    `jobs/${jobId}/state.json`,
    `jobs/${jobId}/validation.json`,
    `plan/${jobId}/1/1.ndjson.gz`,
    `plan/${jobId}/1/2.ndjson.gz`,
  ]);
});

it.each([
  ['is gone', undefined],
  ['was altered', gzipSync('{"row":0,"line":2,"kind":"change","subject":{"accountId":"eve"}}\n')],
])('promise 3: sends nothing, and fails, when a plan chunk %s', async (_what, chunk) => {
  const { jobId, enqueue, messages, results } = await validated(1);
  const key = `plan/${jobId}/1/0.ndjson.gz`;
  if (chunk) await results.write(key, chunk);
  else await results.delete(key);

  expect(await enqueue(jobId, { to: 1 })).toEqual(['message-0']);
  expect(messages).toEqual([]);
});

it('passes over rows that have an outcome, and tells redriven rows their generation', async () => {
  const { jobId, enqueue, tasks, putPlan } = await validated(4);
  const rowStatuses = Uint8Array.from([0, rowStatusOf('changed'), rowStatusOf('failed', 'USER_NOT_FOUND'), 1]);
  await putPlan(jobId, { rowStatuses, generations: new Map([[3, 2]]) });

  await enqueue(jobId, { to: 4 });

  expect(tasks().map(({ row, generation }) => [row, generation])).toEqual([
    [0, 0],
    [3, 2],
  ]);
});

it('passes over rows that wait for another, and sends them alone once they are let go', async () => {
  const { jobId, enqueue, tasks, putPlan } = await validated(4);
  await putPlan(jobId, { rowStatuses: Uint8Array.of(AWAITING_ROW, PENDING, AWAITING_ROW, PENDING) });
  await enqueue(jobId, { to: 4 });
  await putPlan(jobId, { rowStatuses: Uint8Array.of(PENDING, PENDING, AWAITING_ROW, PENDING) });

  await enqueue(jobId, { from: 0, to: 1, freed: [0] });

  expect(tasks().map(({ row }) => row)).toEqual([1, 3, 0]);
});

it('tells a task that another row has freed its address', async () => {
  const { jobId, enqueue, tasks, putPlan, results } = await validated(2);
  await putPlan(jobId);
  const state = parseState(results.textOf(stateKey(jobId)));
  const gate = { ...gateOf(2, { dependencies: [[0, 2, 1, 3]] }), sha256: 'g', atMs: 0 };
  await results.write(
    stateKey(jobId),
    serializeState({ ...state, ...(state.plan && { plan: { ...state.plan, gate } }) }),
  );

  await enqueue(jobId, { to: 2 });

  expect(tasks().map((task) => [task.row, 'freed' in task && task.freed])).toEqual([
    [0, true],
    [1, false],
  ]);
});

it('sends the changes of an undo as those of the operation that it performs', async () => {
  const { jobId, enqueue, tasks, putPlan, results } = await validated(1);
  await putPlan(jobId);
  const state = parseState(results.textOf(stateKey(jobId)));
  const gate = { ...gateOf(1, { operation: 'suspend' }), sha256: 'g', atMs: 0 };
  await results.write(
    stateKey(jobId),
    serializeState({ ...state, ...(state.plan && { plan: { ...state.plan, gate } }) }),
  );

  await enqueue(jobId, { to: 1 });

  expect(tasks().map(({ operation }) => operation)).toEqual(['suspend']);
});

it('ends before the deadline, and what it did not reach is enqueued from there', async () => {
  const sent: Message[] = [];
  const slow = {
    send: (messages: readonly Message[]) =>
      new Promise<void>((resolve) => setTimeout(() => resolve(void sent.push(...messages)), 20)),
  };
  const { jobId, enqueue, events } = await validated(20_000, { rows: slow });

  await enqueue(jobId, { to: 20_000 }, 150);

  const enqueued = events.at(-1);
  const reached = enqueued?.type === 'enqueued' ? enqueued.reached : -1;
  expect(reached).toBeGreaterThan(0);
  expect(reached).toBeLessThan(20_000);
  expect(sent).toHaveLength(reached);
});

it('fails when the queue refuses rows, so that the enqueue comes again', async () => {
  const { jobId, enqueue, happened } = await validated(1_000, {
    rows: { send: () => Promise.reject(new Error('refused')) },
  });

  const failed = await enqueue(jobId, { to: 1_000 });

  expect(failed).toEqual(['message-0']);
  expect(happened()).not.toContain('enqueued');
});

it('fails while the state cannot be read yet', async () => {
  const { upload, enqueue } = start();
  const jobId = await upload(KEY, manifestOf(1));

  expect(await enqueue(jobId, { to: 1 })).toEqual(['message-0']);
});

it('enqueues no more of a job that has ended', async () => {
  const { jobId, enqueue, putPlan, messages, happened } = await validated(3);
  await putPlan(jobId, { state: 'cancelled' });

  await enqueue(jobId, { to: 3 });

  expect(messages).toEqual([]);
  expect(happened()).not.toContain('enqueued');
});
