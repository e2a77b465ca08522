import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

import { pipelineQueue } from './constructs/queue.ts';
import { visibilitySeconds, type Settings } from '../shared/settings.ts';

/** The queues that functions send to or receive from. */
export type QueueName =
  'intake' | 'validate' | 'plan' | 'enqueue' | 'tasks' | 'isolation' | 'deadLetters' | 'events' | 'reports' | 'notices';

export type Queues = Readonly<Record<QueueName, Queue>>;

/** Queues whose messages nobody receives by himself: what lies there is for a person. */
export type LastStops = Readonly<
  Record<
    | 'deadLetters'
    | 'intakeDead'
    | 'validateDead'
    | 'planDead'
    | 'enqueueDead'
    | 'eventsDead'
    | 'reportsDead'
    | 'noticesDead',
    Queue
  >
>;

interface Receiver {
  readonly timeoutSeconds: number;
  readonly batchingWindowSeconds?: number;
  readonly to: Queue;
  readonly receives?: number;
  readonly takesFrom?: readonly string[];
}

/** A row comes to the isolation queue with its receives already counted: it must not be redriven on before it is tried. */
const ISOLATION_FACTOR = 3;
/** A part of a plan may wait for Atlassian for six hours, and comes again within two minutes each time. */
const PLAN_RECEIVES = 400;
/** What fails comes again within two minutes (shared/aws/redelivery.ts): three hours, so that an outage of one leaves no dead letter. */
const RETRIED_RECEIVES = 100;
/** The same of a mailbox, whose messages come again within seconds; SQS counts no further. */
const MAILBOX_RECEIVES = 1_000;

/** Every queue, with where its messages go when nobody finishes them. */
export function pipelineQueues(
  scope: Construct,
  { intake, splitter, planner, worker, coordinator, reporter, notifier, maxReceiveCount }: Settings,
  encryptionKey?: IKey,
): { readonly queues: Queues; readonly lastStops: LastStops } {
  const deadLetterQueue = (
    id: string,
    options: { readonly takesFrom: readonly string[]; readonly fifo?: boolean },
  ): Queue => pipelineQueue(scope, id, { ...options, encryptionKey });
  const lastStops = {
    deadLetters: deadLetterQueue('DeadLetters', { takesFrom: ['Isolation'] }),
    intakeDead: deadLetterQueue('IntakeDead', { takesFrom: ['IntakeQueue'] }),
    validateDead: deadLetterQueue('ValidateDead', { takesFrom: ['Validate'] }),
    planDead: deadLetterQueue('PlanDead', { takesFrom: ['Plan'] }),
    enqueueDead: deadLetterQueue('EnqueueDead', { takesFrom: ['Enqueue'] }),
    eventsDead: deadLetterQueue('EventsDead', { takesFrom: ['Events'], fifo: true }),
    reportsDead: deadLetterQueue('ReportsDead', { takesFrom: ['Reports'] }),
    noticesDead: deadLetterQueue('NoticesDead', { takesFrom: ['NoticesQueue'] }),
  };
  const retried = Math.max(RETRIED_RECEIVES, maxReceiveCount);
  const queue = (id: string, { to, receives = retried, takesFrom, ...receiver }: Receiver): Queue =>
    pipelineQueue(scope, id, {
      encryptionKey,
      ...(takesFrom && { takesFrom }),
      redrive: { to, maxReceiveCount: receives },
      visibilitySeconds: visibilitySeconds(receiver),
      fifo: to.fifo,
    });

  const { timeoutSeconds, batchingWindowSeconds } = worker;
  const isolation = queue('Isolation', {
    timeoutSeconds,
    to: lastStops.deadLetters,
    receives: ISOLATION_FACTOR * maxReceiveCount,
    takesFrom: ['Tasks'],
  });
  const queues = {
    // The function has the name without `Queue`.
    intake: queue('IntakeQueue', { timeoutSeconds: intake.timeoutSeconds, to: lastStops.intakeDead }),
    validate: queue('Validate', { timeoutSeconds: splitter.timeoutSeconds, to: lastStops.validateDead }),
    plan: queue('Plan', { timeoutSeconds: planner.timeoutSeconds, to: lastStops.planDead, receives: PLAN_RECEIVES }),
    enqueue: queue('Enqueue', { timeoutSeconds: splitter.timeoutSeconds, to: lastStops.enqueueDead }),
    tasks: queue('Tasks', { timeoutSeconds, batchingWindowSeconds, to: isolation, receives: maxReceiveCount }),
    isolation,
    deadLetters: lastStops.deadLetters,
    events: queue('Events', {
      timeoutSeconds: coordinator.timeoutSeconds,
      to: lastStops.eventsDead,
      receives: MAILBOX_RECEIVES,
    }),
    reports: queue('Reports', { timeoutSeconds: reporter.timeoutSeconds, to: lastStops.reportsDead }),
    // The topic has the name without `Queue`.
    notices: queue('NoticesQueue', { timeoutSeconds: notifier.timeoutSeconds, to: lastStops.noticesDead }),
  };
  return { queues, lastStops };
}
