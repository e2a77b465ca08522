import { setImmediate as nextTurn } from 'node:timers/promises';
import { DeleteMessageCommand, type Message as Received } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { sqsQueue } from '../../shared/aws/sqs-queue.ts';
import type { Message } from '../../shared/ports.ts';
import { memoryQueue } from '../fakes/memory-queue.ts';
import { queuesHere, redriveTo, type QueuesHere } from '../local/aws/sqs/queues-here.ts';
import { createFaults } from '../simulation/faults.ts';
import { createProcess } from '../simulation/process.ts';
import { createQueue, queuePort, type Parcel, type SimulatedQueue } from '../simulation/simulated-queue.ts';
import { createWorld } from '../simulation/world.ts';
import { queueContract } from './queue-contract.ts';
import { MAX_RECEIVES, queueDeliveryContract, VISIBILITY_SECONDS } from './queue-delivery-contract.ts';

let here: QueuesHere;
let queues = 0;

beforeAll(async () => {
  here = await queuesHere({});
});
afterAll(() => here.close());

queueContract('the queue in memory', () => {
  const queue = memoryQueue();
  return { queue, received: async () => queue.messages.filter(({ delaySeconds }) => !delaySeconds) };
});

queueContract('the adapter over SQS', () => {
  const name = newQueue(false);
  return { queue: adapterOver(name), received: async () => (await receiveAll(name)).map(messageOf) };
});

queueContract('the simulated queue', () => {
  const { queue, send } = simulate(false);
  return { queue: { send }, received: async () => takeAll(queue).map(({ parcel }) => parcelMessage(parcel)) };
});

queueDeliveryContract('the emulator of SQS', async ({ fifo }) => {
  const name = newQueue(fifo);
  return {
    send: adapterOver(name).send,
    receive: async () =>
      (await receiveAll(name)).map((received) => ({
        body: messageOf(received).body,
        groupId: received.Attributes?.MessageGroupId,
        receives: Number(received.Attributes?.ApproximateReceiveCount),
        delete: () =>
          here.sqs.send(
            new DeleteMessageCommand({ QueueUrl: here.urlOf(name), ReceiptHandle: received.ReceiptHandle }),
          ),
      })),
    deadLetters: async () => (await receiveAll(`dead-${name}`)).map((received) => messageOf(received).body),
    pass: async (seconds) => here.pass(seconds),
  };
});

queueDeliveryContract('the simulated queue', async ({ fifo }) => {
  const { world, queue, dead, send } = simulate(fifo);
  return {
    send,
    receive: async () =>
      takeAll(queue).map((received) => ({
        body: parcelMessage(received.parcel).body,
        groupId: received.parcel.groupId,
        receives: received.parcel.receives,
        delete: async () => queue.delete(received),
      })),
    deadLetters: async () => dead.parcels().map((parcel) => parcelMessage(parcel).body),
    pass: async (seconds) => {
      let isOver = false;
      world.after(seconds * 1_000, () => (isOver = true));
      while (!isOver) await world.step();
    },
  };
});

it('puts a message into its group of a FIFO queue, once for each deduplication id', async () => {
  const name = newQueue(true);

  await adapterOver(name).send([
    { body: 1, groupId: 'job-1', deduplicationId: 'a' },
    { body: 1, groupId: 'job-1', deduplicationId: 'a' },
    { body: 2, groupId: 'job-2', deduplicationId: 'b' },
  ]);

  const groups = (await receiveAll(name)).map(({ Body, Attributes }) => [Body, Attributes?.MessageGroupId]);
  expect(groups.toSorted()).toEqual([
    ['1', 'job-1'],
    ['2', 'job-2'],
  ]);
});

/** In the emulator, with a queue for its dead letters. */
function newQueue(fifo: boolean): string {
  queues += 1;
  const name = fifo ? `queue-${queues}.fifo` : `queue-${queues}`;
  const kind: Readonly<Record<string, string>> = fifo ? { FifoQueue: 'true' } : {};
  here.create({
    [`dead-${name}`]: kind,
    [name]: { ...kind, VisibilityTimeout: String(VISIBILITY_SECONDS), ...redriveTo(`dead-${name}`, MAX_RECEIVES) },
  });
  return name;
}

const adapterOver = (name: string) => sqsQueue({ client: here.sqs, queueUrl: here.urlOf(name) });

async function receiveAll(name: string): Promise<readonly Received[]> {
  const all: Received[] = [];
  for (;;) {
    const messages = await here.receive(name);
    if (messages.length === 0) return all;
    all.push(...messages);
  }
}

function messageOf({ Body = '', MessageAttributes }: Received): Message {
  const named = Object.entries(MessageAttributes ?? {}).map(([name, { StringValue = '' }]) => [name, StringValue]);
  return { body: JSON.parse(Body), ...(named.length > 0 && { attributes: Object.fromEntries(named) }) };
}

/** In a world in which nothing goes wrong. */
function simulate(fifo: boolean) {
  const world = createWorld(1);
  const faults = createFaults([]);
  const dead = createQueue({ name: 'dead', fifo }, world, faults);
  const redrive = { to: dead, maxReceiveCount: MAX_RECEIVES, countGoesOn: true };
  const queue = createQueue({ name: 'queue', fifo, visibilitySeconds: VISIBILITY_SECONDS, redrive }, world, faults);
  const port = queuePort(queue, createProcess('sender', world, faults), faults);
  const send = async (messages: readonly Message[]): Promise<void> => {
    let isSettled = false;
    const sent = port.send(messages);
    const settled = sent.then(
      () => (isSettled = true),
      () => (isSettled = true),
    );
    // What it waits for has been arranged by then.
    for (await nextTurn(); !isSettled; await nextTurn()) await world.step();
    await settled;
    await sent;
  };
  return { world, queue, dead, send };
}

function takeAll(queue: SimulatedQueue) {
  const all = [];
  while (queue.hasVisible()) all.push(...queue.receive(10));
  return all;
}

const parcelMessage = ({ body, attributes }: Parcel): Message => ({
  body: JSON.parse(body),
  ...(attributes && { attributes }),
});
