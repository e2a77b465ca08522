import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';

import { type Consent, followApproving } from '../../cli/approval.ts';
import type { Followed } from '../../cli/jobs.ts';
import { clientEnvironment } from '../../local/aws/services.ts';
import type { LocalStack } from '../../local/stack.ts';
import { s3Client, sqsClient } from '../../shared/aws/clients.ts';
import { invokeFunction } from '../../shared/aws/invoke-function.ts';
import { s3ObjectStore } from '../../shared/aws/s3-object-store.ts';
import { isolatedKey, jobIdOf, noticeKey } from '../../shared/job/keys.ts';
import type { Command } from '../../shared/job/job.ts';
import type { Task } from '../../shared/job/messages.ts';
import { isStored, type ObjectStore } from '../../shared/ports.ts';
import { CANARY } from './canaries.ts';
import { ERRANDS, LARGE, type Errand } from './manifests.ts';

interface World {
  readonly stack: LocalStack;
  /** The simulator's URL. */
  readonly atlassian: string;
  readonly s3: S3Client;
  readonly sqs: SQSClient;
  readonly inbox: ObjectStore;
  readonly results: ObjectStore;
  readonly signal: AbortSignal;
}

interface Dropped {
  readonly errand: Errand;
  readonly jobId: string;
  readonly key: string;
  readonly versionId: string | undefined;
}

/** What became of an errand. */
export interface Ended extends Followed {
  readonly errand: Errand;
}

/** Does with a stack everything that can be done with it, as far as its functions have anything to do with it. */
export async function exercise(stack: LocalStack, atlassian: string, signal: AbortSignal): Promise<readonly Ended[]> {
  const environment = clientEnvironment(stack);
  const [s3, sqs] = [s3Client(environment), sqsClient(environment)];
  const world = {
    stack,
    atlassian,
    s3,
    sqs,
    signal,
    inbox: s3ObjectStore({ client: s3, bucket: stack.inboxBucket }),
    results: s3ObjectStore({ client: s3, bucket: stack.resultsBucket }),
  };
  try {
    await limitOneWrite(world);
    await sendRubbish(world);
    await misspell(world);
    const dropped = await Promise.all(ERRANDS.map((errand, index) => drop(world, errand, index)));
    const large = await drop(world, LARGE, ERRANDS.length);
    await pauseAndResume(world, large);
    const ended = await Promise.all([...dropped, large].map((one) => follow(world, one)));
    await cancelWithoutManifest(world, dropped);
    await tryAlone(world, large);
    await stack.checkCredentials();
    return ended;
  } finally {
    s3.destroy();
    sqs.destroy();
  }
}

async function drop({ stack, s3 }: World, errand: Errand, index: number): Promise<Dropped> {
  const key = `${errand.target}/${errand.operation}/${CANARY} + é/${CANARY} ${index}.csv`;
  const { VersionId: versionId } = await s3.send(
    new PutObjectCommand({ Bucket: stack.inboxBucket, Key: key, Body: errand.text, Metadata: errand.metadata }),
  );
  return { errand, key, versionId, jobId: jobIdOf({ bucket: stack.inboxBucket, key, versionId }) };
}

/** To its end, approving what waits. */
async function follow({ results, inbox, signal }: World, { errand, jobId }: Dropped): Promise<Ended> {
  const prefixes = [`${errand.target}/${errand.operation}/${jobId}/`, `rejected/${jobId}/`];
  const consent: Consent = async ({ summary }) => summary.waiting?.reasons.map(({ code }) => code);
  return { errand, ...(await followApproving({ jobId, inbox, results, prefixes, consent, signal })) };
}

async function pauseAndResume(world: World, { errand, jobId }: Dropped): Promise<void> {
  const status = `${errand.target}/${errand.operation}/${jobId}/status.json`;
  const says = async (state: string) => (await (await world.results.read(status))?.text())?.includes(`"${state}"`);
  await until(() => says('waiting'), world.signal);
  await command(world, jobId, 'pause');
  await until(() => says('paused'), world.signal);
  await world.stack.reconcile();
  await command(world, jobId, 'resume');
}

/** Commands that there are not, and for a job that there is not: told where whoever sent them can read it. */
async function misspell(world: World): Promise<void> {
  const nobody = `${CANARY}-0123456789ab`;
  for (const asked of ['puase', 'resume']) {
    const key = `control/${nobody}/${asked}`;
    await world.inbox.write(key, '');
    await until(() => isStored(world.results, noticeKey(key)), world.signal);
  }
  const payload = { command: 'pause', job: nobody };
  await invokeFunction({
    environment: clientEnvironment(world.stack),
    functionName: world.stack.intakeFunctionName,
    payload,
  });
}

/** A halted job whose manifest somebody took away, which is then cancelled: its report has to be written all the same. */
async function cancelWithoutManifest(world: World, dropped: readonly Dropped[]): Promise<void> {
  const halted = dropped.find(({ errand }) => errand.ends === 'halted');
  if (!halted) throw new Error('No errand is halted');
  const { key, versionId, jobId, errand } = halted;
  await world.s3.send(new DeleteObjectCommand({ Bucket: world.stack.inboxBucket, Key: key, VersionId: versionId }));
  await command(world, jobId, 'cancel');
  const summary = `${errand.target}/${errand.operation}/${jobId}/summary.json`;
  await until(async () => (await (await world.results.read(summary))?.text())?.includes('cancelled'), world.signal);
}

/** A row comes to the isolation queue as if its batch had died, twice: it is tried alone once. */
async function tryAlone(world: World, { errand, jobId }: Dropped): Promise<void> {
  const job = { ...errand, jobId };
  for (let times = 0; times < 2; times += 1) await send(world, 'Isolation', JSON.stringify(taskOf(job)));
  // The row has its outcome already, so nothing else tells that both have been handled.
  const isTried = () => isStored(world.results, isolatedKey(jobId, 0, 0));
  await until(async () => (await isTried()) && (await countMessages(world, 'Isolation')) === 0, world.signal);
}

async function countMessages({ stack, sqs }: World, name: string): Promise<number> {
  const queue = stack.description.queues.find(({ logicalId }) => new RegExp(`^${name}[0-9A-F]{8}$`).test(logicalId));
  const { Attributes: counts = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queue?.url, AttributeNames: ['All'] }),
  );
  const { ApproximateNumberOfMessages: waiting, ApproximateNumberOfMessagesNotVisible: inFlight } = counts;
  return Number(waiting) + Number(inFlight);
}

type JobName = Pick<Task, 'jobId' | 'target' | 'operation'>;

const taskOf = ({ jobId, target, operation }: JobName): Task => ({
  version: 2,
  kind: 'row',
  jobId,
  target,
  operation,
  row: 0,
  line: 2,
  cells: { email: `${CANARY}.0@nowhere.example`, groupName: 'engineering' },
  generation: 0,
  attempts: 0,
});

/** So that a row is handed back once and sent again. */
async function limitOneWrite({ atlassian }: World): Promise<void> {
  const refusal = { account: 'yusuf.demir@example.com', status: 429, headers: { 'Retry-After': '1' }, times: 1 };
  await fetch(`${atlassian}/_simulator/behaviour`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ refusedWrites: [refusal] }),
  });
}

const RECEIVED = [
  'IntakeQueue',
  'Validate',
  'Plan',
  'Enqueue',
  'Tasks',
  'Isolation',
  'Events',
  'Reports',
  'NoticesQueue',
] as const;

/** A message that is not ours on every queue, and one that speaks of an object and a job which are not there. */
async function sendRubbish(world: World): Promise<void> {
  for (const queue of RECEIVED)
    await send(world, queue, JSON.stringify({ version: 99, note: `${CANARY}@example.com` }));
  const object = { key: `cloud/membership/${CANARY}/gone.csv`, size: 1, versionId: 'gone' };
  const bucket = { name: world.stack.inboxBucket };
  await send(
    world,
    'IntakeQueue',
    JSON.stringify({ Records: [{ eventName: 'ObjectCreated:Put', s3: { bucket, object } }] }),
  );
  await send(
    world,
    'Tasks',
    JSON.stringify(taskOf({ jobId: 'nowhere-0123456789ab', target: 'cloud', operation: 'suspend' })),
  );
  await command(world, `${CANARY.toLowerCase()}-0123456789ab`, 'puase' as Command); // as it is misspelt
  await send(world, 'Reports', JSON.stringify({ version: 1, kind: 'report', jobId: `${CANARY}-0`, revision: 1 }));
}

async function send({ stack, sqs }: World, name: (typeof RECEIVED)[number], body: string): Promise<void> {
  const queue = stack.description.queues.find(({ logicalId }) => new RegExp(`^${name}[0-9A-F]{8}$`).test(logicalId));
  if (!queue) throw new Error(`There is no queue ${name}`);
  const fifo = name === 'Events' ? { MessageGroupId: 'x', MessageDeduplicationId: crypto.randomUUID() } : {};
  await sqs.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody: body, ...fifo }));
}

async function command({ s3, stack }: World, jobId: string, asked: Command): Promise<void> {
  await s3.send(
    new PutObjectCommand({ Bucket: stack.inboxBucket, Key: `control/${jobId}/${asked}`, Body: '', ContentLength: 0 }),
  );
}

async function until(holds: () => Promise<boolean | undefined>, signal: AbortSignal): Promise<void> {
  while (!(await holds())) await sleep(100, undefined, { signal });
}
