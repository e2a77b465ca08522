import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';

import { openMessageDatabase } from '../../../../local/aws/sqs/message-database.ts';
import { readQueue } from '../../../../local/aws/sqs/queue.ts';
import { countMessages, deleteMessage, storeMessage, takeMessages } from '../../../../local/aws/sqs/stored-messages.ts';
import { arnOf, redriveTo } from './queues-here.ts';

const TURNS = 50;

it.each([
  ['standard', 'rows', {}],
  ['FIFO', 'events.fifo', { FifoQueue: 'true' }],
])('is no slower with a hundred thousand messages waiting in a %s queue', (_kind, name, attributes) => {
  const folder = mkdtempSync(join(tmpdir(), 'queues-'));
  const database = openMessageDatabase(join(folder, 'messages.sqlite'), { nowMs: Date.now, changed: () => undefined });
  onTestFinished(() => {
    database.close();
    rmSync(folder, { recursive: true });
  });
  const queue = readQueue({ name, arn: arnOf(name), url: '' }, { ...attributes, ...redriveTo('dead-letters') });
  let sent = 0;
  const send = (count: number): void =>
    database.transact(() => {
      for (let index = 0; index < count; index += 1) storeMessage(database, queue, messageOf((sent += 1), name));
    });
  const work = (): number => {
    const startedMs = performance.now();
    const messages = database.transact(() => takeMessages(database, queue, { most: 10, hiddenMs: 60_000 }));
    expect(messages).toHaveLength(10);
    database.transact(() => messages.forEach((message) => deleteMessage(database, queue, message)));
    database.transact(() => countMessages(database, queue));
    send(10);
    return performance.now() - startedMs;
  };

  send(100);
  const shallowMs = median(Array.from({ length: TURNS }, work));
  send(100_000);
  const deepMs = median(Array.from({ length: TURNS }, work));

  // A look at each message would take a hundred times as long.
  expect(deepMs).toBeLessThan(10 * shallowMs);
});

const messageOf = (index: number, queueName: string) => ({
  body: 'x'.repeat(400),
  attributes: '{}',
  group: `job-${index % 10}`,
  delayMs: 0,
  deduplicationId: queueName.endsWith('.fifo') ? String(index) : null,
  deduplicationScope: '',
});

const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0;
