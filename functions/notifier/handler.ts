import { s3Client, secretsManagerClient, snsClient, sqsClient } from '../../shared/aws/clients.ts';
import { withRedelivery } from '../../shared/aws/redelivery.ts';
import { s3ObjectStore } from '../../shared/aws/s3-object-store.ts';
import { snsTopic } from '../../shared/aws/sns-topic.ts';
import { placeOf } from '../../shared/aws/place.ts';
import { systemChance, systemClock } from '../../shared/aws/system.ts';
import { secretsManagerTargetNames, secretsManagerTargets } from '../../shared/aws/targets.ts';
import { createAtlassian } from '../../shared/atlassian/atlassian.ts';
import { measuredLog } from '../../shared/aws/metrics.ts';
import { readEnvironment } from '../../shared/settings.ts';
import { secretPrefixOf } from '../../shared/target.ts';
import { createNotifier } from './notifier.ts';

const { stackName, settings, resources } = readEnvironment('notifier', process.env);
const log = measuredLog(stackName);
const prefix = secretPrefixOf(settings);
const secrets = secretsManagerClient(process.env);

export const handler = withRedelivery(
  createNotifier({
    results: s3ObjectStore({ client: s3Client(process.env), bucket: resources.results }),
    topic: snsTopic({ client: snsClient(process.env), topicArn: resources.noticesTopic }),
    targets: secretsManagerTargets({ client: secrets, clock: systemClock, prefix }),
    targetNames: secretsManagerTargetNames({ client: secrets, prefix }),
    atlassian: createAtlassian({
      clock: systemClock,
      chance: systemChance,
      workers: 1,
      responseLimitBytes: settings.worker.responseBytes,
      proxy: settings.proxy,
    }),
    place: placeOf({ stackName, results: resources.results }, process.env),
    clock: systemClock,
    log,
  }),
  { client: sqsClient(process.env), queueUrl: resources.notices, log },
);
