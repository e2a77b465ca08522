import type { ENVIRONMENTS, FunctionName } from '../shared/environment.ts';
import type { Holdings } from './pipeline-roles.ts';
import { visibilitySeconds, type Stage } from './stage.ts';

/** A text for each variable that the function reads, and none besides. */
type Environments = {
  readonly [Name in FunctionName]: Readonly<Record<keyof (typeof ENVIRONMENTS)[Name]['shape'], string>>;
};

/** What each function finds in its environment. */
export function environmentsOver({ inbox, results, queues }: Holdings, stage: Stage): Environments {
  const { worker, coordinator, limits } = stage;
  const buckets = { INBOX_BUCKET: inbox.bucketName, RESULTS_BUCKET: results.bucketName };
  const { RESULTS_BUCKET } = buckets;
  const EVENTS_QUEUE_URL = queues.events.queueUrl;
  return {
    splitter: {
      ...buckets,
      TASKS_QUEUE_URL: queues.tasks.queueUrl,
      EVENTS_QUEUE_URL,
      MANIFEST_LIMIT: String(limits.manifestBytes),
      ROW_COUNT_LIMIT: String(limits.rows),
      ROW_LIMIT: String(limits.rowBytes),
      COLUMN_LIMIT: String(limits.columns),
      CELL_LIMIT: String(limits.cellCharacters),
    },
    worker: {
      RESULTS_BUCKET,
      TASKS_QUEUE_URL: queues.tasks.queueUrl,
      ISOLATION_QUEUE_ARN: queues.isolation.queueArn,
      DEAD_LETTERS_QUEUE_URL: queues.deadLetters.queueUrl,
      EVENTS_QUEUE_URL,
      MAX_ATTEMPTS: String(worker.maxAttempts),
      WORKERS: String(worker.tasksConcurrency),
      CALLS_UNDER_WAY: String(worker.callsUnderWay),
      CONSISTENCY_SECONDS: String(worker.consistencySeconds),
      RESPONSE_LIMIT: String(worker.responseBytes),
    },
    coordinator: {
      RESULTS_BUCKET,
      EVENTS_QUEUE_URL,
      ENQUEUE_QUEUE_URL: queues.enqueue.queueUrl,
      REPORTS_QUEUE_URL: queues.reports.queueUrl,
      WINDOW_ROWS: String(coordinator.windowRows),
      WINDOW_SECONDS: String(coordinator.windowSeconds),
      OVERDUE_SECONDS: String(visibilitySeconds(worker)),
      EXPIRY_DAYS: String(coordinator.expiryDays),
    },
    reporter: { ...buckets, EVENTS_QUEUE_URL },
  };
}
