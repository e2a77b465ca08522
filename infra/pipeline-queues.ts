import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

import { pipelineQueue } from './constructs/queue.ts';
import { visibilitySeconds, type Settings } from '../shared/settings.ts';

/** The queues that functions send to or receive from. */
export type QueueName = 'intake' | 'enqueue' | 'tasks' | 'isolation' | 'deadLetters' | 'events' | 'reports';

export type Queues = Readonly<Record<QueueName, Queue>>;

/** Queues whose messages nobody receives by himself: what lies there is for a person. */
export type LastStops = Readonly<
  Record<'deadLetters' | 'intakeDead' | 'enqueueDead' | 'eventsDead' | 'reportsDead', Queue>
>;

interface Receiver {
  readonly timeoutSeconds: number;
  readonly batchingWindowSeconds?: number;
  readonly to: Queue;
  readonly receives?: number;
}

/** A row comes to the isolation queue with its receives already counted: it must not be redriven on before it is tried. */
const ISOLATION_FACTOR = 3;

/** Every queue, with where its messages go when nobody finishes them. */
export function pipelineQueues(
  scope: Construct,
  { splitter, worker, coordinator, reporter, maxReceiveCount }: Settings,
): { readonly queues: Queues; readonly lastStops: LastStops } {
  const lastStops = {
    deadLetters: pipelineQueue(scope, 'DeadLetters'),
    intakeDead: pipelineQueue(scope, 'IntakeDead'),
    enqueueDead: pipelineQueue(scope, 'EnqueueDead'),
    eventsDead: pipelineQueue(scope, 'EventsDead', { fifo: true }),
    reportsDead: pipelineQueue(scope, 'ReportsDead'),
  };
  const queue = (id: string, { to, receives = maxReceiveCount, ...receiver }: Receiver): Queue =>
    pipelineQueue(scope, id, {
      redrive: { to, maxReceiveCount: receives },
      visibilitySeconds: visibilitySeconds(receiver),
      fifo: to.fifo,
    });

  const { timeoutSeconds, batchingWindowSeconds } = worker;
  const { deadLetters, intakeDead, enqueueDead, eventsDead, reportsDead } = lastStops;
  const intake = queue('Intake', { timeoutSeconds: splitter.timeoutSeconds, to: intakeDead });
  const enqueue = queue('Enqueue', { timeoutSeconds: splitter.timeoutSeconds, to: enqueueDead });
  const receives = ISOLATION_FACTOR * maxReceiveCount;
  const isolation = queue('Isolation', { timeoutSeconds, to: deadLetters, receives });
  const tasks = queue('Tasks', { timeoutSeconds, batchingWindowSeconds, to: isolation });
  const eventsQueue = queue('Events', { timeoutSeconds: coordinator.timeoutSeconds, to: eventsDead });
  const reports = queue('Reports', { timeoutSeconds: reporter.timeoutSeconds, to: reportsDead });
  return { queues: { intake, enqueue, tasks, isolation, deadLetters, events: eventsQueue, reports }, lastStops };
}
