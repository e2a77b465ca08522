import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { ServiceRefusal } from '../service-refusal.ts';
import { required, type Input } from './input.ts';
import type { Sqs } from './operations.ts';
import type { MessageDatabase } from './message-database.ts';
import { admits, nameIn, refused, type Queue } from './queue.ts';
import { countMessages } from './stored-messages.ts';

/** The move of all messages of a dead-letter queue, as ListMessageMoveTasks shows it. It ends with the process. */
export interface MoveTask {
  readonly TaskHandle: string;
  readonly SourceArn: string;
  readonly DestinationArn: string | undefined;
  readonly StartedTimestamp: number;
  readonly ApproximateNumberOfMessagesToMove: number;
  ApproximateNumberOfMessagesMoved: number;
  Status: 'RUNNING' | 'COMPLETED' | 'CANCELLED' | 'FAILED';
  FailureReason?: string;
}

/** Messages that are moved in one transaction. */
const PORTION = 100;

/** Starts to move messages, as the console's "Start DLQ redrive" has it done; throws ServiceRefusal. */
export function startMove({ database, queues, moveTasks }: Sqs, input: Input): object {
  const SourceArn = required(input, 'SourceArn');
  const { DestinationArn, MaxNumberOfMessagesPerSecond: perSecond = Infinity } = input;
  const source = queueOf(queues, SourceArn);
  const destination = DestinationArn === undefined ? undefined : queueOf(queues, DestinationArn);
  if (destination === source)
    throw refused('InvalidParameterValue', 'Source and destination have to be two different queues.');
  // Its RedriveAllowPolicy says who may name it and redrive, and may have come after theirs. (SQS API reference, SetQueueAttributes.)
  if (!sourcesOf(queues, source).some((other) => admits(source, other)))
    throw refused('InvalidParameterValue', 'Source queue must be configured as a Dead Letter Queue.');
  if (moveTasks.some((task) => task.SourceArn === SourceArn && task.Status === 'RUNNING'))
    throw refused('UnsupportedOperation', 'There is already a task running. Only one active task is allowed.');
  const task: MoveTask = {
    TaskHandle: Buffer.from(JSON.stringify({ taskId: randomUUID(), sourceArn: SourceArn })).toString('base64'),
    SourceArn,
    DestinationArn,
    StartedTimestamp: database.nowMs(),
    ApproximateNumberOfMessagesToMove: countMessages(database, source).visible,
    ApproximateNumberOfMessagesMoved: 0,
    Status: 'RUNNING',
  };
  moveTasks.unshift(task);
  // The answer says that the task has started: how it ends, ListMessageMoveTasks says.
  const portion = Math.min(PORTION, perSecond);
  const moveSome = (): number => database.transact(() => moveMessages(database, source, destination, portion));
  void moveAll(task, moveSome, (1_000 * portion) / perSecond);
  return { TaskHandle: task.TaskHandle };
}

async function moveAll(task: MoveTask, moveSome: () => number, pauseMs: number): Promise<void> {
  try {
    while (task.Status === 'RUNNING') {
      const moved = moveSome();
      task.ApproximateNumberOfMessagesMoved += moved;
      if (moved === 0) task.Status = 'COMPLETED';
      await sleep(pauseMs);
    }
  } catch (error) {
    task.Status = 'FAILED';
    task.FailureReason = error instanceof ServiceRefusal ? error.code : String(error);
  }
}

/** Sends visible messages as new ones to a queue, or to those that gave them up; how many there were. */
function moveMessages(database: MessageDatabase, from: Queue, to: Queue | undefined, most: number): number {
  const found = database.rows<{ readonly id: number; readonly cameFrom: string | null }>(
    `SELECT id, came_from AS cameFrom FROM messages
     WHERE queue = :queue AND state = 'visible' ORDER BY message_group, id LIMIT :most`,
    { queue: from.name, most },
  );
  for (const { id, cameFrom } of found) {
    if (!to && cameFrom === null) throw refused('CouldNotDetermineMessageSource', 'No queue gave the message up.');
    const queue = to?.name ?? nameIn(cameFrom ?? '');
    database.run(
      `UPDATE messages SET id = (SELECT max(id) + 1 FROM messages), queue = :queue, message_id = :messageId, sent_at = :now,
         receives = 0, first_received_at = NULL, came_from = NULL
       WHERE id = :id`,
      { id, queue, messageId: randomUUID(), now: database.nowMs() },
    );
    database.touch(queue);
  }
  return found.length;
}

/** The tasks that there were for a queue, newest first; one that runs can be cancelled by its handle. */
export const listMoves = ({ moveTasks }: Sqs, input: Input): object => ({
  Results: moveTasks
    .filter(({ SourceArn }) => SourceArn === required(input, 'SourceArn'))
    .map(({ TaskHandle, ...task }) => ({ ...task, ...(task.Status === 'RUNNING' && { TaskHandle }) })),
});

/** Ends a task; what it has moved stays where it is. Throws ServiceRefusal when it does not run. */
export function cancelMove({ moveTasks }: Sqs, input: Input): object {
  const handle = required(input, 'TaskHandle');
  const task = moveTasks.find(({ TaskHandle, Status }) => TaskHandle === handle && Status === 'RUNNING');
  if (!task) throw refused('ResourceNotFoundException', 'There is no running task of this handle.');
  task.Status = 'CANCELLED';
  return { ApproximateNumberOfMessagesMoved: task.ApproximateNumberOfMessagesMoved };
}

/** The queues that give messages up to this one. */
export const sourcesOf = (queues: Sqs['queues'], { arn }: Queue): readonly Queue[] =>
  [...queues.values()].filter(({ settings }) => settings.RedrivePolicy?.deadLetterTargetArn === arn);

function queueOf(queues: Sqs['queues'], arn: string): Queue {
  const queue = queues.get(nameIn(arn));
  if (queue) return queue;
  throw refused('ResourceNotFoundException', `There is no queue ${arn}.`);
}
