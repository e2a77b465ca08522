import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';

import type { AwsCall } from '../../../../local/aws/access-control.ts';
import type { Created } from '../../../../local/aws/s3/bucket-state.ts';
import { startObjectStore, type ObjectStoreOptions } from '../../../../local/aws/s3/object-store.ts';
import { s3Client } from '../../../../shared/aws/clients.ts';

export const REGION = 'eu-central-1';
export const ACCESS_KEY = { accessKeyId: 'AKIALOCALTEST', secretAccessKey: 'a/secret+that=is/long' } as const;

/** An embedded object store in a folder of its own, with a client that may use it. */
export interface ObjectStoreHere {
  readonly url: string;
  readonly folder: string;
  readonly client: S3Client;
  /** A client that signs with another key. */
  readonly clientWith: (key: { readonly accessKeyId: string; readonly secretAccessKey: string }) => S3Client;
  readonly calls: readonly AwsCall[];
  readonly created: readonly Created[];
  /** Stops the server and leaves the folder. */
  readonly stop: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function objectStoreHere(options: Partial<ObjectStoreOptions> = {}): Promise<ObjectStoreHere> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'object-store-')));
  const calls: AwsCall[] = [];
  const created: Created[] = [];
  const store = await startObjectStore({
    folder,
    region: REGION,
    buckets: [
      { name: 'inbox', versioned: true },
      { name: 'results', versioned: false },
    ],
    credentials: (accessKeyId) => (accessKeyId === ACCESS_KEY.accessKeyId ? ACCESS_KEY.secretAccessKey : undefined),
    record: (call) => calls.push(call),
    created: async (event) => void created.push(event),
    ...options,
  });
  const clientWith: ObjectStoreHere['clientWith'] = (key) =>
    s3Client({
      AWS_ENDPOINT_URL: store.url,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
    });
  const client = clientWith(ACCESS_KEY);
  const stop = async (): Promise<void> => {
    client.destroy();
    await store.close();
  };
  return {
    url: store.url,
    folder,
    client,
    clientWith,
    calls,
    created,
    stop,
    close: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
