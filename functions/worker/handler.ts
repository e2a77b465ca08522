import { s3Client, secretsManagerClient, sqsClient } from '../../shared/aws/clients.ts';
import { eventsQueueOver } from '../../shared/aws/events-queue.ts';
import { s3ObjectStore } from '../../shared/aws/s3-object-store.ts';
import { secretsManagerTargets } from '../../shared/aws/targets.ts';
import { sqsQueue } from '../../shared/aws/sqs-queue.ts';
import { systemChance, systemClock } from '../../shared/aws/system.ts';
import { createAtlassian } from '../../shared/atlassian/atlassian.ts';
import { readEnvironment } from '../../shared/settings.ts';
import { measuredLog } from '../../shared/aws/metrics.ts';
import { findOperation } from '../../shared/operations/index.ts';
import { secretPrefixOf } from '../../shared/target.ts';
import { createWorker } from './worker.ts';

const { stackName, settings: stage, resources } = readEnvironment('worker', process.env);
const { worker: settings } = stage;
const sqs = sqsClient(process.env);
const queue = (queueUrl: string) => sqsQueue({ client: sqs, queueUrl });

export const handler = createWorker({
  results: s3ObjectStore({ client: s3Client(process.env), bucket: resources.results }),
  tasks: queue(resources.tasks),
  eventsQueue: eventsQueueOver(queue(resources.events)),
  targets: secretsManagerTargets({
    client: secretsManagerClient(process.env),
    clock: systemClock,
    prefix: secretPrefixOf(stage),
  }),
  atlassian: createAtlassian({
    clock: systemClock,
    chance: systemChance,
    workers: settings.tasksConcurrency,
    responseLimitBytes: settings.responseBytes,
    connections: settings.callsUnderWay,
    proxy: stage.proxy,
  }),
  operations: findOperation,
  clock: systemClock,
  chance: systemChance,
  log: measuredLog(stackName),
  maxAttempts: settings.maxAttempts,
  consistencySeconds: settings.consistencySeconds,
  callsUnderWay: settings.callsUnderWay,
  isolationQueueArn: resources.isolationArn,
});
