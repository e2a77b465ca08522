// An embedded object store as a process of its own, to be killed: its URL is its first line.
import { startObjectStore } from '../../../../local/aws/s3/object-store.ts';
import { ACCESS_KEY, REGION } from './object-store-here.ts';

const store = await startObjectStore({
  folder: process.argv[2] ?? '',
  region: REGION,
  buckets: [
    { name: 'inbox', versioned: true },
    { name: 'results', versioned: false },
  ],
  credentials: () => ACCESS_KEY.secretAccessKey,
  record: () => undefined,
  created: () => new Promise(() => undefined),
});
console.log(store.url);
