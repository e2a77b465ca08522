import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { Readable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';

import { ServiceRefusal } from '../../../../local/aws/service-refusal.ts';
import { ACCESS_KEY, objectStoreHere, REGION } from './object-store-here.ts';

const inbox = { Bucket: 'inbox', Key: 'cloud/suspend/leavers.csv' };
// The SDK warns of empty strings.
const NOTHING = new Uint8Array();
const results = { Bucket: 'results', Key: 'a/b.json' };

describe('the embedded object store', () => {
  it('keeps content type and metadata with an object', async () => {
    const { client } = await start();
    const given = { ContentType: 'text/csv', CacheControl: 'no-store', Metadata: { by: 'hr' } };

    await client.send(new PutObjectCommand({ ...results, Body: 'abc', ...given }));

    const head = await client.send(new HeadObjectCommand(results));
    expect(head).toMatchObject({ ...given, ContentLength: 3, AcceptRanges: 'bytes' });
    expect(head.ETag).toBe('"900150983cd24fb0d6963f7d28e17f72"');
    expect(Date.now() - Number(head.LastModified)).toBeLessThan(60_000);
  });

  it('keeps every version in a versioned bucket', async () => {
    const { client } = await start();
    const first = await client.send(new PutObjectCommand({ ...inbox, Body: 'one' }));
    const second = await client.send(new PutObjectCommand({ ...inbox, Body: 'two' }));

    const old = await client.send(new GetObjectCommand({ ...inbox, VersionId: first.VersionId }));
    const newest = await client.send(new GetObjectCommand(inbox));

    expect(await old.Body?.transformToString()).toBe('one');
    expect(await newest.Body?.transformToString()).toBe('two');
    expect(newest.VersionId).toBe(second.VersionId);
  });

  it('hides what was deleted behind a marker, and keeps its versions', async () => {
    const { client } = await start();
    const { VersionId } = await client.send(new PutObjectCommand({ ...inbox, Body: 'one' }));

    const marker = await client.send(new DeleteObjectCommand(inbox));

    await expect(client.send(new GetObjectCommand(inbox))).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(client.send(new GetObjectCommand({ ...inbox, VersionId: marker.VersionId }))).rejects.toMatchObject({
      name: 'MethodNotAllowed',
    });
    const kept = await client.send(new GetObjectCommand({ ...inbox, VersionId }));
    expect(await kept.Body?.transformToString()).toBe('one');

    await client.send(new DeleteObjectCommand({ ...inbox, VersionId: marker.VersionId }));
    expect(await client.send(new HeadObjectCommand(inbox))).toMatchObject({ VersionId });
  });

  it.each([
    ['bytes=2-', 'cdef', 'bytes 2-5/6'],
    ['bytes=1-2', 'bc', 'bytes 1-2/6'],
    ['bytes=4-99', 'ef', 'bytes 4-5/6'],
    ['bytes=-2', 'ef', 'bytes 4-5/6'],
    ['bytes=-99', 'abcdef', 'bytes 0-5/6'],
  ])('serves the range %s', async (Range, body, contentRange) => {
    const { client } = await start();
    await client.send(new PutObjectCommand({ ...results, Body: 'abcdef' }));

    const answer = await client.send(new GetObjectCommand({ ...results, Range }));

    expect(await answer.Body?.transformToString()).toBe(body);
    expect(answer).toMatchObject({ ContentRange: contentRange, ContentLength: body.length });
  });

  it.each(['bytes=6-', 'bytes=-0'])('refuses the range %s of six bytes', async (Range) => {
    const { client } = await start();
    await client.send(new PutObjectCommand({ ...results, Body: 'abcdef' }));

    await expect(client.send(new GetObjectCommand({ ...results, Range }))).rejects.toMatchObject({
      name: 'InvalidRange',
      $metadata: { httpStatusCode: 416 },
    });
  });

  it('answers conditional reads as S3 does', async () => {
    const { client } = await start();
    const { ETag } = await client.send(new PutObjectCommand({ ...results, Body: 'abc' }));

    await expect(client.send(new GetObjectCommand({ ...results, IfNoneMatch: ETag }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 304 },
    });
    await expect(client.send(new GetObjectCommand({ ...results, IfMatch: '"other"' }))).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
    expect(await client.send(new GetObjectCommand({ ...results, IfMatch: ETag }))).toMatchObject({ ETag });
  });

  it.each([
    ['what is there', { IfNoneMatch: '*' }, results.Key, 'PreconditionFailed', 412],
    ['another etag', { IfMatch: '"other"' }, results.Key, 'PreconditionFailed', 412],
    ['what is not there', { IfMatch: '"other"' }, 'nothing', 'NoSuchKey', 404],
  ])('refuses a conditional write over %s', async (_, condition, Key, name, httpStatusCode) => {
    const { client } = await start();
    await client.send(new PutObjectCommand({ ...results, Body: 'abc' }));

    await expect(
      client.send(new PutObjectCommand({ Bucket: 'results', Key, Body: 'new', ...condition })),
    ).rejects.toMatchObject({ name, $metadata: { httpStatusCode } });
  });

  it('lists in pages, with folders rolled up', async () => {
    const { client } = await start();
    const keys = ['a', 'b/1', 'b/2', 'b/3', 'c', 'd/1', 'e'];
    for (const Key of keys) await client.send(new PutObjectCommand({ Bucket: 'results', Key, Body: NOTHING }));

    const seen: string[] = [];
    let token: string | undefined;
    do {
      const page = await client.send(
        new ListObjectsV2Command({ Bucket: 'results', Delimiter: '/', MaxKeys: 2, ContinuationToken: token }),
      );
      expect(page.KeyCount).toBeLessThanOrEqual(2);
      seen.push(...(page.Contents ?? []).map((object) => object.Key ?? ''));
      seen.push(...(page.CommonPrefixes ?? []).map((common) => common.Prefix ?? ''));
      token = page.NextContinuationToken;
    } while (token);

    expect(seen.toSorted()).toEqual(['a', 'b/', 'c', 'd/', 'e']);
  });

  it('lists what comes after a key, and encodes names when asked to', async () => {
    const { client } = await start();
    for (const Key of ['a', 'b ü&', 'c'])
      await client.send(new PutObjectCommand({ Bucket: 'results', Key, Body: NOTHING }));

    const page = await client.send(
      new ListObjectsV2Command({ Bucket: 'results', StartAfter: 'a', EncodingType: 'url', MaxKeys: 1 }),
    );

    expect(page).toMatchObject({ IsTruncated: true, Contents: [{ Key: 'b%20%C3%BC%26', Size: 0 }] });
  });

  it('joins the parts of an upload in their order', async () => {
    const { client, created } = await start();
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...inbox, ContentType: 'text/csv' }));
    const large = Buffer.alloc(5 * 1024 * 1024, 'x');
    const second = await client.send(new UploadPartCommand({ ...inbox, UploadId, PartNumber: 2, Body: 'end' }));
    const first = await client.send(new UploadPartCommand({ ...inbox, UploadId, PartNumber: 1, Body: large }));
    const Parts = [
      { PartNumber: 1, ETag: first.ETag },
      { PartNumber: 2, ETag: second.ETag },
    ];

    const done = await client.send(
      new CompleteMultipartUploadCommand({ ...inbox, UploadId, MultipartUpload: { Parts } }),
    );

    const whole = await client.send(new GetObjectCommand({ ...inbox, Range: 'bytes=5242878-' }));
    expect(await whole.Body?.transformToString()).toBe('xxend');
    expect(whole).toMatchObject({ ContentType: 'text/csv', ETag: done.ETag, VersionId: done.VersionId });
    expect(done.ETag).toMatch(/^"[0-9a-f]{32}-2"$/);
    await expect
      .poll(() => created)
      .toMatchObject([{ eventName: 'ObjectCreated:CompleteMultipartUpload', size: 5_242_883 }]);
  });

  it.each([
    ['an unknown part', [{ PartNumber: 7, ETag: '"x"' }], 'InvalidPart'],
    ['no part', [], 'MalformedXML'],
    ['a small part that is not the last', [1, 2], 'EntityTooSmall'],
    ['parts out of order', [2, 1], 'InvalidPartOrder'],
  ])('refuses to complete an upload with %s', async (_, chosen, name) => {
    const { client } = await start();
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(results));
    const etags: Record<number, string | undefined> = {};
    for (const PartNumber of [1, 2]) {
      const part = await client.send(new UploadPartCommand({ ...results, UploadId, PartNumber, Body: 'small' }));
      etags[PartNumber] = part.ETag;
    }
    const Parts = chosen.map((part) => (typeof part === 'number' ? { PartNumber: part, ETag: etags[part] } : part));

    await expect(
      client.send(new CompleteMultipartUploadCommand({ ...results, UploadId, MultipartUpload: { Parts } })),
    ).rejects.toMatchObject({ name });
  });

  it('knows nothing of an upload that was aborted', async () => {
    const { client } = await start();
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(results));

    await client.send(new AbortMultipartUploadCommand({ ...results, UploadId }));

    const late = client.send(new UploadPartCommand({ ...results, UploadId, PartNumber: 1, Body: 'x' }));
    await expect(late).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });

  it('says what buckets there are and where', async () => {
    const { client } = await start();

    const { Buckets = [] } = await client.send(new ListBucketsCommand({}));
    const location = await client.send(new GetBucketLocationCommand({ Bucket: 'inbox' }));

    expect(Buckets.map(({ Name }) => Name)).toEqual(['inbox', 'results']);
    expect(location.LocationConstraint).toBe(REGION);
    await client.send(new HeadBucketCommand({ Bucket: 'inbox' }));
    await expect(client.send(new HeadBucketCommand({ Bucket: 'none' }))).rejects.toMatchObject({ name: 'NotFound' });
    await expect(client.send(new GetObjectCommand({ Bucket: 'none', Key: 'k' }))).rejects.toMatchObject({
      name: 'NoSuchBucket',
    });
  });

  it.each([
    ['reading the tags of a version', new GetObjectTaggingCommand({ ...results, VersionId: 'null' })],
    ['writing tags', new PutObjectTaggingCommand({ ...results, Tagging: { TagSet: [] } })],
    ['writing an ACL', new PutObjectAclCommand({ ...results, ACL: 'public-read' })],
    [
      'copying to another owner',
      new CopyObjectCommand({ ...results, CopySource: 'results/a/b.json', ACL: 'public-read' }),
    ],
    ['a public object', new PutObjectCommand({ ...results, ACL: 'public-read', Body: NOTHING })],
    ['a tagged object', new PutObjectCommand({ ...results, Tagging: 'a=b', Body: NOTHING })],
    ['the uploads under way', new ListMultipartUploadsCommand({ Bucket: 'results' })],
    ['the parts of an upload', new ListPartsCommand({ ...results, UploadId: 'x' })],
  ])('answers 501 to %s rather than pretending', async (_, command) => {
    const { client } = await start();
    await client.send(new PutObjectCommand({ ...results, Body: 'kept' }));

    await expect(client.send(command as PutObjectCommand)).rejects.toMatchObject({
      // every command is sent alike
      name: 'NotImplemented',
      $metadata: { httpStatusCode: 501 },
    });

    const kept = await client.send(new GetObjectCommand(results));
    expect(await kept.Body?.transformToString()).toBe('kept');
  });

  it('tells of a new object until it is heard', async () => {
    let deaf = 2;
    const heard: string[] = [];
    const { client } = await start({
      created: async ({ bucket, key, versionId, size }) => {
        if (deaf-- > 0) throw new Error('not now');
        heard.push(`${bucket}/${key} ${versionId?.length} ${size}`);
      },
    });

    await client.send(new PutObjectCommand({ ...inbox, Body: 'abc' }));

    await expect.poll(() => heard, { timeout: 5_000 }).toEqual([`inbox/${inbox.Key} 32 3`]);
  });

  it('has everything again when it is started again, and tells what was untold', async () => {
    const first = await start({ created: () => Promise.reject(new Error('nobody listens')) });
    const { ETag, VersionId } = await first.client.send(
      new PutObjectCommand({ ...inbox, Body: 'one', Metadata: { by: 'hr' } }),
    );
    await first.client.send(new PutObjectCommand({ ...results, Body: 'old' }));
    await first.client.send(new PutObjectCommand({ ...results, Body: 'new' }));
    const { UploadId } = await first.client.send(new CreateMultipartUploadCommand(results));
    const part = await first.client.send(new UploadPartCommand({ ...results, UploadId, PartNumber: 1, Body: 'part' }));
    await first.stop();

    const { client, created } = await start({ folder: first.folder });

    expect(await client.send(new HeadObjectCommand(inbox))).toMatchObject({ ETag, VersionId, Metadata: { by: 'hr' } });
    expect(await (await client.send(new GetObjectCommand(results))).Body?.transformToString()).toBe('new');
    await expect
      .poll(() => created.map(({ key, size }) => `${key} ${size}`))
      .toEqual([`${inbox.Key} 3`, 'a/b.json 3', 'a/b.json 3']);
    const Parts = [{ PartNumber: 1, ETag: part.ETag }];
    await client.send(new CompleteMultipartUploadCommand({ ...results, UploadId, MultipartUpload: { Parts } }));
    expect(await (await client.send(new GetObjectCommand(results))).Body?.transformToString()).toBe('part');
  });

  it('records each call as IAM names it', async () => {
    const { client, calls } = await start();
    const { VersionId } = await client.send(new PutObjectCommand({ ...inbox, Body: 'abc' }));
    await client.send(new GetObjectCommand(inbox));
    await client.send(new GetObjectCommand({ ...inbox, VersionId }));
    await client.send(new GetObjectCommand({ ...inbox, Key: 'none' })).catch(() => undefined);
    await client.send(new ListObjectsV2Command({ Bucket: 'inbox', Prefix: 'cloud/' }));
    await client.send(new DeleteObjectCommand(inbox));
    await client.send(new ListBucketsCommand({}));

    const bucket = 'arn:aws:s3:::inbox';
    const object = `${bucket}/${inbox.Key}`;
    const { accessKeyId } = ACCESS_KEY;
    expect(calls).toMatchObject([
      { service: 's3', action: 's3:PutObject', resource: object, accessKeyId, bytes: 3 },
      { action: 's3:GetObject', resource: object },
      { action: 's3:GetObjectVersion', resource: object },
      { action: 's3:GetObject', resource: `${bucket}/none`, besides: [{ action: 's3:ListBucket', resource: bucket }] },
      { action: 's3:ListBucket', resource: bucket },
      { action: 's3:DeleteObject', resource: object },
      { action: 's3:ListAllMyBuckets', resource: 'arn:aws:s3:::*' },
    ]);
  });

  it('refuses what its recorder refuses', async () => {
    const { client } = await start({
      record: () => {
        throw new ServiceRefusal(403, 'AccessDenied', 'Access Denied');
      },
    });

    await expect(client.send(new PutObjectCommand({ ...results, Body: 'x' }))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
  });

  it('fails as it is told to', async () => {
    const faults = [{ status: 503 }, { status: 500 }, { delayMs: 1 }];
    const { client } = await start({ fault: () => faults.shift() });

    const { $metadata } = await client.send(new PutObjectCommand({ ...results, Body: 'x' }));

    expect($metadata.attempts).toBe(3);
  });

  it.each(['WHEN_SUPPORTED', 'WHEN_REQUIRED'] as const)(
    'takes streamed bodies with checksums %s',
    async (requestChecksumCalculation) => {
      const { url } = await start();
      const client = new S3Client({
        endpoint: url,
        region: REGION,
        credentials: ACCESS_KEY,
        forcePathStyle: true,
        requestChecksumCalculation,
      });
      onTestFinished(() => client.destroy());

      await client.send(
        new PutObjectCommand({
          ...results,
          Body: Readable.from([Buffer.from('abc'), Buffer.from('def')]),
          ContentLength: 6,
        }),
      );
      await new Upload({ client, params: { ...inbox, Body: Readable.from([Buffer.alloc(6_000_000, 'y')]) } }).done();

      expect(await (await client.send(new GetObjectCommand(results))).Body?.transformToString()).toBe('abcdef');
      expect(await client.send(new HeadObjectCommand(inbox))).toMatchObject({ ContentLength: 6_000_000 });
    },
  );

  it.each([
    [{ ContentMD5: 'rL0Y20zC+Fzt72VPzMSk2A==' }, 'BadDigest'],
    [{ ContentMD5: 'bm90IG1kNQ==' }, 'InvalidDigest'],
    [{ ChecksumCRC32: 'AAAAAA==' }, 'BadDigest'],
    [{ ChecksumSHA256: 'AAAA' }, 'BadDigest'],
    [{ ChecksumSHA1: 'AAAA' }, 'BadDigest'],
  ])('stores nothing whose sum is wrong: %j', async (sums, name) => {
    const { client } = await start();

    await expect(client.send(new PutObjectCommand({ ...results, Body: 'abc', ...sums }))).rejects.toMatchObject({
      name,
    });

    await expect(client.send(new HeadObjectCommand(results))).rejects.toMatchObject({ name: 'NotFound' });
  });

  it('refuses keys that are too long', async () => {
    const { client } = await start();

    const write = client.send(new PutObjectCommand({ Bucket: 'results', Key: 'ü'.repeat(513), Body: NOTHING }));

    await expect(write).rejects.toMatchObject({ name: 'KeyTooLongError' });
  });
});

async function start(options: Parameters<typeof objectStoreHere>[0] = {}) {
  const store = await objectStoreHere(options);
  onTestFinished(() => store.close());
  return store;
}
