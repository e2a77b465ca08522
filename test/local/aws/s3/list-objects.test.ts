import {
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  ListObjectsCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type ListObjectsCommandOutput,
} from '@aws-sdk/client-s3';
import { describe, expect, it, onTestFinished } from 'vitest';

import { objectStoreHere } from './object-store-here.ts';

const KEYS = ['a', 'b/1', 'b/2', 'b/3', 'c', 'd/1', 'e'];
const results = { Bucket: 'results' };
const inbox = { Bucket: 'inbox' };

describe('the first version of listing', () => {
  it.each([1, 2, 1_000])('goes on from the marker, %i at a time', async (MaxKeys) => {
    const { client } = await start();

    const seen: string[] = [];
    let next: string | undefined;
    do {
      const Marker: string = next ?? '';
      const page: ListObjectsCommandOutput = await client.send(
        new ListObjectsCommand({ ...results, Delimiter: '/', MaxKeys, Marker }),
      );
      expect(page).toMatchObject({ Marker, Delimiter: '/', MaxKeys });
      seen.push(...namesIn(page));
      next = page.NextMarker;
    } while (next);

    expect(seen.toSorted()).toEqual(['a', 'b/', 'c', 'd/', 'e']);
  });

  it('goes on from the last key where nothing is rolled up', async () => {
    const { client } = await start();

    const first = await client.send(new ListObjectsCommand({ ...results, Prefix: 'b/', MaxKeys: 2 }));
    const second = await client.send(new ListObjectsCommand({ ...results, Prefix: 'b/', Marker: 'b/2' }));

    expect([namesIn(first), first.IsTruncated, first.NextMarker]).toEqual([['b/1', 'b/2'], true, undefined]);
    expect([namesIn(second), second.IsTruncated]).toEqual([['b/3'], false]);
  });

  it('encodes names when asked to, and leaves out what is deleted', async () => {
    const { client } = await start();
    await client.send(new PutObjectCommand({ ...results, Key: 'b ü&', Body: 'x' }));
    await client.send(new DeleteObjectCommand({ ...results, Key: 'b/1' }));

    const page = await client.send(new ListObjectsCommand({ ...results, Prefix: 'b', EncodingType: 'url' }));

    expect(namesIn(page)).toEqual(['b%20%C3%BC%26', 'b/2', 'b/3']);
  });
});

describe('a listing of versions', () => {
  it.each([1, 2, 3, 1_000])('has every version and delete marker, %i at a time', async (MaxKeys) => {
    const { client } = await start();
    const old = await client.send(new PutObjectCommand({ ...inbox, Key: 'k', Body: 'old' }));
    const gone = await client.send(new DeleteObjectCommand({ ...inbox, Key: 'k' }));
    const next = await client.send(new PutObjectCommand({ ...inbox, Key: 'k', Body: 'newer' }));
    const other = await client.send(new PutObjectCommand({ ...inbox, Key: 'l', Body: 'l' }));

    const versions = [];
    const markers = [];
    for (let place = {}, more = true; more;) {
      const page = await client.send(new ListObjectVersionsCommand({ ...inbox, MaxKeys, ...place }));
      versions.push(...(page.Versions ?? []));
      markers.push(...(page.DeleteMarkers ?? []));
      place = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
      more = page.IsTruncated === true;
    }

    expect(versions).toMatchObject([
      { Key: 'k', VersionId: next.VersionId, IsLatest: true, Size: 5, ETag: next.ETag, StorageClass: 'STANDARD' },
      { Key: 'k', VersionId: old.VersionId, IsLatest: false, Size: 3 },
      { Key: 'l', VersionId: other.VersionId, IsLatest: true, Size: 1 },
    ]);
    expect(markers).toMatchObject([{ Key: 'k', VersionId: gone.VersionId, IsLatest: false }]);
  });

  it('rolls folders up, and says null where there are no versions', async () => {
    const { client } = await start();

    const first = await client.send(new ListObjectVersionsCommand({ ...results, Delimiter: '/', MaxKeys: 2 }));
    const second = await client.send(
      new ListObjectVersionsCommand({ ...results, Delimiter: '/', KeyMarker: first.NextKeyMarker }),
    );

    expect(first.CommonPrefixes).toEqual([{ Prefix: 'b/' }]);
    expect(first.Versions).toMatchObject([{ Key: 'a', VersionId: 'null', IsLatest: true }]);
    expect(second.Versions?.map(({ Key }) => Key)).toEqual(['c', 'e']);
    expect(second.CommonPrefixes).toEqual([{ Prefix: 'd/' }]);
  });
});

it('says which buckets keep versions', async () => {
  const { client } = await start();

  expect((await client.send(new GetBucketVersioningCommand(inbox))).Status).toBe('Enabled');
  expect((await client.send(new GetBucketVersioningCommand(results))).Status).toBeUndefined();
});

it('records each as IAM names it', async () => {
  const { client, calls } = await start();
  const before = calls.length;

  await client.send(new ListObjectsCommand(inbox));
  await client.send(new ListObjectVersionsCommand(inbox));
  await client.send(new GetBucketVersioningCommand(inbox));

  const resource = 'arn:aws:s3:::inbox';
  expect(calls.slice(before)).toMatchObject([
    { action: 's3:ListBucket', resource },
    { action: 's3:ListBucketVersions', resource },
    { action: 's3:GetBucketVersioning', resource },
  ]);
});

interface Listed {
  readonly Contents?: readonly { readonly Key?: string | undefined }[] | undefined;
  readonly CommonPrefixes?: readonly { readonly Prefix?: string | undefined }[] | undefined;
}

const namesIn = ({ Contents = [], CommonPrefixes = [] }: Listed): readonly string[] => [
  ...Contents.map(({ Key = '' }) => Key),
  ...CommonPrefixes.map(({ Prefix = '' }) => Prefix),
];

async function start() {
  const store = await objectStoreHere();
  onTestFinished(() => store.close());
  for (const Key of KEYS) await store.client.send(new PutObjectCommand({ ...results, Key, Body: 'x' }));
  return store;
}
