import { s3Client, secretsManagerClient, sqsClient } from '../../shared/aws/clients.ts';
import { eventsQueueOver } from '../../shared/aws/events-queue.ts';
import { withRedelivery } from '../../shared/aws/redelivery.ts';
import { s3ObjectStore } from '../../shared/aws/s3-object-store.ts';
import { secretsManagerTargets } from '../../shared/aws/targets.ts';
import { sqsQueue } from '../../shared/aws/sqs-queue.ts';
import { systemChance, systemClock } from '../../shared/aws/system.ts';
import { measuredLog } from '../../shared/aws/metrics.ts';
import { readEnvironment } from '../../shared/settings.ts';
import { secretPrefixOf } from '../../shared/target.ts';
import { createIntake } from './intake.ts';

const { stackName, settings, resources } = readEnvironment('intake', process.env);
const log = measuredLog(stackName);
const s3 = s3Client(process.env);
const sqs = sqsClient(process.env);

export const handler = withRedelivery(
  createIntake({
    inbox: s3ObjectStore({ client: s3, bucket: resources.inbox }),
    results: s3ObjectStore({ client: s3, bucket: resources.results }),
    targets: secretsManagerTargets({
      client: secretsManagerClient(process.env),
      clock: systemClock,
      prefix: secretPrefixOf(settings),
    }),
    validate: sqsQueue({ client: sqs, queueUrl: resources.validate }),
    eventsQueue: eventsQueueOver(sqsQueue({ client: sqs, queueUrl: resources.events })),
    clock: systemClock,
    chance: systemChance,
    log,
  }),
  { client: sqs, queueUrl: resources.events, log },
);
