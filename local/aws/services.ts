import { join } from 'node:path';
import type { SQSClient } from '@aws-sdk/client-sqs';

import { sqsClient } from '../../shared/aws/clients.ts';
import type { AccessKey, AccessKeys } from './access-keys.ts';
import type { AwsCall } from './aws-call.ts';
import { createNotifier } from './notifications.ts';
import { startObjectStore } from './s3/object-store.ts';
import { startQueues } from './sqs/queues.ts';
import { startSecrets } from './secrets-manager/secrets.ts';
import { describeTemplate } from './template/describe.ts';
import type { Faults } from './service-fault.ts';
import type { StackDescription } from './template/description.ts';
import type { Synthesized } from '../../infra/synthesize.ts';

/** Ports on 127.0.0.1; what is not given is any free one. */
export interface Ports {
  readonly s3?: number | undefined;
  readonly sqs?: number | undefined;
  readonly secretsManager?: number | undefined;
  readonly atlassian?: number | undefined;
}

/** Where the three services answer, without a slash at the end. */
export interface Endpoints {
  readonly s3: string;
  readonly sqs: string;
  readonly secretsManager: string;
}

export interface ServicesOptions {
  readonly folder: string;
  readonly keys: AccessKeys;
  /** Told of each call to an embedded service; what it throws refuses the call. */
  readonly record: (call: AwsCall) => void;
  readonly synthesized: Synthesized;
  readonly account: string;
  readonly region: string;
  readonly ports: Ports;
  readonly faults?: ServiceFaults | undefined;
}

/** What goes wrong with the embedded services: for tests of what stands on them. */
export interface ServiceFaults {
  readonly s3?: Faults | undefined;
  readonly sqs?: Faults | undefined;
}

/** The services that the pipeline stands on, with the template's queues and buckets in them. */
export interface Services {
  readonly endpoints: Endpoints;
  readonly description: StackDescription;
  /** The key that may do everything. */
  readonly key: AccessKey;
  readonly putSecret: (name: string, secret: unknown) => void;
  readonly close: () => Promise<void>;
}

/** What stands in a function's environment so that the SDKs find these services. */
export const clientEnvironment = (
  services: Endpoints & AccessKey & { readonly region: string },
): Record<string, string> => ({
  AWS_REGION: services.region,
  AWS_ACCESS_KEY_ID: services.accessKeyId,
  AWS_SECRET_ACCESS_KEY: services.secretAccessKey,
  AWS_ENDPOINT_URL_S3: services.s3,
  AWS_ENDPOINT_URL_SQS: services.sqs,
  AWS_ENDPOINT_URL_SECRETS_MANAGER: services.secretsManager,
});

/** Starts the emulators on 127.0.0.1 and creates what the template lists. */
export async function startServices(options: ServicesOptions): Promise<Services> {
  const { folder, keys, record, synthesized, account, region, ports, faults } = options;
  const key = keys.issue({ name: 'you' });
  const common = { credentials: keys.secretOf, region, account, record };

  const queues = await startQueues({ ...common, port: ports.sqs, fault: faults?.sqs });
  const place = { stackName: synthesized.stackName, account, region, queuesUrl: queues.url };
  const description = describeTemplate(synthesized.template, place, synthesized.folderOf);
  await queues.create(description.queues, key);

  const teller = tellerOf(description, { sqs: queues.url, key, region });
  const objects = await startObjectStore({
    ...common,
    folder: join(folder, 'objects'),
    buckets: description.buckets.map(({ name, versioned, notifications }) => ({
      name,
      versioned,
      notifies: notifications.length > 0,
    })),
    created: teller.tell,
    port: ports.s3,
    fault: faults?.s3,
  });
  const secrets = await startSecrets({ ...common, folder: join(folder, 'secrets'), port: ports.secretsManager });

  return {
    endpoints: { s3: objects.url, sqs: queues.url, secretsManager: secrets.url },
    description,
    key,
    putSecret: secrets.put,
    close: async () => {
      await objects.close();
      teller.sqs.destroy();
      await Promise.all([secrets.close(), queues.close()]);
    },
  };
}

function tellerOf(
  { buckets, queues }: StackDescription,
  { sqs, key, region }: { readonly sqs: string; readonly key: AccessKey; readonly region: string },
): { readonly tell: ReturnType<typeof createNotifier>; readonly sqs: SQSClient } {
  const client = sqsClient(clientEnvironment({ sqs, s3: '', secretsManager: '', ...key, region }));
  const queueUrlOf = (queueArn: string): string => queues.find(({ arn }) => arn === queueArn)?.url ?? '';
  return { sqs: client, tell: createNotifier({ buckets, sqs: client, region, queueUrlOf }) };
}
