import { s3Client, sqsClient } from '../../shared/aws/clients.ts';
import { eventsQueueOver } from '../../shared/aws/events-queue.ts';
import { withRedelivery } from '../../shared/aws/redelivery.ts';
import { s3ObjectStore } from '../../shared/aws/s3-object-store.ts';
import { sqsQueue } from '../../shared/aws/sqs-queue.ts';
import { systemChance, systemClock } from '../../shared/aws/system.ts';
import { readEnvironment } from '../../shared/settings.ts';
import { measuredLog } from '../../shared/aws/metrics.ts';
import { OPERATIONS } from '../../shared/operations/index.ts';
import { createSplitter } from './splitter.ts';

const { stackName, settings, resources } = readEnvironment('splitter', process.env);
const log = measuredLog(stackName);
const s3 = s3Client(process.env);
const sqs = sqsClient(process.env);

export const handler = withRedelivery(
  createSplitter({
    inbox: s3ObjectStore({ client: s3, bucket: resources.inbox }),
    results: s3ObjectStore({ client: s3, bucket: resources.results }),
    operations: OPERATIONS,
    tasks: sqsQueue({ client: sqs, queueUrl: resources.tasks }),
    eventsQueue: eventsQueueOver(sqsQueue({ client: sqs, queueUrl: resources.events })),
    clock: systemClock,
    chance: systemChance,
    limits: settings.limits,
    log,
  }),
  { client: sqs, queueUrl: resources.events, log },
);
