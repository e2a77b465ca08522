import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { afterEach, expect, it } from 'vitest';

import { openDeadLetters, type DeadLetter } from '../../cli/dead-letter-queue.ts';
import { sqsQueue } from '../../shared/aws/sqs-queue.ts';
import type { Task } from '../../shared/job/messages.ts';
import { queuesHere, redriveTo, type QueuesHere } from '../local/aws/sqs/queues-here.ts';

const [JOB, OTHER] = ['leavers-000000000001', 'joiners-000000000002'];
/** More than are held back until a walk ends. */
const [MANY, MOST_HELD] = [1_500, 400];

let queues: QueuesHere;
afterEach(() => queues.close());

const start = async () => {
  queues = await queuesHere({
    'dead-letters': { VisibilityTimeout: '600' },
    isolation: redriveTo('dead-letters'),
    tasks: redriveTo('isolation'),
  });
  const signal = new AbortController().signal;
  return openDeadLetters(queues.sqs, queues.urlOf('dead-letters'), signal, MOST_HELD);
};

const task = (jobId: string, row: number, generation = 1): Task => ({
  version: 2,
  kind: 'row',
  jobId,
  target: 'acme',
  operation: 'suspend',
  row,
  line: row + 2,
  generation,
  attempts: 0,
  cells: { email: `p${row}@acme.example` },
});

const send = (tasks: readonly Task[], queue = 'dead-letters'): Promise<void> =>
  sqsQueue({ client: queues.sqs, queueUrl: queues.urlOf(queue) }).send(
    tasks.map((body) => ({ body, attributes: { code: 'FORBIDDEN', class: 'infrastructure' } })),
  );

/** Others' dead letters, with one of the job among every so many. */
const mixed = (others: number, own: number): readonly Task[] =>
  Array.from({ length: others }, (_, row) => row).flatMap((row) =>
    row % Math.floor(others / own) === 0 ? [task(OTHER, row), task(JOB, row)] : [task(OTHER, row)],
  );

async function countIn(name: string) {
  const { Attributes: attributes = {} } = await queues.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queues.urlOf(name), AttributeNames: ['All'] }),
  );
  return {
    visible: Number(attributes['ApproximateNumberOfMessages']),
    hidden: Number(attributes['ApproximateNumberOfMessagesNotVisible']),
  };
}

async function rowsIn(deadLetters: ReturnType<typeof openDeadLetters>, jobId: string): Promise<readonly string[]> {
  const rows: string[] = [];
  await deadLetters.read(({ task: one }) => {
    if (one?.jobId === jobId) rows.push(`${one.row} ${one.generation}`);
  });
  return rows.toSorted();
}

it.each([
  ['a few', 100],
  ['many', MANY],
])(
  'redrives the rows of one job among %s of others, which all stay, visible and as they were',
  async (_, others) => {
    const deadLetters = await start();
    await send(mixed(others, 50));
    const own = (await countIn('dead-letters')).visible - others;

    expect(await deadLetters.redrive(JOB)).toEqual({ rows: own, missed: 0 });

    expect(await countIn('tasks')).toEqual({ visible: own, hidden: 0 });
    expect(await countIn('dead-letters')).toEqual({ visible: others, hidden: 0 });
    const kept: DeadLetter[] = [];
    await deadLetters.read((one) => kept.push(one));
    expect(new Set(kept.map(({ task: one }) => one?.row)).size).toBe(others);
    expect(
      kept.every(
        ({ code, class: of, task: one }) => `${code} ${of} ${one?.jobId}` === `FORBIDDEN infrastructure ${OTHER}`,
      ),
    ).toBe(true);
  },
  120_000,
);

it("hides nobody else's dead letters for longer than it takes to send them to the end of a long queue", async () => {
  const deadLetters = await start();
  await send(mixed(MANY, 50));
  let most = 0;
  let isDone = false;
  const watching = (async () => {
    while (!isDone) most = Math.max(most, (await countIn('dead-letters')).hidden);
  })();

  await deadLetters.redrive(JOB);
  isDone = true;
  await watching;

  expect(most).toBeLessThan(1_200);
}, 60_000);

it('discards the rows of one job, and of no other', async () => {
  const deadLetters = await start();
  await send(mixed(300, 20));

  const { rows } = await deadLetters.discard(JOB);

  expect(rows).toBeGreaterThan(0);
  expect(await rowsIn(deadLetters, JOB)).toEqual([]);
  expect(await countIn('dead-letters')).toEqual({ visible: 300, hidden: 0 });
  expect(await countIn('tasks')).toEqual({ visible: 0, hidden: 0 });
});

it('sends a row once that came twice, and leaves one that has failed again meanwhile', async () => {
  const deadLetters = await start();
  await send([task(JOB, 1), task(JOB, 1), task(JOB, 1, 2)]);

  expect(await deadLetters.redrive(JOB)).toMatchObject({ rows: 1 });

  expect(await countIn('tasks')).toEqual({ visible: 1, hidden: 0 });
  expect(await rowsIn(deadLetters, JOB)).toEqual(['1 2']);
});

it('ends when two walk a long queue at once, and loses nothing', async () => {
  const deadLetters = await start();
  await send(mixed(MANY, 50));
  const own = (await countIn('dead-letters')).visible - MANY;

  const [redriven, discarded] = await Promise.all([
    deadLetters.redrive(JOB),
    deadLetters.discard('nobody-000000000003'),
  ]);

  expect(discarded.rows).toBe(0);
  expect(await countIn('dead-letters')).toEqual({ visible: MANY + own - redriven.rows, hidden: 0 });
  // What the other one had in its hands until the end is said.
  expect(redriven.missed).toBeGreaterThanOrEqual(own - redriven.rows);
}, 60_000);

it('says how many somebody else has hidden', async () => {
  const deadLetters = await start();
  await send([task(JOB, 1), task(JOB, 2)]);
  const [hidden] = await queues.receive('dead-letters', { MaxNumberOfMessages: 1 });

  expect(hidden).toBeDefined();
  expect(await deadLetters.redrive(JOB)).toEqual({ rows: 1, missed: 1 });
}, 60_000);

it('loses nothing when it is interrupted, and what it held can be seen again', async () => {
  await start();
  await send(mixed(MANY, 50));
  const all = (await countIn('dead-letters')).visible;
  const ending = new AbortController();
  const { read } = openDeadLetters(queues.sqs, queues.urlOf('dead-letters'), ending.signal, MOST_HELD);
  let met = 0;

  const walk = read(() => {
    met += 1;
    if (met === 500) ending.abort(new Error('Ctrl-C'));
  });

  await expect(walk).rejects.toThrow('Ctrl-C');
  expect(await countIn('dead-letters')).toEqual({ visible: all, hidden: 0 });
}, 60_000);

it('keeps a message in its place that has no room for a mark', async () => {
  const deadLetters = await start();
  await send(mixed(MANY, 50));
  const attributes = Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`a${n}`, 'x']));
  await sqsQueue({ client: queues.sqs, queueUrl: queues.urlOf('dead-letters') }).send([{ body: 'hello', attributes }]);
  const { visible: all } = await countIn('dead-letters');
  let foreign = 0;

  await deadLetters.read(({ task: one }) => void (one ?? (foreign += 1)));

  expect(foreign).toBe(1);
  expect(await countIn('dead-letters')).toEqual({ visible: all, hidden: 0 });
}, 60_000);
