import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
  type CopyObjectCommandInput,
} from '@aws-sdk/client-s3';
import { describe, expect, it, onTestFinished } from 'vitest';

import { createAccessControl } from '../../../../local/aws/access-control.ts';
import type { Statement } from '../../../../local/aws/template/description.ts';
import { objectStoreHere } from './object-store-here.ts';

const SOURCE = { Bucket: 'results', Key: 'out/ü + 1.csv' };
const COPY_SOURCE = 'results/out/%C3%BC%20%2B%201.csv';
const TARGET = { Bucket: 'inbox', Key: 'cloud/suspend/leavers.csv' };

describe('a copy', () => {
  it('has the content and the metadata of its source, and is told of', async () => {
    const { client, created, read } = await start();
    const given = { ContentType: 'text/csv', Metadata: { by: 'hr' } };
    const { ETag } = await client.send(new PutObjectCommand({ ...SOURCE, Body: 'a,b', ...given }));

    const copied = await client.send(new CopyObjectCommand({ ...TARGET, CopySource: `/${COPY_SOURCE}` }));

    expect(await read(TARGET)).toBe('a,b');
    expect(await client.send(new HeadObjectCommand(TARGET))).toMatchObject({ ...given, VersionId: copied.VersionId });
    expect(copied.CopyObjectResult?.ETag).toBe(ETag);
    expect(Date.now() - Number(copied.CopyObjectResult?.LastModified)).toBeLessThan(60_000);
    await expect
      .poll(() => created.find(({ bucket }) => bucket === 'inbox'))
      .toMatchObject({ key: TARGET.Key, eventName: 'ObjectCreated:Copy', size: 3, versionId: copied.VersionId });
  });

  it('stays when its source goes, and when the store is started again', async () => {
    const first = await start();
    await first.client.send(new PutObjectCommand({ ...SOURCE, Body: 'a,b' }));
    await first.client.send(new CopyObjectCommand({ ...TARGET, CopySource: COPY_SOURCE }));
    await first.client.send(new DeleteObjectCommand(SOURCE));
    await first.stop();

    const { read } = await start({ folder: first.folder });

    expect(await read(TARGET)).toBe('a,b');
  });

  it('has metadata of its own when it asks for that', async () => {
    const { client } = await start();
    await client.send(new PutObjectCommand({ ...SOURCE, Body: 'a,b', Metadata: { by: 'hr' } }));
    const own = { MetadataDirective: 'REPLACE', ContentType: 'text/plain', Metadata: { to: 'it' } } as const;

    await client.send(new CopyObjectCommand({ ...SOURCE, CopySource: COPY_SOURCE, ...own }));

    const { ContentType, Metadata } = await client.send(new HeadObjectCommand(SOURCE));
    expect({ ContentType, Metadata }).toEqual({ ContentType: 'text/plain', Metadata: { to: 'it' } });
  });

  it('is of the version that it names', async () => {
    const { client, read } = await start();
    const { VersionId } = await client.send(new PutObjectCommand({ ...TARGET, Body: 'old' }));
    await client.send(new PutObjectCommand({ ...TARGET, Body: 'new' }));

    const CopySource = `inbox/${TARGET.Key}?versionId=${VersionId}`;
    const copied = await client.send(new CopyObjectCommand({ ...TARGET, CopySource }));

    expect(await read(TARGET)).toBe('old');
    expect(copied.CopySourceVersionId).toBe(VersionId);
  });

  it('of parts is one object with the ETag of its bytes', async () => {
    const { client } = await start();
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(SOURCE));
    const large = Buffer.alloc(5 * 1024 * 1024, 'x');
    const { ETag } = await client.send(new UploadPartCommand({ ...SOURCE, UploadId, PartNumber: 1, Body: large }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await client.send(new CompleteMultipartUploadCommand({ ...SOURCE, UploadId, MultipartUpload }));

    await client.send(new CopyObjectCommand({ ...TARGET, CopySource: COPY_SOURCE }));

    expect(await client.send(new HeadObjectCommand(TARGET))).toMatchObject({ ETag, ContentLength: large.length });
  });

  const before = new Date(Date.now() - 60_000);
  const after = new Date(Date.now() + 60_000);
  it.each<[string, Partial<CopyObjectCommandInput>, boolean]>([
    ['the ETag', { CopySourceIfMatch: '"900150983cd24fb0d6963f7d28e17f72"' }, true],
    ['another ETag', { CopySourceIfMatch: '"other"' }, false],
    ['any but the ETag', { CopySourceIfNoneMatch: '"900150983cd24fb0d6963f7d28e17f72"' }, false],
    ['any but another ETag', { CopySourceIfNoneMatch: '"other"' }, true],
    ['a change since', { CopySourceIfModifiedSince: before }, true],
    ['a change after that', { CopySourceIfModifiedSince: after }, false],
    ['no change since', { CopySourceIfUnmodifiedSince: after }, true],
    ['no change before that', { CopySourceIfUnmodifiedSince: before }, false],
    [
      'the ETag, whatever the date',
      { CopySourceIfMatch: '"900150983cd24fb0d6963f7d28e17f72"', CopySourceIfUnmodifiedSince: before },
      true,
    ],
    ['nothing where it goes', { IfNoneMatch: '*' }, true],
  ])('is made only under its condition: %s', async (_, condition, isMade) => {
    const { client } = await start();
    await client.send(new PutObjectCommand({ ...SOURCE, Body: 'abc' }));

    const copy = client.send(new CopyObjectCommand({ ...TARGET, CopySource: COPY_SOURCE, ...condition }));

    if (isMade) await copy;
    else await expect(copy).rejects.toMatchObject({ name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } });
  });

  it('does not go over what is there when it asks for that', async () => {
    const { client, read } = await start();
    await client.send(new PutObjectCommand({ ...SOURCE, Body: 'new' }));
    await client.send(new PutObjectCommand({ ...TARGET, Body: 'kept' }));

    const copy = client.send(new CopyObjectCommand({ ...TARGET, CopySource: COPY_SOURCE, IfNoneMatch: '*' }));

    await expect(copy).rejects.toMatchObject({ name: 'PreconditionFailed' });
    expect(await read(TARGET)).toBe('kept');
  });

  it.each([
    ['no bucket', 'none/key', 'NoSuchBucket', 404],
    ['no key', 'results/none', 'NoSuchKey', 404],
    ['no version', `${COPY_SOURCE}?versionId=none`, 'NoSuchVersion', 404],
    ['a bucket alone', 'results', 'InvalidArgument', 400],
    ['itself', 'inbox/cloud/suspend/leavers.csv', 'InvalidRequest', 400],
  ])('is refused of %s', async (_, CopySource, name, httpStatusCode) => {
    const { client } = await start();
    await client.send(new PutObjectCommand({ ...SOURCE, Body: 'a' }));
    await client.send(new PutObjectCommand({ ...TARGET, Body: 'b' }));

    await expect(client.send(new CopyObjectCommand({ ...TARGET, CopySource }))).rejects.toMatchObject({
      name,
      $metadata: { httpStatusCode },
    });
  });

  it.each([
    ['without its version', () => '', 'NoSuchKey'],
    ['by its version', (versionId: string) => `?versionId=${versionId}`, 'InvalidRequest'],
  ])('is refused of a delete marker %s', async (_, version, name) => {
    const { client } = await start();
    await client.send(new PutObjectCommand({ ...TARGET, Body: 'a' }));
    const { VersionId = '' } = await client.send(new DeleteObjectCommand(TARGET));
    const CopySource = `inbox/${TARGET.Key}${version(VersionId)}`;

    await expect(client.send(new CopyObjectCommand({ ...SOURCE, CopySource }))).rejects.toMatchObject({ name });
  });

  it('answers 501 to what it would otherwise pass over in silence', async () => {
    const { client } = await start();
    await client.send(new PutObjectCommand({ ...SOURCE, Body: 'a' }));

    const copy = client.send(new CopyObjectCommand({ ...TARGET, CopySource: COPY_SOURCE, Tagging: 'a=b' }));

    await expect(copy).rejects.toMatchObject({ name: 'NotImplemented' });
  });
});

// The least size of a part that is not the last.
const X = 'x'.repeat(5 * 1024 * 1024);

describe('a copy in parts', () => {
  it('joins ranges of its source', async () => {
    const { client, read, created } = await start();
    await client.send(new PutObjectCommand({ ...SOURCE, Body: `${X}end` }));
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(TARGET));

    const Parts = [];
    for (const [PartNumber, CopySourceRange] of [
      [1, 'bytes=0-5242879'],
      [2, undefined],
      [3, 'bytes=5242880-5242882'],
    ] as const) {
      const part = { ...TARGET, UploadId, PartNumber, CopySource: COPY_SOURCE, CopySourceRange };
      const { CopyPartResult } = await client.send(new UploadPartCopyCommand(part));
      Parts.push({ PartNumber, ETag: CopyPartResult?.ETag });
    }
    const MultipartUpload = { Parts };
    await client.send(new CompleteMultipartUploadCommand({ ...TARGET, UploadId, MultipartUpload }));

    expect(await read(TARGET)).toBe(`${X}${X}endend`);
    await expect.poll(() => created.filter(({ bucket }) => bucket === 'inbox')).toHaveLength(1);
  });

  it.each(['bytes=0-3', 'bytes=2-1', 'bytes=1-', '0-1'])('is refused of the range %s of three bytes', async (range) => {
    const { client } = await start();
    await client.send(new PutObjectCommand({ ...SOURCE, Body: 'abc' }));
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(TARGET));

    const part = { ...TARGET, UploadId, PartNumber: 1, CopySource: COPY_SOURCE, CopySourceRange: range };

    await expect(client.send(new UploadPartCopyCommand(part))).rejects.toMatchObject({ name: 'InvalidArgument' });
  });
});

it('says that an object has no tags', async () => {
  const { client } = await start();
  await client.send(new PutObjectCommand({ ...SOURCE, Body: 'abc' }));

  expect((await client.send(new GetObjectTaggingCommand(SOURCE))).TagSet).toEqual([]);
  await expect(client.send(new GetObjectTaggingCommand(TARGET))).rejects.toMatchObject({ name: 'NoSuchKey' });
});

describe('the rights to copy', () => {
  const PUT = allow('s3:PutObject', 'arn:aws:s3:::inbox/*');
  const GET = allow('s3:GetObject', 'arn:aws:s3:::results/*');
  const LIST = allow('s3:ListBucket', 'arn:aws:s3:::results');

  it.each([
    ['both', [PUT, GET], COPY_SOURCE, undefined, ''],
    ['writing alone', [PUT], COPY_SOURCE, 'AccessDenied', 's3:GetObject on resource: arn:aws:s3:::results/'],
    ['reading alone', [GET], COPY_SOURCE, 'AccessDenied', 's3:PutObject on resource: arn:aws:s3:::inbox/'],
    ['reading another version', [PUT, GET], `${COPY_SOURCE}?versionId=1`, 'AccessDenied', 's3:GetObjectVersion'],
    ['no listing, of what is not there', [PUT, GET], 'results/none', 'AccessDenied', 's3:ListBucket'],
    ['listing, of what is not there', [PUT, GET, LIST], 'results/none', 'NoSuchKey', ''],
  ])('are reading the source and writing the target: %s', async (_, statements, CopySource, name, words) => {
    const mighty = await start();
    await mighty.client.send(new PutObjectCommand({ ...SOURCE, Body: 'abc' }));
    await mighty.stop();
    const access = createAccessControl();
    const key = access.issueKey({ name: 'worker', role: { name: 'role', arn: 'arn', statements } });
    const limits = { credentials: access.secretOf, record: access.authorize };
    const { clientWith } = await start({ folder: mighty.folder, ...limits });
    const client = clientWith(key);
    onTestFinished(() => client.destroy());

    const copy = client.send(new CopyObjectCommand({ ...TARGET, CopySource }));

    if (name === undefined) await copy;
    else await expect(copy).rejects.toMatchObject({ name, message: expect.stringContaining(words) });
  });
});

function allow(action: string, resource: string): Statement {
  return { effect: 'Allow', actions: [action], resources: [resource] };
}

async function start(options: Parameters<typeof objectStoreHere>[0] = {}) {
  const store = await objectStoreHere(options);
  onTestFinished(() => store.close());
  const read = async (object: { readonly Bucket: string; readonly Key: string }) =>
    (await store.client.send(new GetObjectCommand(object))).Body?.transformToString();
  return { ...store, read };
}
