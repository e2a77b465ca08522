import { type PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';

import { s3ObjectStore } from '../../../shared/aws/s3-object-store.ts';

it.each([
  ['prod/suspend/job/report.html', 'text/html; charset=utf-8'],
  ['prod/suspend/job/results.csv', 'text/csv; charset=utf-8'],
  ['prod/suspend/job/summary.json', 'application/json'],
  ['rows/job/0.ndjson.gz', undefined],
])('stores %s so that a browser shows it: %s', async (key, type) => {
  const client = new S3Client({ region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });
  const types: unknown[] = [];
  client.middlewareStack.add(
    () => async (sent) => {
      types.push((sent.input as PutObjectCommand['input']).ContentType);
      return { response: {}, output: { $metadata: {} } };
    },
    { step: 'initialize' },
  );

  await s3ObjectStore({ client, bucket: 'results' }).write(key, 'tea');

  expect(types).toEqual([type]);
});
