import { s3Client, sqsClient } from '../../shared/aws/clients.ts';
import { eventsQueueOver } from '../../shared/aws/events-queue.ts';
import { withRedelivery } from '../../shared/aws/redelivery.ts';
import { s3ObjectStore } from '../../shared/aws/s3-object-store.ts';
import { sqsQueue } from '../../shared/aws/sqs-queue.ts';
import { placeOf } from '../../shared/aws/place.ts';
import { systemClock } from '../../shared/aws/system.ts';
import type { PageAssets } from '../../shared/page/document.ts';
import { readEnvironment } from '../../shared/settings.ts';
import { measuredLog } from '../../shared/aws/metrics.ts';
import { createReporter } from './reporter.ts';

const { stackName, resources } = readEnvironment('reporter', process.env);
const log = measuredLog(stackName);
const client = s3Client(process.env);
const sqs = sqsClient(process.env);

/** The bundling puts them in its place (infra/bundles.ts). */
declare const PAGE_ASSETS: PageAssets;

export const handler = withRedelivery(
  createReporter({
    results: s3ObjectStore({ client, bucket: resources.results }),
    eventsQueue: eventsQueueOver(sqsQueue({ client: sqs, queueUrl: resources.events })),
    deadLetters: sqsQueue({ client: sqs, queueUrl: resources.deadLetters }),
    page: { assets: PAGE_ASSETS, place: placeOf({ stackName, results: resources.results }, process.env) },
    clock: systemClock,
    log,
  }),
  { client: sqs, queueUrl: resources.events, log },
);
