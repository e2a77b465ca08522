import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ListMessageMoveTasksCommand, StartMessageMoveTaskCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';

import { claimFolder } from '../../cli/local-stack.ts';
import { assemble } from '../../local/assembly.ts';
import { startStack, type LocalStack } from '../../local/stack.ts';
import { completeSettings } from '../../shared/settings.ts';
import { sqsQueue } from '../../shared/aws/sqs-queue.ts';
import { readState } from '../../shared/job/state.ts';
import type { Summary } from '../../shared/job/summary.ts';
import { clientsOf, countIn, isReported, summaryIn, textOf, until, upload, type Clients } from '../chaos/job-here.ts';

const COMMAND = fileURLToPath(new URL('../../cli/rollcall.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'rollcall-dead-letters-'));
const WAIT = { forMs: 30_000 };
let stack: LocalStack;
let clients: Clients;

beforeAll(async () => {
  // Without a window in which batches are gathered, a job of a few rows is done at once.
  const stage = completeSettings({ worker: { batchSize: 10, batchingWindowSeconds: 0 } });
  stack = await startStack({ folder, synthesized: await assemble(stage) });
  claimFolder(folder).announce(stack);
  clients = clientsOf(stack);
}, 60_000);

beforeEach(async () => {
  await control('PATCH', 'behaviour', { refusedWrites: [] });
  await control('PUT', 'state', { seed: { users: 20, groups: 2, groupsPerUser: 0 } });
});

afterAll(async () => {
  await stack.close();
  rmSync(folder, { recursive: true, force: true });
});

it('counts, shows and redrives the dead letters of one job, leaves those of others where they are, and its report is revised', async () => {
  await refuse(2, 4, 11);
  const job = await runFor([1, 2, 3, 4]);
  const other = await runFor([11]);
  expect((await reportOf(job)).counts).toMatchObject({ changed: 2, failed: 2 });

  const list = await rollcall('dead-letters', 'list');
  const shown = await rollcall('dead-letters', 'show', job.jobId);
  await refuse();
  const redriven = await rollcall('dead-letters', 'redrive', job.jobId);
  const report = await revisionOf(job, 2);

  expect(list).toMatch(new RegExp(`${job.jobId} +│ cloud +│ membership +│ FORBIDDEN +│ +2 │`));
  expect(list).toMatch(new RegExp(`${other.jobId} +│ cloud +│ membership +│ FORBIDDEN +│ +1 │`));
  expect(shown).toMatch(/│ +3 │ FORBIDDEN +│ infrastructure +│ 1 +│ 403 +│ [0-9a-f]{32} +│ +0 │/);
  expect(shown).toMatch(/│ +5 │ FORBIDDEN/);
  expect(redriven).toContain('Sent 2 rows');
  expect(report).toMatchObject({ state: 'completed', counts: { rows: 4, changed: 4, failed: 0 } });
  expect(await countDeadLetters()).toBe(1);
  expect(await rollcall('dead-letters', 'list')).toContain(other.jobId);

  await rollcall('dead-letters', 'redrive', other.jobId);
  await revisionOf(other, 2);
  expect(await countDeadLetters()).toBe(0);
}, 60_000);

it('discards the dead letters of one job, and leaves those of others', async () => {
  await refuse(15, 16);
  const [job, other] = [await runFor([15]), await runFor([16])];
  await Promise.all([reportOf(job), reportOf(other)]);

  const discarded = await rollcall('dead-letters', 'discard', job.jobId);

  expect(discarded).toContain(`Discarded 1 row of ${job.jobId}`);
  expect(await countDeadLetters()).toBe(1);
  await expect(rollcall('dead-letters', 'discard', job.jobId)).rejects.toThrow('no dead letters');
  await rollcall('dead-letters', 'discard', other.jobId);
}, 60_000);

it('redrives a row once, and keeps one dead letter, of the next generation, of one that fails again', async () => {
  await refuse(5);
  const job = await runFor([5]);
  await reportOf(job);

  await rollcall('dead-letters', 'redrive', job.jobId);
  const report = await revisionOf(job, 2);
  const shown = await rollcall('dead-letters', 'show', job.jobId);

  expect(report.counts).toMatchObject({ rows: 1, failed: 1 });
  expect(shown).toMatch(/│ +2 │ FORBIDDEN +│ infrastructure +│ 1 +│ 403 +│ [0-9a-f]{32} +│ +1 │/);
  expect(await countDeadLetters()).toBe(1);
}, 60_000);

it("takes rows back that SQS's own redrive moves to the tasks queue", async () => {
  const source = queue('DeadLetters');
  await refuse(6);
  const job = await runFor([6]);
  await reportOf(job);
  const before = await countDeadLetters();

  await refuse();
  await clients.sqs.send(
    new StartMessageMoveTaskCommand({ SourceArn: source.arn, DestinationArn: queue('Tasks').arn }),
  );
  const report = await revisionOf(job, 2);
  const tasks = await clients.sqs.send(new ListMessageMoveTasksCommand({ SourceArn: source.arn }));

  expect(report.counts).toMatchObject({ rows: 1, changed: 1, failed: 0 });
  expect(tasks.Results?.[0]).toMatchObject({ Status: 'COMPLETED', ApproximateNumberOfMessagesMoved: before });
  await until('the dead letters are gone', async () => (await countDeadLetters()) === 0, WAIT);
}, 60_000);

it('makes a new job of the same file dropped again, in which rows that are done come out unchanged', async () => {
  await refuse(3);
  const first = await runFor([1, 2, 3]);
  await reportOf(first);

  await refuse();
  const second = await runFor([1, 2, 3]);
  await until('it waits', async () => (await readState(clients.results, second.jobId))?.state === 'waiting', WAIT);
  const waiting = await readState(clients.results, second.jobId);
  await rollcall('approve', second.jobId, '--accept', 'REPEATED_FILE');
  const report = await reportOf(second);

  expect(second.jobId).not.toBe(first.jobId);
  expect(waiting?.waitReasons.map(({ code }) => code)).toEqual(['REPEATED_FILE']);
  expect(report).toMatchObject({ counts: { rows: 3, unchanged: 2, changed: 1 } });
}, 60_000);

it('resume takes up the row that met the refusal, so that it is no dead letter', async () => {
  const state = await control<{ cloud: { credentials: { jira: object[]; organisation: object[] } } }>('GET', 'state');
  const { cloud } = state;
  await control('PUT', 'state', { ...state, cloud: { ...cloud, credentials: { jira: [], organisation: [] } } });
  const job = await runFor([1, 2, 3, 4, 5]);
  await until('it is halted', async () => (await readState(clients.results, job.jobId))?.state === 'halted', WAIT);

  await control('PUT', 'state', state);
  const resumed = await rollcall('resume', job.jobId);
  const report = await reportOf(job);

  expect(resumed).toContain(`Sent resume to ${job.jobId}.`);
  expect(report).toMatchObject({ state: 'completed', counts: { changed: 5, failed: 0 } });
}, 60_000);

it('plans a row again that its plan refused: redriven, it is changed once the person is there', async () => {
  const job = await runFor([99]);
  const report = await reportOf(job);
  const shown = await rollcall('dead-letters', 'show', job.jobId);

  await control('PUT', 'state', { seed: { users: 120, groups: 2, groupsPerUser: 0 } });
  await rollcall('dead-letters', 'redrive', job.jobId);
  const revised = await revisionOf(job, 2);

  expect(report).toMatchObject({ counts: { failed: 1 }, codes: { USER_NOT_FOUND: 1 } });
  expect(shown).toMatch(/│ +2 │ USER_NOT_FOUND +│ row +│ 0 +│/);
  expect(revised).toMatchObject({ state: 'completed', counts: { rows: 1, changed: 1, failed: 0 } });
}, 60_000);

it('says that there is nothing to redrive, and of what', async () => {
  const job = await runFor([7]);
  await reportOf(job);

  await expect(rollcall('dead-letters', 'redrive', job.jobId)).rejects.toThrow(`no dead letters of ${job.jobId}`);
  await expect(rollcall('dead-letters', 'redrive', 'nobody-000000000000')).rejects.toThrow('There is no job nobody');
}, 60_000);

it('leaves messages alone that are no dead letters of ours', async () => {
  const deadLetters = sqsQueue({ client: clients.sqs, queueUrl: stack.deadLetterQueueUrl });
  await deadLetters.send([{ body: 'hello' }]);
  const count = await countDeadLetters();

  expect(await rollcall('dead-letters', 'list')).toContain('(not from Rollcall)');
  expect(await countDeadLetters()).toBe(count);
}, 60_000);

it('discards the dead letters of one job, whose rows stay failed', async () => {
  await refuse(8, 9);
  const job = await runFor([8, 9]);
  const other = await runFor([10]);
  await reportOf(job);
  await reportOf(other);
  const before = await countDeadLetters();

  const discarded = await rollcall('dead-letters', 'discard', job.jobId);

  expect(discarded).toContain(`Discarded 2 rows of ${job.jobId}`);
  expect(await countDeadLetters()).toBe(before - 2);
  await expect(rollcall('dead-letters', 'show', job.jobId)).rejects.toThrow('no dead letters');
  expect((await reportOf(job)).counts).toMatchObject({ failed: 2 });
}, 60_000);

interface Uploaded {
  readonly jobId: string;
  readonly prefix: string;
}

/** A job that adds these people to the first group. */
const runFor = (people: readonly number[]): Promise<Uploaded> =>
  upload(clients, stack, {
    target: 'cloud',
    operation: 'membership',
    text: ['email,group', ...people.map((n) => `${emailOf(n)},group-001`)].join('\n'),
  });

const emailOf = (n: number): string => `user${String(n).padStart(5, '0')}@example.com`;

/** The report of a job that has ended and has nothing more to say. */
async function reportOf({ jobId, prefix }: Uploaded): Promise<Summary> {
  await until('it is reported', async () => isReported(await readState(clients.results, jobId)), WAIT);
  return summaryIn(clients.results, prefix);
}

async function revisionOf(job: Uploaded, revision: number): Promise<Summary> {
  const isThere = async (): Promise<boolean> =>
    (JSON.parse(await textOf(clients.results, `${job.prefix}summary.json`)) as Summary).revision >= revision;
  await until(`revision ${revision}`, isThere, WAIT).catch(async (cause: unknown) => {
    throw new Error(`revision ${revision} did not come; ${await whereItStands(job)}`, { cause });
  });
  return reportOf(job);
}

/** What tells a row that is late from one that is lost: it failed so once, in CI, and never where it could be looked at. */
async function whereItStands({ jobId }: Uploaded): Promise<string> {
  const known = await readState(clients.results, jobId);
  const { state, revision, reportDue, outbox, outcomes, recentEvents } = known ?? {};
  const generations = [...(known?.generations ?? [])];
  const messages: Record<string, number> = {};
  for (const { logicalId, url } of stack.description.queues) messages[logicalId] = await countIn(clients, url);
  return JSON.stringify({ state, revision, reportDue, outbox, outcomes, generations, recentEvents, messages });
}

const countDeadLetters = (): Promise<number> => countIn(clients, stack.deadLetterQueueUrl);

function queue(name: string) {
  const found = stack.description.queues.find(({ logicalId }) => logicalId.startsWith(name));
  if (!found) throw new Error(`There is no queue ${name}`);
  return found;
}

/** Atlassian refuses what is asked for these people, and nobody else. */
const refuse = (...people: readonly number[]): Promise<unknown> =>
  control('PATCH', 'behaviour', { refusedWrites: people.map((n) => ({ account: emailOf(n), status: 403 })) });

async function control<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  const answer = await fetch(`${stack.atlassian}/_simulator/${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return (text === '' ? undefined : JSON.parse(text)) as Answer; // docs/simulator.md says what each answers
}

/** The command's stdout; throws with its stderr when it fails. */
function rollcall(...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [COMMAND, ...args, '--folder', folder], (error, stdout, stderr) => {
      if (error) reject(new Error(`${stdout}${stderr}`, { cause: error }));
      else resolve(stdout);
    });
  });
}
