import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { AwsCall } from '../../../local/aws/access-control.ts';
import { startSecrets, type SecretsOptions } from '../../../local/aws/secrets-manager.ts';
import { secretsManagerClient } from '../../../shared/aws/clients.ts';
import { ACCESS_KEY, REGION } from './s3/object-store-here.ts';

/** An emulator of Secrets Manager in a folder of its own, with a client that may use it. */
export async function secretsHere(options: Partial<SecretsOptions> = {}) {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'secrets-')));
  const calls: AwsCall[] = [];
  const server = await startSecrets({
    folder,
    region: REGION,
    account: '123456789012',
    credentials: (accessKeyId) => (accessKeyId === ACCESS_KEY.accessKeyId ? ACCESS_KEY.secretAccessKey : undefined),
    record: (call) => calls.push(call),
    ...options,
  });
  const clientWith = (key: { readonly accessKeyId: string; readonly secretAccessKey: string }) =>
    secretsManagerClient({
      AWS_ENDPOINT_URL_SECRETS_MANAGER: server.url,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
    });
  const client = clientWith(ACCESS_KEY);
  const stop = async (): Promise<void> => {
    client.destroy();
    await server.close();
  };
  const close = async (): Promise<void> => {
    await stop();
    await rm(folder, { recursive: true, force: true });
  };
  return { ...server, folder, calls, client, clientWith, stop, close };
}
