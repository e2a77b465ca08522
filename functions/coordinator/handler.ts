import { s3Client, sqsClient } from '../../shared/aws/clients.ts';
import { eventsQueueOver } from '../../shared/aws/events-queue.ts';
import { backOffBriefly, withRedelivery } from '../../shared/aws/redelivery.ts';
import { s3ObjectStore } from '../../shared/aws/s3-object-store.ts';
import { sqsQueue } from '../../shared/aws/sqs-queue.ts';
import { placeOf } from '../../shared/aws/place.ts';
import { systemChance, systemClock } from '../../shared/aws/system.ts';
import type { PageAssets } from '../../shared/page/document.ts';
import { readEnvironment, visibilitySeconds } from '../../shared/settings.ts';
import { measuredLog } from '../../shared/aws/metrics.ts';
import { createCoordinator } from './coordinator.ts';

const { stackName, settings, resources } = readEnvironment('coordinator', process.env);
const log = measuredLog(stackName);
const sqs = sqsClient(process.env);
const queue = (queueUrl: string) => sqsQueue({ client: sqs, queueUrl });

const RESEND_MS = 30_000;
const DAY_MS = 86_400_000;

/** The bundling puts them in its place (infra/bundles.ts). */
declare const PAGE_ASSETS: PageAssets;

export const handler = withRedelivery(
  createCoordinator({
    results: s3ObjectStore({ client: s3Client(process.env), bucket: resources.results }),
    eventsQueue: eventsQueueOver(queue(resources.events)),
    validateQueue: queue(resources.validate),
    planQueue: queue(resources.plan),
    enqueueQueue: queue(resources.enqueue),
    reports: queue(resources.reports),
    notices: queue(resources.notices),
    page: { assets: PAGE_ASSETS, place: placeOf({ stackName, results: resources.results }, process.env) },
    clock: systemClock,
    chance: systemChance,
    log,
    approvalMs: settings.policy.approvalMinutes * 60_000,
    bounds: {
      windowRows: settings.coordinator.windowRows,
      windowSeconds: settings.coordinator.windowSeconds,
      overdueMs: visibilitySeconds(settings.worker) * 1_000,
      expiryMs: settings.coordinator.expiryDays * DAY_MS,
      resendMs: RESEND_MS,
    },
  }),
  { client: sqs, queueUrl: resources.events, log, delaySeconds: backOffBriefly },
);
