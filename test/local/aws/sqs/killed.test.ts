import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { expect, it, onTestFinished } from 'vitest';

import { ACCOUNT, KEY, queuesHere, REGION, type QueuesHere } from './queues-here.ts';

const QUEUES = { rows: { VisibilityTimeout: '60' }, 'events.fifo': { FifoQueue: 'true' } };

it('has every message that was accepted and not deleted after the process was killed, each once', async () => {
  const { url, folder, kill } = await startProcess();
  const [accepted, deleted] = [new Set<string>(), new Set<string>()];
  const begun = new Set<string>();
  const senders = [0, 1, 2].map((lane) => sendUntilKilled(url, lane, accepted));
  const receivers = [0, 1].map(() => receiveUntilKilled(url, begun, deleted));
  await expect.poll(() => deleted.size, { timeout: 15_000, interval: 5 }).toBeGreaterThan(200);

  await kill();
  await Promise.all([...senders, ...receivers]);

  const here = await queuesHere(QUEUES, { folder });
  onTestFinished(() => here.close());
  here.pass(61); // what was in flight becomes visible
  const found = await drain(here, 'rows');
  expect(new Set(found).size).toBe(found.length);
  expect([...accepted].filter((body) => !found.includes(body) && !begun.has(body))).toEqual([]);
  expect(found.filter((body) => deleted.has(body))).toEqual([]);
});

it('shows what was in flight when its time is over, and at once when it is told that nobody holds it', async () => {
  const { url, folder, kill } = await startProcess();
  const QueueUrl = `${url}/${ACCOUNT}/rows`;
  const sqs = clientAt(url);
  await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: [{ Id: 'a', MessageBody: 'held' }] }));
  await sqs.send(
    new SendMessageBatchCommand({ QueueUrl, Entries: [{ Id: 'a', MessageBody: 'late', DelaySeconds: 900 }] }),
  );
  await sqs.send(new ReceiveMessageCommand({ QueueUrl }));

  await kill();

  const here = await queuesHere(QUEUES, { folder });
  onTestFinished(() => here.close());
  expect(await here.receive('rows')).toEqual([]);
  here.pass(61);
  const [message] = await here.receive('rows');
  expect([message?.Body, message?.Attributes?.ApproximateReceiveCount]).toEqual(['held', '2']);
  here.release();
  const [again] = await here.receive('rows');
  expect([again?.Body, again?.Attributes?.ApproximateReceiveCount]).toEqual(['held', '3']);
});

it('remembers what it has deduplicated', async () => {
  const { url, folder, kill } = await startProcess();
  const message = { MessageBody: 'x', MessageGroupId: 'job', MessageDeduplicationId: 'once' };
  const sendTo = (sqs: SQSClient, base: string) =>
    sqs.send(
      new SendMessageBatchCommand({ QueueUrl: `${base}/${ACCOUNT}/events.fifo`, Entries: [{ Id: 'a', ...message }] }),
    );
  await sendTo(clientAt(url), url);

  await kill();

  const here = await queuesHere(QUEUES, { folder });
  onTestFinished(() => here.close());
  await sendTo(here.sqs, here.url);
  expect(await here.receive('events.fifo')).toHaveLength(1);
});

async function startProcess() {
  const folder = mkdtempSync(join(tmpdir(), 'queues-'));
  const script = join(import.meta.dirname, 'queues-process.ts');
  const child = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [url] = (await once(createInterface(child.stdout), 'line')) as [string]; // a line is text
  const kill = async (): Promise<void> => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  return { url, folder, kill };
}

const clientAt = (endpoint: string): SQSClient =>
  new SQSClient({ endpoint, region: REGION, credentials: KEY, maxAttempts: 1 });

async function sendUntilKilled(url: string, lane: number, accepted: Set<string>): Promise<void> {
  const sqs = clientAt(url);
  try {
    for (let batch = 0; ; batch += 1) {
      const Entries = Array.from({ length: 10 }, (_, index) => ({
        Id: String(index),
        MessageBody: `${lane}/${batch}/${index}`,
      }));
      await sqs.send(new SendMessageBatchCommand({ QueueUrl: `${url}/${ACCOUNT}/rows`, Entries }));
      for (const { MessageBody: body } of Entries) accepted.add(body);
    }
  } catch {
    sqs.destroy(); // the server is gone
  }
}

async function receiveUntilKilled(url: string, begun: Set<string>, deleted: Set<string>): Promise<void> {
  const sqs = clientAt(url);
  const QueueUrl = `${url}/${ACCOUNT}/rows`;
  try {
    for (;;) {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
      if (Messages.length === 0) continue;
      const bodies = Messages.map(({ Body = '' }) => Body);
      const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
      for (const body of bodies) begun.add(body);
      await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
      for (const body of bodies) deleted.add(body);
    }
  } catch {
    sqs.destroy(); // the server is gone
  }
}

async function drain(here: QueuesHere, name: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (;;) {
    const messages = await here.receive(name);
    if (messages.length === 0) return found;
    found.push(...messages.map(({ Body = '' }) => Body));
  }
}
