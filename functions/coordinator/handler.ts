import { s3Client, sqsClient } from '../../shared/aws/clients.ts';
import { eventsQueueOver } from '../../shared/aws/events-queue.ts';
import { s3ObjectStore } from '../../shared/aws/s3-object-store.ts';
import { sqsQueue } from '../../shared/aws/sqs-queue.ts';
import { systemChance } from '../../shared/aws/system-chance.ts';
import { systemClock } from '../../shared/aws/system-clock.ts';
import { readEnvironment } from '../../shared/environment.ts';
import { jsonLog } from '../../shared/log.ts';
import { createCoordinator } from './coordinator.ts';

const environment = readEnvironment('coordinator', process.env);
const sqs = sqsClient(process.env);
const queue = (queueUrl: string) => sqsQueue({ client: sqs, queueUrl });

const RESEND_MS = 30_000;
const DAY_MS = 86_400_000;

export const handler = createCoordinator({
  results: s3ObjectStore({ client: s3Client(process.env), bucket: environment.RESULTS_BUCKET }),
  eventsQueue: eventsQueueOver(queue(environment.EVENTS_QUEUE_URL)),
  enqueueQueue: queue(environment.ENQUEUE_QUEUE_URL),
  reports: queue(environment.REPORTS_QUEUE_URL),
  clock: systemClock,
  chance: systemChance,
  log: jsonLog,
  policy: {
    windowRows: environment.WINDOW_ROWS,
    windowSeconds: environment.WINDOW_SECONDS,
    overdueMs: environment.OVERDUE_SECONDS * 1_000,
    expiryMs: environment.EXPIRY_DAYS * DAY_MS,
    resendMs: RESEND_MS,
  },
});
