import { EventEmitter } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { AwsCall } from '../access-control.ts';
import { notImplemented, startJsonService, type JsonCall, type JsonServiceOptions } from '../json-service.ts';
import { describeDiskFault, watchDisk, type Disk } from '../disk.ts';
import { ServiceRefusal, statusAfter, suffer, type Faults } from '../service-refusal.ts';
import type { QueueDescription } from '../template/description.ts';
import { readInput } from './input.ts';
import { openMessageDatabase } from './message-database.ts';
import { OPERATIONS, type Sqs } from './operations.ts';
import { checkRedrive, nameIn, readQueue, type Queue } from './queue.ts';
import { expireMessages, releaseMessages } from './stored-messages.ts';

export interface QueuesOptions extends Pick<JsonServiceOptions, 'credentials' | 'region' | 'port'> {
  /** Where the messages lie; one server at a time. */
  readonly folder: string;
  readonly account: string;
  /** Called once for each request whose signature holds; what it throws refuses the request. */
  readonly record: (call: AwsCall) => void;
  /** Makes a request slow, or fail before or after it is applied. */
  readonly fault?: Faults | undefined;
  /** The disk that the folder is on; watched by itself when absent. */
  readonly disk?: Disk | undefined;
  /** What time it is for messages. */
  readonly nowMs?: () => number;
}

export interface RunningQueues {
  /** Without a slash at the end; a queue's URL is `<url>/<account>/<name>`. */
  readonly url: string;
  /** Makes queues, which hold what was left in them. Throws ServiceRefusal. */
  readonly create: (queues: readonly Pick<QueueDescription, 'name' | 'attributes'>[]) => void;
  /** Shows what is in flight: for a start before which everybody has died who could hold a message. */
  readonly release: () => void;
  readonly close: () => Promise<void>;
}

const EXPIRY_EVERY_MS = 60_000;

/** An SQS over a folder, on loopback: an accepted message is there after a kill. */
export async function startQueues(options: QueuesOptions): Promise<RunningQueues> {
  const { folder, region, account, nowMs = Date.now } = options;
  mkdirSync(folder, { recursive: true });
  const changes = new EventEmitter().setMaxListeners(0); // every receive that waits listens
  const changed = (queueName: string): void => void changes.emit(queueName);
  const database = openMessageDatabase(join(folder, 'messages.sqlite'), { nowMs, changed });
  const queues = new Map<string, Queue>();
  const setQueue: Sqs['setQueue'] = (name, attributes) => {
    const place = { name, arn: `arn:aws:sqs:${region}:${account}:${name}`, url: `${service.url}/${account}/${name}` };
    const queue = readQueue(place, attributes);
    checkRedrive(queue, queues);
    queues.set(name, queue);
  };
  const sqs: Sqs = { database, queues, moveTasks: [], setQueue, changes };
  const disk = options.disk ?? watchDisk({ folder });
  const answer = (call: JsonCall): Promise<object> => answerCall(sqs, { ...options, disk }, call);
  const service = await startJsonService({
    ...options,
    service: 'sqs',
    protocol: '1.0',
    nowMs: Date.now,
    answer,
    refusalHeaders,
  });
  const ofEach = (change: (queue: Queue) => void): void => database.transact(() => queues.forEach(change));
  const expire = (queue: Queue): void => expireMessages(database, queue);
  const expiry = setInterval(() => unlessRefused(() => ofEach(expire)), EXPIRY_EVERY_MS).unref();
  return {
    url: service.url,
    create: (described) => {
      for (const { name, attributes } of described) setQueue(name, attributes);
      // Once more, for a queue that came before its dead-letter queue.
      for (const queue of described.flatMap(({ name }) => queues.get(name) ?? [])) checkRedrive(queue, queues);
      ofEach(expire);
    },
    release: () => ofEach((queue) => releaseMessages(database, queue)),
    close: async () => {
      clearInterval(expiry);
      await service.close();
      database.close();
    },
  };
}

async function answerCall(
  sqs: Sqs,
  { region, account, record, fault, disk }: QueuesOptions & { readonly disk: Disk },
  call: JsonCall,
): Promise<object> {
  const { operation: name, accessKeyId, bytes, gone } = call;
  const operation = Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined;
  if (!operation) throw notImplemented(name);
  const input = readInput(call.input);
  const queueName = nameIn(input.QueueUrl ?? input.QueueName ?? input.SourceArn ?? '');
  // IAM knows a batch by the name of its single call. Source: service authorization reference, Amazon SQS.
  const action = `sqs:${name.replace(/Batch$/, '')}`;
  record({ service: 'sqs', action, resource: `arn:aws:sqs:${region}:${account}:${queueName}`, accessKeyId, bytes });
  const suffered = fault?.({ operation: name, resource: queueName });
  await suffer(suffered, faultOf);
  const answer = await disk.serve(name, () => operation(sqs, input, gone));
  const status = statusAfter(suffered);
  if (status !== undefined) throw faultOf(status);
  return answer;
}

/** What a disk refuses to expire now expires a minute later. */
function unlessRefused(expire: () => void): void {
  try {
    expire();
  } catch (error) {
    if (describeDiskFault(error) === undefined) throw error;
  }
}

/** The code that a refusal had before the JSON protocol, where it was another. Source: Amazon SQS API model, awsQueryError. */
function refusalHeaders({ code }: ServiceRefusal): Readonly<Record<string, string>> {
  if (!/Batch|^(QueueDoesNotExist|MessageNotInflight|UnsupportedOperation)$/.test(code)) return {};
  const former = code === 'QueueDoesNotExist' ? 'NonExistentQueue' : code;
  return { 'x-amzn-query-error': `AWS.SimpleQueueService.${former};Sender` };
}

const faultOf = (status: number): ServiceRefusal =>
  new ServiceRefusal(status, status === 503 ? 'ServiceUnavailable' : 'InternalFailure', 'Please try again.');
