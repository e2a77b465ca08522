import { s3Client, secretsManagerClient, sqsClient } from '../../shared/aws/clients.ts';
import { eventsQueueOver } from '../../shared/aws/events-queue.ts';
import { s3ObjectStore } from '../../shared/aws/s3-object-store.ts';
import { secretsManagerTargets } from '../../shared/aws/secrets-targets.ts';
import { sqsQueue } from '../../shared/aws/sqs-queue.ts';
import { systemChance } from '../../shared/aws/system-chance.ts';
import { systemClock } from '../../shared/aws/system-clock.ts';
import { createAtlassian } from '../../shared/atlassian/atlassian.ts';
import { readEnvironment } from '../../shared/environment.ts';
import { jsonLog } from '../../shared/log.ts';
import { findOperation } from '../../shared/operations/index.ts';
import { createWorker } from './worker.ts';

const environment = readEnvironment('worker', process.env);
const sqs = sqsClient(process.env);
const queue = (queueUrl: string) => sqsQueue({ client: sqs, queueUrl });

export const handler = createWorker({
  results: s3ObjectStore({ client: s3Client(process.env), bucket: environment.RESULTS_BUCKET }),
  tasks: queue(environment.TASKS_QUEUE_URL),
  deadLetters: queue(environment.DEAD_LETTERS_QUEUE_URL),
  eventsQueue: eventsQueueOver(queue(environment.EVENTS_QUEUE_URL)),
  targets: secretsManagerTargets({ client: secretsManagerClient(process.env), clock: systemClock }),
  atlassian: createAtlassian({
    clock: systemClock,
    chance: systemChance,
    workers: environment.WORKERS,
    responseLimitBytes: environment.RESPONSE_LIMIT,
    connections: environment.CALLS_UNDER_WAY,
  }),
  operations: findOperation,
  clock: systemClock,
  chance: systemChance,
  log: jsonLog,
  maxAttempts: environment.MAX_ATTEMPTS,
  consistencySeconds: environment.CONSISTENCY_SECONDS,
  callsUnderWay: environment.CALLS_UNDER_WAY,
  isolationQueueArn: environment.ISOLATION_QUEUE_ARN,
});
