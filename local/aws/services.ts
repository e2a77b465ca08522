import { join } from 'node:path';

import type { Synthesized } from '../../infra/synthesize.ts';
import { sqsClient } from '../../shared/aws/clients.ts';
import type { AccessControl, AccessKey } from './access-control.ts';
import { watchDisk, type DiskFault } from './disk.ts';
import { createNotifier } from './notifications.ts';
import { startObjectStore } from './s3/object-store.ts';
import { startSecrets } from './secrets-manager.ts';
import type { Faults } from './service-refusal.ts';
import { startTopics, type Published } from './sns.ts';
import { startQueues } from './sqs/queues.ts';
import { describeTemplate } from './template/describe.ts';
import type { StackDescription } from './template/description.ts';

/** The emulators that the pipeline stands on, with the template's queues and buckets in them. */
export interface Services {
  readonly endpoints: Endpoints;
  readonly description: StackDescription;
  /** The key that may do everything. */
  readonly key: AccessKey;
  readonly putSecret: (name: string, secret: unknown) => void;
  readonly close: () => Promise<void>;
}

/** Where the services answer, without a slash at the end. */
export interface Endpoints {
  readonly s3: string;
  readonly sqs: string;
  readonly sns: string;
  readonly secretsManager: string;
}

export interface ServicesOptions {
  /** Where objects, messages and secrets are kept. */
  readonly folder: string;
  readonly access: AccessControl;
  readonly synthesized: Synthesized;
  readonly account: string;
  readonly region: string;
  readonly ports: Ports;
  readonly faults?: ServiceFaults | undefined;
  /** Told of everything that is published. */
  readonly published?: ((publication: Published) => void) | undefined;
  /** Told when the disk refuses something, and when it takes something again. */
  readonly say?: ((sentence: string) => void) | undefined;
}

/** Ports on 127.0.0.1; what is not given is any free one. */
export interface Ports {
  readonly s3?: number | undefined;
  readonly sqs?: number | undefined;
  readonly sns?: number | undefined;
  readonly secretsManager?: number | undefined;
  readonly lambda?: number | undefined;
  readonly atlassian?: number | undefined;
}

/** What goes wrong with the emulators: for tests of what stands on them. */
export interface ServiceFaults {
  readonly s3?: Faults | undefined;
  readonly sqs?: Faults | undefined;
  readonly disk?: DiskFault | undefined;
}

/** Starts the emulators on 127.0.0.1 and creates what the template lists. */
export async function startServices(options: ServicesOptions): Promise<Services> {
  const { folder, access, synthesized, account, region, ports, faults, say, published = () => undefined } = options;
  const key = access.issueKey({ name: 'you' });
  const disk = watchDisk({ folder, say, fault: faults?.disk });
  const common = { credentials: access.secretOf, record: access.authorize, region, account, disk };

  const queues = await startQueues({ ...common, folder: join(folder, 'queues'), port: ports.sqs, fault: faults?.sqs });
  const place = { stackName: synthesized.stackName, account, region, queuesUrl: queues.url };
  const description = describeTemplate(synthesized.template, place, synthesized.folderOf);
  queues.create([...description.queues, ...subscribedQueues(description)]);
  queues.release(); // functions of a former run have ended with it

  const notifierSqs = sqsClient(
    clientEnvironment({ s3: '', sqs: queues.url, sns: '', secretsManager: '', ...key, region }),
  );
  const objects = await startObjectStore({
    ...common,
    folder: join(folder, 'objects'),
    buckets: description.buckets.map(({ name, versioned, notifications }) => ({
      name,
      versioned,
      notifies: notifications.length > 0,
    })),
    created: createNotifier({ description, sqs: notifierSqs, region }),
    port: ports.s3,
    fault: faults?.s3,
  });
  const secrets = await startSecrets({ ...common, folder: join(folder, 'secrets'), port: ports.secretsManager });

  const topics = await startTopics({
    ...common,
    topics: description.topics,
    port: ports.sns,
    sqs: notifierSqs,
    queueUrlOf: (arn) => `${queues.url}/${account}/${nameIn(arn)}`,
    published,
  });

  return {
    endpoints: { s3: objects.url, sqs: queues.url, sns: topics.url, secretsManager: secrets.url },
    description,
    key,
    putSecret: secrets.put,
    close: async () => {
      await objects.close();
      await topics.close();
      notifierSqs.destroy();
      await Promise.all([secrets.close(), queues.close()]);
    },
  };
}

/** Queues that hear of what is published and are somebody else's: here they are made, so that what comes can be looked at. */
function subscribedQueues({ topics, queues }: StackDescription) {
  const arns = topics.flatMap(({ subscriptions }) =>
    subscriptions.filter(({ protocol }) => protocol === 'sqs').map(({ endpoint }) => endpoint),
  );
  const others = new Set(arns.filter((arn) => !queues.some((queue) => queue.arn === arn)));
  return [...others].map((arn) => ({ name: nameIn(arn), attributes: {} }));
}

const nameIn = (arn: string): string => arn.slice(arn.lastIndexOf(':') + 1);

/** The variables of an environment in which the SDKs find these services. */
export const clientEnvironment = (
  services: Endpoints & AccessKey & { readonly region: string; readonly lambda?: string },
): Record<string, string> => ({
  AWS_REGION: services.region,
  AWS_ACCESS_KEY_ID: services.accessKeyId,
  AWS_SECRET_ACCESS_KEY: services.secretAccessKey,
  AWS_ENDPOINT_URL_S3: services.s3,
  AWS_ENDPOINT_URL_SQS: services.sqs,
  AWS_ENDPOINT_URL_SNS: services.sns,
  AWS_ENDPOINT_URL_SECRETS_MANAGER: services.secretsManager,
  ...(services.lambda !== undefined && { AWS_ENDPOINT_URL_LAMBDA: services.lambda }),
});
