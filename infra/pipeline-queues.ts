import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

import { pipelineQueue } from './constructs/queue.ts';
import { visibilitySeconds, type Stage } from './stage.ts';

/** The queues that functions send to or receive from. */
export type QueueName = 'intake' | 'feed' | 'rows' | 'exhausted' | 'deadLetters' | 'journal' | 'reports';

export type Queues = Readonly<Record<QueueName, Queue>>;

/** Queues whose messages nobody receives by himself: what lies there is for a person. */
export type LastStops = Readonly<
  Record<'deadLetters' | 'intakeDead' | 'feedDead' | 'journalDead' | 'reportsDead', Queue>
>;

interface Receiver {
  readonly timeoutSeconds: number;
  readonly batchingWindowSeconds?: number;
  readonly to: Queue;
  readonly receives?: number;
}

/** A row comes to the exhausted queue with its receives already counted: it must not be redriven on before it is tried. */
const EXHAUSTED_FACTOR = 3;

/** Every queue, with where its messages go when nobody finishes them. */
export function pipelineQueues(
  scope: Construct,
  { splitter, worker, coordinator, reporter, maxReceiveCount }: Stage,
): { readonly queues: Queues; readonly lastStops: LastStops } {
  const lastStops = {
    deadLetters: pipelineQueue(scope, 'DeadLetters'),
    intakeDead: pipelineQueue(scope, 'IntakeDead'),
    feedDead: pipelineQueue(scope, 'FeedDead'),
    journalDead: pipelineQueue(scope, 'JournalDead', { fifo: true }),
    reportsDead: pipelineQueue(scope, 'ReportsDead'),
  };
  const queue = (id: string, { to, receives = maxReceiveCount, ...receiver }: Receiver): Queue =>
    pipelineQueue(scope, id, {
      redrive: { to, maxReceiveCount: receives },
      visibilitySeconds: visibilitySeconds(receiver),
      fifo: to.fifo,
    });

  const { timeoutSeconds, batchingWindowSeconds } = worker;
  const { deadLetters, intakeDead, feedDead, journalDead, reportsDead } = lastStops;
  const intake = queue('Intake', { timeoutSeconds: splitter.timeoutSeconds, to: intakeDead });
  const feed = queue('Feed', { timeoutSeconds: splitter.timeoutSeconds, to: feedDead });
  const receives = EXHAUSTED_FACTOR * maxReceiveCount;
  const exhausted = queue('Exhausted', { timeoutSeconds, to: deadLetters, receives });
  const rows = queue('Rows', { timeoutSeconds, batchingWindowSeconds, to: exhausted });
  const journal = queue('Journal', { timeoutSeconds: coordinator.timeoutSeconds, to: journalDead });
  const reports = queue('Reports', { timeoutSeconds: reporter.timeoutSeconds, to: reportsDead });
  return { queues: { intake, feed, rows, exhausted, deadLetters, journal, reports }, lastStops };
}
