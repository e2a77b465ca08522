import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';

import type { Faults } from './faults.ts';
import type { SimulatedFunction } from './simulated-function.ts';
import type { Parcel, Received, SimulatedQueue } from './simulated-queue.ts';
import type { World } from './world.ts';

export interface EventSourceOptions {
  readonly queue: SimulatedQueue;
  readonly to: SimulatedFunction;
  readonly batchSize: number;
  readonly windowMs?: number;
  /** Called when a message is about to go because its function is done with it. */
  readonly onDone?: (received: Received) => void;
}

/** The least that an SQS event source takes, and what the stack gives each of its own. */
const MAX_CONCURRENCY = 2;
const LONGEST_POLL_MS = 50;

/** Hands a function the messages of a queue, and deletes those that it is done with. */
export function connect(options: EventSourceOptions, world: World, faults: Faults): void {
  const { queue, to, batchSize, windowMs = 0, onDone } = options;
  let underWay = 0;
  let polling = false;

  const pollSoon = (): void => {
    if (polling || underWay >= MAX_CONCURRENCY || !queue.hasVisible()) return;
    polling = true;
    world.after(world.random.between(1, LONGEST_POLL_MS) + world.random.between(0, windowMs), () => {
      polling = false;
      const received = queue.receive(batchSize);
      if (received.length > 0) void deliver(received);
      pollSoon();
    });
  };

  const deliver = async (received: readonly Received[]): Promise<void> => {
    underWay += 1;
    const answer = await to.invoke(eventOf(queue, received));
    underWay -= 1;
    for (const one of doneIn(received, answer)) deleteSoon(one);
    pollSoon();
  };

  const deleteSoon = (received: Received): void => {
    onDone?.(received);
    if (faults.strikes('message not deleted')) return;
    world.after(world.random.between(1, 20), () => {
      queue.delete(received);
      pollSoon();
    });
  };

  queue.onVisible(pollSoon);
}

/** A function that failed as a whole is done with nothing. */
function doneIn(received: readonly Received[], answer: unknown): readonly Received[] {
  if (answer === undefined) return [];
  const { batchItemFailures } = answer as SQSBatchResponse; // what all of our functions answer
  const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
  return received.filter(({ parcel }) => !failed.has(parcel.id));
}

const eventOf = (queue: SimulatedQueue, received: readonly Received[]): SQSEvent => ({
  Records: received.map(({ parcel }) => recordOf(queue, parcel)),
});

const recordOf = (queue: SimulatedQueue, { id, body, receives, groupId, sentAtMs }: Parcel): SQSRecord => ({
  messageId: id,
  receiptHandle: '',
  body,
  attributes: {
    ApproximateReceiveCount: String(receives),
    SentTimestamp: String(sentAtMs),
    SenderId: '',
    ApproximateFirstReceiveTimestamp: '0',
    ...(groupId !== undefined && { MessageGroupId: groupId }),
  },
  messageAttributes: {},
  md5OfBody: '',
  eventSource: 'aws:sqs',
  eventSourceARN: arnOf(queue.name),
  awsRegion: 'eu-central-1',
});

export const arnOf = (queueName: string): string => `arn:aws:sqs:eu-central-1:000000000000:${queueName}`;
