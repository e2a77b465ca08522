import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { openDeadLetters, type DeadLetter } from '../../cli/dead-letter-queue.ts';
import { startStack, type LocalStack } from '../../local/stack.ts';
import { bundle } from '../../infra/bundles.ts';
import { completeSettings } from '../../shared/settings.ts';
import { readState } from '../../shared/job/state.ts';
import { bundledCode, synthesize } from '../../infra/synthesize.ts';
import { clientsOf, isReported, summaryIn, textOf, until, upload, type Clients } from './job-here.ts';
import { POISON } from './poisonous-rows.ts';
import { startSimulatorHere, type SimulatorHere } from './simulator-here.ts';
import { seededState } from '../../local/atlassian/seeds/seed.ts';

const HEALTHY = 57;
/** Long enough that a healthy row is done alone in a process that is new, on a machine that is busy with other tests: else it dies of the machine. */
const TIMEOUT_SECONDS = 5;
const folder = mkdtempSync(join(tmpdir(), 'rollcall-poison-'));
let simulator: SimulatorHere;
let stack: LocalStack;
let clients: Clients;

beforeAll(async () => {
  simulator = await startSimulatorHere();
  stack = await startStack({
    folder,
    synthesized: synthesize({
      stage: completeSettings({ worker: { timeoutSeconds: TIMEOUT_SECONDS, memoryMegabytes: 256 } }),
      outdir: join(folder, 'assembly'),
      code: (name) => (name === 'worker' ? Code.fromAsset(bundle('test/chaos/poisoned-worker.ts')) : bundledCode(name)),
    }),
    targets: simulator.targets,
    simulator: false,
  });
  clients = clientsOf(stack);
  await hasten();
}, 60_000);

afterAll(async () => {
  await stack.close();
  simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

it('loses nobody but the rows that end their worker: they are WORKER_DIED and dead letters, all others are done once', async () => {
  const poison = Object.values(POISON);
  const people = Array.from({ length: HEALTHY }, (_, index) => `user${String(index + 1).padStart(5, '0')}@example.com`);
  const emails = [...people.slice(0, 30), ...poison, ...people.slice(30)];
  await simulator.begin(stateWith());

  const { jobId, prefix } = await upload(clients, stack, {
    target: 'cloud',
    operation: 'membership',
    text: ['email,group', ...emails.map((email) => `${email},group-001`)].join('\n'),
  });
  await until('the job ended', async () => isReported(await readState(clients.results, jobId)), { forMs: 150_000 });

  const { counts, codes, state } = await summaryIn(clients.results, prefix);
  const report: Record<string, string>[] = parse(await textOf(clients.results, `${prefix}failed.csv`), {
    bom: true,
    columns: true,
  });
  expect({ state, codes }).toEqual({ state: 'completed', codes: { WORKER_DIED: poison.length } });
  expect(counts).toMatchObject({ rows: emails.length, changed: HEALTHY, failed: poison.length });
  expect(report.map(({ email, rollcall_code: code }) => [email, code])).toEqual(
    poison.map((email) => [email, 'WORKER_DIED']),
  );
  const letters: DeadLetter[] = [];
  const { read } = openDeadLetters(clients.sqs, stack.deadLetterQueueUrl, new AbortController().signal);
  await read((letter) => letters.push(letter));
  expect(letters.map(({ task, code }) => [task?.row, task?.generation, code]).toSorted()).toEqual(
    poison.map((_, index) => [30 + index, 1, 'WORKER_DIED']),
  );
  const writes = [...(await simulator.effective()).values()];
  expect(writes).toEqual(Array<number>(HEALTHY).fill(1));
  expect(stack.violations()).toEqual([]);
}, 180_000);

/** Two receives and three seconds, still longer than the time-out, where a stage has five and twelve at least: the same way, sooner. */
async function hasten(): Promise<void> {
  for (const [name, next] of [
    ['Tasks', 'Isolation'],
    ['Isolation', undefined],
  ] as const) {
    const RedrivePolicy = next && JSON.stringify({ deadLetterTargetArn: queue(next).arn, maxReceiveCount: 2 });
    const Attributes = { VisibilityTimeout: '3', ...(RedrivePolicy && { RedrivePolicy }) };
    await clients.sqs.send(new SetQueueAttributesCommand({ QueueUrl: queue(name).url, Attributes }));
  }
}

function queue(name: string) {
  const found = stack.description.queues.find(({ logicalId }) => logicalId.startsWith(name));
  if (!found) throw new Error(`There is no queue ${name}`);
  return found;
}

function stateWith() {
  const { cloud, dataCenter } = seededState({ users: HEALTHY, groupsPerUser: 0 });
  const [, person] = cloud.users;
  if (!person) throw new Error('The seed has no users');
  const more = Object.entries(POISON).map(([accountId, email]) => ({ ...person, email, accountId }));
  return { dataCenter, cloud: { ...cloud, users: [...cloud.users, ...more] } };
}
