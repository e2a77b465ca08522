import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished } from 'vitest';

import { s3Client } from '../../../../shared/aws/clients.ts';
import { s3ObjectStore } from '../../../../shared/aws/s3-object-store.ts';
import { ACCESS_KEY, objectStoreHere, REGION } from './object-store-here.ts';

it('has every object whose writer was answered, whole, after the process was killed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'object-store-'));
  const { url, kill } = await startProcess(folder);
  const answered = new Map<string, string>();
  const writing = Promise.all(['inbox', 'results'].map((bucket) => writeOn(url, bucket, answered)));
  await expect.poll(() => answered.size, { timeout: 15_000, interval: 5 }).toBeGreaterThan(60);

  await kill();
  await writing;

  const here = await objectStoreHere({ folder });
  onTestFinished(() => here.close());
  for (const [name, body] of answered) {
    const [bucket = '', key = ''] = name.split(' ');
    const found = await s3ObjectStore({ client: here.client, bucket }).read(key);
    expect([name, await found?.text()]).toEqual([name, body]);
  }
  await expect.poll(() => here.created.length).toBeGreaterThanOrEqual(answered.size);
  const stored = await Promise.all(['inbox', 'results'].map((bucket) => readdir(join(folder, bucket, 'content'))));
  expect(stored.flat().length).toBeLessThanOrEqual(answered.size + 8);
});

async function startProcess(folder: string) {
  const script = join(import.meta.dirname, 'store-process.ts');
  const child = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [url] = (await once(createInterface(child.stdout), 'line')) as [string]; // a line is text
  const kill = async (): Promise<void> => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  return { url, kill };
}

// Small bodies and large ones, four at a time, until the server is gone.
async function writeOn(url: string, bucket: string, answered: Map<string, string>): Promise<void> {
  const client = s3Client({
    AWS_ENDPOINT_URL: url,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: ACCESS_KEY.accessKeyId,
    AWS_SECRET_ACCESS_KEY: ACCESS_KEY.secretAccessKey,
  });
  const store = s3ObjectStore({ client, bucket });
  const lane = async (number: number): Promise<void> => {
    for (let index = 0; ; index += 1) {
      const key = `${number}/${index}`;
      const body = key.repeat(index % 5 === 0 ? 50_000 : 10);
      await store.write(key, body);
      answered.set(`${bucket} ${key}`, body);
    }
  };
  await Promise.allSettled([0, 1, 2, 3].map(lane));
  client.destroy();
}
