import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { assemble } from '../../local/assembly.ts';
import { startStack, type LocalStack } from '../../local/stack.ts';
import { completeSettings } from '../../shared/settings.ts';
import { readState } from '../../shared/job/state.ts';
import { clientsOf, countIn, isReported, summaryIn, textOf, until, upload, type Clients } from './job-here.ts';

const RECEIVED = ['IntakeQueue', 'Validate', 'Plan', 'Enqueue', 'Tasks', 'Isolation', 'Events', 'Reports'];
/** No JSON, none of ours, and one of a version that nobody knows yet. */
const FOREIGN = ['hello', '{"hello":"world"}', '{"version":99,"kind":"enqueue","jobId":"people-000000000000"}'];
const WAIT = { forMs: 30_000 };
const folder = mkdtempSync(join(tmpdir(), 'rollcall-foreign-'));
let stack: LocalStack;
let clients: Clients;

beforeAll(async () => {
  stack = await startStack({ folder, synthesized: await assemble(completeSettings()) });
  clients = clientsOf(stack);
}, 60_000);

afterAll(async () => {
  await stack.close();
  rmSync(folder, { recursive: true, force: true });
});

it('sets a message that is not ours aside on every queue, with its reason and an alarm, and carries jobs out all the same', async () => {
  const { jobId, prefix } = await upload(clients, stack, {
    target: 'cloud',
    operation: 'suspend',
    text: 'email\nnobody@example.com',
  });
  // Into the job's own mailbox, ahead of what happens to it.
  for (const queue of receivedQueues()) for (const body of FOREIGN) await send(queue.url, body, jobId);

  await until('the job ended', async () => isReported(await readState(clients.results, jobId)), WAIT);
  await until('every message is finished', async () => (await inAllQueues()) === 0, WAIT);

  expect(await summaryIn(clients.results, prefix)).toMatchObject({
    state: 'completed',
    counts: { rows: 1, failed: 1 },
  });
  for (const { name } of receivedQueues()) {
    const kept = await brokenIn(name);
    expect(kept.map(({ body }) => body).toSorted()).toEqual(FOREIGN.toSorted());
    for (const { reason } of kept) expect(reason).toMatch(/^[A-Z].+\.$/);
  }
  expect(alarmLines()).toBe(RECEIVED.length * FOREIGN.length);
  // Nothing was retried: no function failed, and no queue of given-up messages holds any but the row's dead letter.
  expect(stack.usage().map(({ failures }) => failures)).toEqual(stack.usage().map(() => 0));
  expect(await countIn(clients, stack.deadLetterQueueUrl)).toBe(1);
  expect(stack.violations()).toEqual([]);
}, 60_000);

const receivedQueues = () =>
  RECEIVED.map((logicalName) => {
    const found = stack.description.queues.find(({ logicalId }) =>
      new RegExp(`^${logicalName}[0-9A-F]{8}$`).test(logicalId),
    );
    if (!found) throw new Error(`There is no queue ${logicalName}`);
    return found;
  });

const send = (QueueUrl: string, MessageBody: string, jobId: string): Promise<unknown> =>
  clients.sqs.send(
    new SendMessageCommand({
      QueueUrl,
      MessageBody,
      ...(QueueUrl.endsWith('.fifo') && { MessageGroupId: jobId, MessageDeduplicationId: crypto.randomUUID() }),
    }),
  );

/** Every queue but the one where the failed row lies. */
async function inAllQueues(): Promise<number> {
  const urls = stack.description.queues.map(({ url }) => url).filter((url) => url !== stack.deadLetterQueueUrl);
  const counts = await Promise.all(urls.map((url) => countIn(clients, url)));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function brokenIn(queueName: string): Promise<readonly { readonly reason: string; readonly body: string }[]> {
  const found = [];
  for await (const key of clients.results.list(`quarantine/${queueName}/`)) {
    found.push(JSON.parse(await textOf(clients.results, key)) as { reason: string; body: string }); // quarantined by us
  }
  return found;
}

/** The alarm counts these lines in the functions' logs. */
const alarmLines = (): number =>
  ['intake', 'splitter', 'planner', 'worker', 'coordinator', 'reporter']
    .map((name) => readFileSync(join(folder, 'logs', `${name}.log`), 'utf8').split('"message.quarantined"').length - 1)
    .reduce((sum, count) => sum + count, 0);
