import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it, onTestFinished } from 'vitest';

import { openMessageDatabase, type MessageDatabase } from '../../../../local/aws/sqs/message-database.ts';
import { readQueue } from '../../../../local/aws/sqs/queue.ts';
import { countMessages, deleteMessage, storeMessage, takeMessages } from '../../../../local/aws/sqs/stored-messages.ts';
import { arnOf, redriveTo } from './queues-here.ts';

it.each([
  ['standard', 'tasks', {}],
  ['FIFO', 'events.fifo', { FifoQueue: 'true' }],
])('looks at no more messages the more there are waiting in a %s queue', (_kind, name, attributes) => {
  const folder = mkdtempSync(join(tmpdir(), 'queues-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'messages.sqlite');
  const opened = openMessageDatabase(path, { nowMs: Date.now, changed: () => undefined });
  const statements = new Set<string>();
  const database: MessageDatabase = {
    ...opened,
    run: (statement, values) => (statements.add(statement), opened.run(statement, values)),
    rows: (statement, values) => (statements.add(statement), opened.rows(statement, values)),
  };
  const queue = readQueue({ name, arn: arnOf(name), url: '' }, { ...attributes, ...redriveTo('dead-letters') });

  database.transact(() => {
    for (let index = 0; index < 20; index += 1) storeMessage(database, queue, messageOf(index, name));
  });
  const messages = database.transact(() => takeMessages(database, queue, { most: 10, hiddenMs: 60_000 }));
  database.transact(() => messages.forEach((message) => deleteMessage(database, queue, message)));
  database.transact(() => countMessages(database, queue));
  database.close();

  expect(messages).toHaveLength(10);
  expect(statements.size).toBeGreaterThan(3);
  expect([...statements].flatMap((statement) => scansIn(path, statement))).toEqual([]);
});

/** The steps of SQLite's plan that read a table of messages from end to end. (SQLite documentation, EXPLAIN QUERY PLAN.) */
function scansIn(path: string, statement: string): readonly string[] {
  const database = new DatabaseSync(path);
  const steps = database
    .prepare(`EXPLAIN QUERY PLAN ${statement}`)
    .all()
    .map(({ detail }) => String(detail));
  database.close();
  return steps.filter((step) => /^SCAN (?:messages|sent)\b(?!.* USING )/.test(step));
}

const messageOf = (index: number, queueName: string) => ({
  body: 'x'.repeat(400),
  attributes: '{}',
  group: `job-${index % 10}`,
  delayMs: 0,
  deduplicationId: queueName.endsWith('.fifo') ? String(index) : null,
  deduplicationScope: '',
});
