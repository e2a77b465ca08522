// A ceiling: the bare SendMessageBatch loop of the SDK with bodies like those of rows, eight calls under way.
// `send-loop-run.mjs <SQS endpoint> <messages>`.
import { SendMessageBatchCommand } from '@aws-sdk/client-sqs';

import { sqsClient } from '../../../shared/adapters/clients.ts';
import type { Task } from '../../../shared/job/task.ts';
import { report } from './report.ts';

const [endpoint = '', messageCount = '0'] = process.argv.slice(2);
const messages = Number(messageCount);
const UNDER_WAY = 8;

const client = sqsClient({
  AWS_ENDPOINT_URL_SQS: endpoint,
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'bench',
  AWS_SECRET_ACCESS_KEY: 'bench',
});
const jobId = 'bench-0123456789ab';
let sent = 0;

const started = performance.now();
await Promise.all(Array.from({ length: UNDER_WAY }, lane));
report({ rows: sent, seconds: (performance.now() - started) / 1_000 });
client.destroy();

async function lane(): Promise<void> {
  while (sent < messages) {
    const first = sent;
    sent += 10;
    const entries = Array.from({ length: 10 }, (_, index) => ({
      Id: String(index),
      MessageBody: JSON.stringify(taskOf(first + index)),
      MessageGroupId: jobId,
    }));
    await client.send(new SendMessageBatchCommand({ QueueUrl: `${endpoint}/000000000000/rows`, Entries: entries }));
  }
}

function taskOf(row: number): Task {
  const cells = { email: `person.number.${row}@acme.example`, groupName: `team-${row % 200}` };
  const which = { jobId, target: 'acme', operation: 'membership', row, line: row + 2 };
  return { version: 1, ...which, cells, generation: 0, attempts: 0 };
}
