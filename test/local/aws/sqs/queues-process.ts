// An embedded SQS as a process of its own, to be killed: its URL is its first line.
import { startQueues } from '../../../../local/aws/sqs/queues.ts';
import { ACCOUNT, KEY, REGION } from './queues-here.ts';

const server = await startQueues({
  folder: process.argv[2] ?? '',
  credentials: () => KEY.secretAccessKey,
  region: REGION,
  account: ACCOUNT,
  record: () => undefined,
});
server.create([
  { name: 'rows', attributes: { VisibilityTimeout: '60' } },
  { name: 'events.fifo', attributes: { FifoQueue: 'true' } },
]);
console.log(server.url);
