import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { describe, expect, it, onTestFinished } from 'vitest';

import { presignPost, presignPut, type PresignedPost } from '../../../../shared/aws/presign.ts';
import { ACCESS_KEY, objectStoreHere } from './object-store-here.ts';

const run = promisify(execFile);
const KEY = 'cloud/suspend/leavers.csv';
const CSV = 'accountId\r\n5b10a2844c20165700ede21g\r\n';
const MAX_BYTES = 1_000;

interface Answered {
  readonly status: number;
  readonly body: string;
}

interface Uploader {
  readonly post: (form: PresignedPost, content: string) => Promise<Answered>;
  readonly put: (url: string, content: string) => Promise<Answered>;
}

const byFetch: Uploader = {
  post: async ({ url, fields }, content) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append('file', new Blob([content]), 'leavers.csv');
    return answered(await fetch(url, { method: 'POST', body: form }));
  },
  put: async (url, content) => answered(await fetch(url, { method: 'PUT', body: content })),
};

const byCurl: Uploader = {
  post: async ({ url, fields }, content) => {
    const file = await written(content);
    return curl([
      ...Object.entries(fields).flatMap(([name, value]) => ['-F', `${name}=${value}`]),
      '-F',
      `file=@${file}`,
      url,
    ]);
  },
  put: async (url, content) => curl(['-T', await written(content), url]),
};

const uploaders: readonly (readonly [string, Uploader])[] = [
  ['fetch', byFetch],
  ...(hasCurl() ? ([['curl', byCurl]] as const) : []),
];

describe.each(uploaders)('an upload by %s', (_, { post, put }) => {
  it('through a presigned form is stored and told of', async () => {
    const { client, read, created } = await start();
    const form = await presignPost({ client, bucket: 'inbox', key: KEY, maxBytes: MAX_BYTES });

    const { status } = await post(form, CSV);

    expect(status).toBe(204);
    expect(await read(KEY)).toEqual({ body: CSV, contentType: 'text/csv' });
    await expect.poll(() => created).toMatchObject([{ key: KEY, eventName: 'ObjectCreated:Post', size: CSV.length }]);
  });

  it('through a presigned URL is stored and told of', async () => {
    const { client, read, created } = await start();

    const { status } = await put(await presignPut({ client, bucket: 'inbox', key: KEY }), CSV);

    expect(status).toBe(200);
    expect(await read(KEY)).toMatchObject({ body: CSV });
    await expect.poll(() => created).toMatchObject([{ key: KEY, eventName: 'ObjectCreated:Put' }]);
  });

  it.each([
    ['another name in the folder', { key: 'cloud/suspend/others.csv' }, 204, ''],
    ['the name of its file', { key: 'cloud/suspend/${filename}' }, 204, ''],
    ['another folder', { key: 'cloud/restore/leavers.csv' }, 403, 'starts-with'],
    ['a folder that begins alike', { key: 'cloud/suspended/leavers.csv' }, 403, 'starts-with'],
    ['another content type', { 'Content-Type': 'text/html' }, 403, 'content-type'],
    ['a field that nobody allowed', { 'x-amz-meta-a': 'b' }, 403, 'Extra input fields: x-amz-meta-a'],
    ['another signature', { 'X-Amz-Signature': '0'.repeat(64) }, 403, 'SignatureDoesNotMatch'],
    ['another policy', { Policy: Buffer.from('{}').toString('base64') }, 403, 'SignatureDoesNotMatch'],
  ])('through a form with %s is answered as S3 would', async (__, changed, status, words) => {
    const { client } = await start();
    const form = await presignPost({ client, bucket: 'inbox', key: KEY, maxBytes: MAX_BYTES });

    const answer = await post({ ...form, fields: { ...form.fields, ...changed } }, CSV);

    expect(answer.status).toBe(status);
    expect(answer.body).toContain(words);
  });

  it.each([
    ['nothing', '', 400, 'EntityTooSmall'],
    ['one byte', 'x', 204, ''],
    ['the limit', 'x'.repeat(MAX_BYTES), 204, ''],
    ['more than the limit', 'x'.repeat(MAX_BYTES + 1), 400, 'EntityTooLarge'],
    ['very much more', 'x'.repeat(3_000_000), 400, 'EntityTooLarge'],
  ])('through a form of %s is answered as S3 would', async (__, content, status, words) => {
    const { client, url } = await start();
    const form = await presignPost({ client, bucket: 'inbox', key: KEY, maxBytes: MAX_BYTES });

    const answer = await post(form, content);

    expect(answer.status).toBe(status);
    expect(answer.body).toContain(words);
    expect((await fetch(url)).status).toBe(403);
  });

  it('is refused after ten minutes', async () => {
    const clock = { aheadMs: 0 };
    const { client } = await start({ now: () => new Date(Date.now() + clock.aheadMs) });
    const form = await presignPost({ client, bucket: 'inbox', key: KEY, maxBytes: MAX_BYTES });
    const url = await presignPut({ client, bucket: 'inbox', key: KEY });

    clock.aheadMs = 595_000;
    expect(await post(form, CSV)).toMatchObject({ status: 204 });
    expect(await put(url, CSV)).toMatchObject({ status: 200 });

    clock.aheadMs = 601_000;
    expect(await post(form, CSV)).toMatchObject({ status: 403, body: expect.stringContaining('Policy expired') });
    expect(await put(url, CSV)).toMatchObject({ status: 403, body: expect.stringContaining('Request has expired') });
  });

  it.each([
    ['another folder', (url: string) => url.replace('suspend', 'restore')],
    ['another bucket', (url: string) => url.replace('/inbox/', '/results/')],
    ['a longer time', (url: string) => url.replace('X-Amz-Expires=600', 'X-Amz-Expires=6000')],
    ['another signature', (url: string) => url.replace(/X-Amz-Signature=\w{4}/, 'X-Amz-Signature=0000')],
  ])('through a URL with %s is refused', async (__, change) => {
    const { client } = await start();
    const url = await presignPut({ client, bucket: 'inbox', key: KEY });

    expect(await put(change(url), CSV)).toMatchObject({
      status: 403,
      body: expect.stringContaining('SignatureDoesNotMatch'),
    });
  });

  it('is refused when nobody has the key that signed it', async () => {
    const { clientWith } = await start();
    const client = clientWith({ ...ACCESS_KEY, accessKeyId: 'AKIANOBODY' });
    onTestFinished(() => client.destroy());
    const form = await presignPost({ client, bucket: 'inbox', key: KEY, maxBytes: MAX_BYTES });

    expect(await post(form, CSV)).toMatchObject({ status: 403, body: expect.stringContaining('InvalidAccessKeyId') });
  });

  it.each([
    ['200', 200, ''],
    ['201', 201, '<PostResponse'],
    ['999', 204, ''],
  ])('through a form that asks for %s is answered %i', async (wanted, status, words) => {
    const { client } = await start();
    const { url, fields } = await createPresignedPost(client, {
      Bucket: 'inbox',
      Key: KEY,
      Fields: { success_action_status: wanted },
    });

    const answer = await post({ url, fields }, CSV);

    expect(answer.status).toBe(status);
    expect(answer.body).toContain(words);
  });
});

describe('a form', () => {
  it.each([
    ['without a boundary', 'multipart/form-data', 'x', 'MalformedPOSTRequest'],
    [
      'cut off',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nx',
      'MalformedPOSTRequest',
    ],
    [
      'without a file',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nx\r\n--b--\r\n',
      'InvalidArgument',
    ],
    ['without a policy', 'multipart/form-data; boundary=b', `${fieldPart('key', 'x')}${filePart()}`, 'AccessDenied'],
    [
      'with endless fields',
      'multipart/form-data; boundary=b',
      `${fieldPart('key', 'x'.repeat(30_000))}${filePart()}`,
      'MaxPostPreDataLengthExceeded',
    ],
    [
      'with a field that S3 has and this store has not',
      'multipart/form-data; boundary=b',
      `${fieldPart('tagging', 'x')}${filePart()}`,
      'NotImplemented',
    ],
    [
      'with many fields that are too long together',
      'multipart/form-data; boundary=b',
      Array.from({ length: 30 }, (_, i) => fieldPart(`x-ignore-${i}`, 'x'.repeat(1_000))).join('') + filePart(),
      'MaxPostPreDataLengthExceeded',
    ],
  ])('is refused %s', async (_, contentType, body, code) => {
    const { url } = await start();

    const answer = await fetch(`${url}/inbox`, { method: 'POST', headers: { 'content-type': contentType }, body });

    expect(await answer.text()).toContain(`<Code>${code}</Code>`);
  });
});

describe('a form that breaks off within its file', () => {
  it('is refused when it ends there', async () => {
    const { stored, cutForm } = await startCut();

    const answer = await fetch(cutForm.url, { method: 'POST', headers: cutForm.headers, body: cutForm.body });

    expect(await answer.text()).toContain('<Code>MalformedPOSTRequest</Code>');
    expect(await stored()).toEqual([]);
  });

  it('leaves nothing when its sender goes away', async () => {
    const { stored, cutForm } = await startCut();
    const sending = request(cutForm.url, {
      method: 'POST',
      headers: { ...cutForm.headers, 'content-length': 1_000_000 },
    }).on('error', () => undefined);
    sending.write(cutForm.body);
    await expect.poll(stored).not.toEqual([]);

    sending.destroy();

    await expect.poll(stored).toEqual([]);
  });
});

// A form that its policy allows, up to some of its file's bytes: more than are kept in memory.
async function startCut() {
  const { client, folder } = await start();
  const { url, fields } = await presignPost({ client, bucket: 'inbox', key: KEY, maxBytes: 1_000_000 });
  const parts = Object.entries(fields).map(([name, value]) => fieldPart(name, value));
  const body = parts.join('') + filePart().replace('\r\nx\r\n--b--\r\n', `\r\n${'x'.repeat(500_000)}`);
  const cutForm = { url, headers: { 'content-type': 'multipart/form-data; boundary=b' }, body };
  return { stored: () => readdir(join(folder, 'inbox', 'content')), cutForm };
}

function fieldPart(name: string, value: string): string {
  return `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
}

function filePart(): string {
  return '--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nx\r\n--b--\r\n';
}

async function start(options: Parameters<typeof objectStoreHere>[0] = {}) {
  const store = await objectStoreHere(options);
  onTestFinished(() => store.close());
  const read = async (key: string) => {
    const { Body, ContentType: contentType } = await store.client.send(
      new GetObjectCommand({ Bucket: 'inbox', Key: key }),
    );
    return { body: await Body?.transformToString(), contentType };
  };
  return { ...store, read };
}

const answered = async (answer: Response): Promise<Answered> => ({ status: answer.status, body: await answer.text() });

async function written(content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'upload-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'leavers.csv');
  await writeFile(path, content);
  return path;
}

async function curl(options: readonly string[]): Promise<Answered> {
  const { stdout } = await run('curl', ['-sS', '-w', '\n%{http_code}', ...options]);
  const end = stdout.lastIndexOf('\n');
  return { status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) };
}

function hasCurl(): boolean {
  return spawnSync('curl', ['--version']).status === 0;
}
