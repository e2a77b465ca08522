// A ceiling: the bare SendMessageBatch loop of the SDK with bodies like those of rows. Calls go in waves, which cost a third less
// processor time than one call as another ends. `send-loop-run.mjs <SQS endpoint> <messages>`.
import { SendMessageBatchCommand } from '@aws-sdk/client-sqs';

import { sqsClient } from '../../../shared/aws/clients.ts';
import type { Task } from '../../../shared/job/messages.ts';
import { report } from './report.ts';

const [endpoint = '', messageCount = '0'] = process.argv.slice(2);
const messages = Number(messageCount);
const CALLS_A_WAVE = 32;

const client = sqsClient({
  AWS_ENDPOINT_URL_SQS: endpoint,
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'bench',
  AWS_SECRET_ACCESS_KEY: 'bench',
});
const jobId = 'bench-0123456789ab';
const QueueUrl = `${endpoint}/000000000000/rows`;
let sent = 0;

const started = performance.now();
while (sent < messages) await Promise.all(Array.from({ length: CALLS_A_WAVE }, sendTen));
report({ rows: sent, seconds: (performance.now() - started) / 1_000 });
client.destroy();

async function sendTen(): Promise<void> {
  const first = sent;
  sent += 10;
  const entries = Array.from({ length: 10 }, (_, index) => ({
    Id: String(index),
    MessageBody: JSON.stringify(taskOf(first + index)),
    MessageGroupId: jobId,
  }));
  await client.send(new SendMessageBatchCommand({ QueueUrl, Entries: entries }));
}

function taskOf(row: number): Task {
  const subject = { accountId: `5b10ac8d82e05b22cc7d${row}`, groupId: `0f9c8b7a-${row % 200}` };
  const states = { before: { member: false }, after: { member: true } };
  const which = { jobId, target: 'acme', operation: 'membership', row, line: row + 2 };
  const common = { ...which, generation: 0, attempts: 0, plannedAt: '2026-11-21T08:00:00.000Z' };
  return { version: 2, kind: 'change', ...common, subject, ...states };
}
