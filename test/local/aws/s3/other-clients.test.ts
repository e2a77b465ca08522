import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it, onTestFinished } from 'vitest';

import { ACCESS_KEY, objectStoreHere, REGION } from './object-store-here.ts';

const run = promisify(execFile);
// Above what either client sends in one request.
const LARGE = Buffer.alloc(9_000_000, 'row,of,a,manifest\r\n');

describe.skipIf(spawnSync('aws', ['--version']).status !== 0)('the AWS CLI', () => {
  it('uploads, lists, downloads and removes', async () => {
    const { aws, folder } = await start();

    await aws('s3', 'cp', 'small ü.csv', 's3://inbox/cloud/suspend/small ü+.csv');
    await aws('s3', 'cp', 'large.csv', 's3://inbox/cloud/suspend/large.csv');
    const listed = await aws('s3', 'ls', '--recursive', 's3://inbox/cloud/');
    await aws('s3', 'cp', 's3://inbox/cloud/suspend/large.csv', 'back.csv');
    await aws('s3', 'rm', 's3://inbox/cloud/suspend/large.csv');

    expect(listed).toMatch(/ 9000000 cloud\/suspend\/large\.csv\n.* 3 cloud\/suspend\/small ü\+\.csv/);
    expect((await readFile(join(folder, 'back.csv'))).equals(LARGE)).toBe(true);
    expect(await aws('s3', 'ls', 's3://inbox/cloud/suspend/')).not.toContain('large');
  }, 60_000);

  it('copies and moves, between the buckets too, small files and large ones', async () => {
    const { aws, folder, created } = await start();

    await Promise.all([
      aws('s3', 'cp', 'large.csv', 's3://results/out/large.csv'),
      aws('s3', 'mv', 'small ü.csv', 's3://results/out/small ü+.csv'),
    ]);
    await Promise.all([
      aws('s3', 'cp', 's3://results/out/large.csv', 's3://inbox/cloud/suspend/large.csv'),
      aws('s3', 'mv', 's3://results/out/small ü+.csv', 's3://inbox/cloud/suspend/small ü+.csv'),
    ]);
    await aws('s3', 'cp', '--recursive', 's3://inbox/cloud/', 's3://results/copied/');
    await aws('s3', 'mv', '--recursive', 's3://results/copied/', 'moved');

    expect(await readdir(folder)).not.toContain('small ü.csv');
    expect((await readFile(join(folder, 'moved/suspend/large.csv'))).equals(LARGE)).toBe(true);
    expect(await readFile(join(folder, 'moved/suspend/small ü+.csv'), 'utf8')).toBe('a,b');
    expect(await aws('s3', 'ls', '--recursive', 's3://results')).toMatch(/^\S+ +\S+ +9000000 out\/large\.csv\n$/);
    const told = created.filter(({ bucket }) => bucket === 'inbox').map(({ key, eventName }) => `${key} ${eventName}`);
    expect(told.toSorted()).toEqual([
      'cloud/suspend/large.csv ObjectCreated:CompleteMultipartUpload',
      'cloud/suspend/small ü+.csv ObjectCreated:Copy',
    ]);
  }, 120_000);

  it('reads what a bucket holds, version by version', async () => {
    const { aws, client } = await start();
    const ask = async (operation: string): Promise<unknown> =>
      JSON.parse((await aws('s3api', operation, '--bucket', 'inbox')) || '{}');
    const file = { Bucket: 'inbox', Key: 'a.csv' };
    await client.send(new PutObjectCommand({ ...file, Body: 'a,b' }));
    await client.send(new PutObjectCommand({ ...file, Body: 'a,b' }));
    await client.send(new DeleteObjectCommand(file));
    await client.send(new PutObjectCommand({ ...file, Key: 'b.csv', Body: 'a,b' }));

    const operations = ['list-objects', 'list-object-versions', 'get-bucket-versioning', 'head-bucket'];
    const [objects, versions, versioning] = await Promise.all(operations.map(ask));

    expect(objects).toMatchObject({ Contents: [{ Key: 'b.csv', Size: 3 }] });
    expect(versions).toMatchObject({
      Versions: [
        { Key: 'a.csv', IsLatest: false },
        { Key: 'a.csv', IsLatest: false },
        { Key: 'b.csv', IsLatest: true },
      ],
      DeleteMarkers: [{ Key: 'a.csv', IsLatest: true }],
    });
    expect(versioning).toEqual({ Status: 'Enabled' });
  }, 60_000);
});

const BOTO3 = `
import boto3, os, sys
from botocore.config import Config
s3 = boto3.client('s3', endpoint_url=os.environ['AWS_ENDPOINT_URL'], config=Config(s3={'addressing_style': 'path'}))
s3.put_object(Bucket='inbox', Key='a ü+%', Body=b'abc', Metadata={'by': 'hr'})
s3.upload_file('large.csv', 'inbox', 'large.csv')
found = s3.get_object(Bucket='inbox', Key='a ü+%')
print(found['Body'].read().decode(), found['Metadata']['by'], s3.head_object(Bucket='inbox', Key='large.csv')['ContentLength'])
print([item['Key'] for item in s3.list_objects_v2(Bucket='inbox')['Contents']])
s3.download_file('inbox', 'large.csv', 'back.csv')
s3.delete_object(Bucket='inbox', Key='large.csv')
try:
    s3.get_object(Bucket='inbox', Key='large.csv')
except s3.exceptions.NoSuchKey:
    print('gone')
`;

describe.skipIf(spawnSync('python3', ['-c', 'import boto3']).status !== 0)('boto3', () => {
  it('uploads, lists, downloads and removes', async () => {
    const { folder, environment } = await start();

    const { stdout } = await run('python3', ['-c', BOTO3], { cwd: folder, env: environment });

    expect(stdout).toBe("abc hr 9000000\n['a ü+%', 'large.csv']\ngone\n");
    expect((await readFile(join(folder, 'back.csv'))).equals(LARGE)).toBe(true);
  }, 60_000);
});

async function start() {
  const store = await objectStoreHere();
  const folder = await mkdtemp(join(tmpdir(), 'client-'));
  onTestFinished(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  await writeFile(join(folder, 'small ü.csv'), 'a,b');
  await writeFile(join(folder, 'large.csv'), LARGE);
  const environment = {
    PATH: process.env['PATH'],
    HOME: folder,
    LC_ALL: 'C.UTF-8',
    AWS_ENDPOINT_URL: store.url,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCESS_KEY_ID: ACCESS_KEY.accessKeyId,
    AWS_SECRET_ACCESS_KEY: ACCESS_KEY.secretAccessKey,
  };
  // Debian's aws knows no AWS_ENDPOINT_URL yet.
  const aws = async (...words: readonly string[]): Promise<string> =>
    (await run('aws', ['--endpoint-url', store.url, ...words], { cwd: folder, env: environment })).stdout;
  return { ...store, folder, environment, aws };
}
