import { afterAll, beforeAll } from 'vitest';

import { s3ObjectStore } from '../../shared/aws/s3-object-store.ts';
import { memoryObjectStore } from '../fakes/memory-object-store.ts';
import { objectStoreHere, type ObjectStoreHere } from '../local/aws/s3/object-store-here.ts';
import { objectStoreContract } from './object-store-contract.ts';

objectStoreContract('the object store in memory', () => memoryObjectStore());

const plain = Array.from({ length: 60 }, (_, index) => `plain-${index}`);
const versioned = Array.from({ length: 60 }, (_, index) => `versioned-${index}`);
let here: ObjectStoreHere;

beforeAll(async () => {
  here = await objectStoreHere({
    buckets: [
      ...plain.map((name) => ({ name, versioned: false })),
      ...versioned.map((name) => ({ name, versioned: true })),
    ],
  });
});
afterAll(() => here.close());

const nextOf = (buckets: string[]) => () =>
  s3ObjectStore({ client: here.client, bucket: buckets.pop() ?? 'none is left' });

objectStoreContract('the adapter over S3', nextOf(plain));
objectStoreContract('the adapter over S3 with a versioned bucket', nextOf(versioned));
