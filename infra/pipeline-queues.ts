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
  const queue = (id: string, receiver: Parameters<typeof visibilitySeconds>[0], to: Queue): Queue =>
    pipelineQueue(scope, id, {
      redrive: { to, maxReceiveCount },
      visibilitySeconds: visibilitySeconds(receiver),
      fifo: to.fifo,
    });

  const intake = queue('Intake', splitter, lastStops.intakeDead);
  const feed = queue('Feed', splitter, lastStops.feedDead);
  const exhausted = queue('Exhausted', { timeoutSeconds: worker.timeoutSeconds }, lastStops.deadLetters);
  const rows = queue('Rows', worker, exhausted);
  const journal = queue('Journal', coordinator, lastStops.journalDead);
  const reports = queue('Reports', reporter, lastStops.reportsDead);
  const { deadLetters } = lastStops;
  return { queues: { intake, feed, rows, exhausted, deadLetters, journal, reports }, lastStops };
}
