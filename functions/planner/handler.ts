import { s3Client, secretsManagerClient, sqsClient } from '../../shared/aws/clients.ts';
import { eventsQueueOver } from '../../shared/aws/events-queue.ts';
import { withRedelivery } from '../../shared/aws/redelivery.ts';
import { s3ObjectStore } from '../../shared/aws/s3-object-store.ts';
import { secretsManagerTargets } from '../../shared/aws/targets.ts';
import { sqsQueue } from '../../shared/aws/sqs-queue.ts';
import { systemChance, systemClock } from '../../shared/aws/system.ts';
import { createAtlassian } from '../../shared/atlassian/atlassian.ts';
import { readEnvironment } from '../../shared/settings.ts';
import { measuredLog } from '../../shared/aws/metrics.ts';
import { findOperation } from '../../shared/operations/index.ts';
import { secretPrefixOf } from '../../shared/target.ts';
import { createPlanner } from './planner.ts';

const { stackName, settings, resources } = readEnvironment('planner', process.env);
const log = measuredLog(stackName);
const sqs = sqsClient(process.env);
const queue = (queueUrl: string) => sqsQueue({ client: sqs, queueUrl });

export const handler = withRedelivery(
  createPlanner({
    results: s3ObjectStore({ client: s3Client(process.env), bucket: resources.results }),
    planQueue: queue(resources.plan),
    eventsQueue: eventsQueueOver(queue(resources.events)),
    targets: secretsManagerTargets({
      client: secretsManagerClient(process.env),
      clock: systemClock,
      prefix: secretPrefixOf(settings),
    }),
    atlassian: createAtlassian({
      clock: systemClock,
      chance: systemChance,
      workers: settings.planner.planConcurrency,
      responseLimitBytes: settings.worker.responseBytes,
      connections: settings.worker.callsUnderWay,
      proxy: settings.proxy,
    }),
    operations: findOperation,
    policy: settings.policy,
    clock: systemClock,
    chance: systemChance,
    log,
  }),
  { client: sqs, queueUrl: resources.events, log },
);
