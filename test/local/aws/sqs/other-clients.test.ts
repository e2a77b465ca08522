import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';

import { KEY, queuesHere, redriveTo, REGION } from './queues-here.ts';

const run = promisify(execFile);

/** Clients from before 2024 speak the Query protocol, which the emulator does not. */
const speaksJson = (python: string): boolean =>
  spawnSync('python3', ['-c', `${python}\nassert 'json' in session.get_service_model('sqs').metadata['protocol']`])
    .status === 0;

const BOTO3 = `
import boto3, os
sqs = boto3.client('sqs', endpoint_url=os.environ['AWS_ENDPOINT_URL'])
url = sqs.get_queue_url(QueueName='rows')['QueueUrl']
sent = sqs.send_message(QueueUrl=url, MessageBody='ü', MessageAttributes={'a': {'DataType': 'String', 'StringValue': 'b'}})
message = sqs.receive_message(QueueUrl=url, MessageAttributeNames=['All'], AttributeNames=['All'], WaitTimeSeconds=1)['Messages'][0]
print(message['MessageId'] == sent['MessageId'], message['Body'], message['MessageAttributes']['a']['StringValue'])
sqs.delete_message(QueueUrl=url, ReceiptHandle=message['ReceiptHandle'])
print(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['ApproximateNumberOfMessagesNotVisible'])['Attributes'])
try:
    sqs.receive_message(QueueUrl=url + 'x')
except sqs.exceptions.QueueDoesNotExist as error:
    print(error.response['Error']['Code'])
`;

describe.skipIf(!speaksJson('import boto3, botocore.session as s\nsession = s.get_session()'))('boto3', () => {
  it('sends, receives and deletes, and knows what it is refused', async () => {
    const { environment } = await start();

    const { stdout } = await run('python3', ['-c', BOTO3], { env: environment });

    expect(stdout.split('\n').slice(0, 3)).toEqual([
      'True ü b',
      "{'ApproximateNumberOfMessagesNotVisible': '0'}",
      'AWS.SimpleQueueService.NonExistentQueue',
    ]);
  }, 30_000);
});

describe.skipIf(!speaksJson('import awscli.clidriver as c\nsession = c.create_clidriver().session'))(
  'the AWS CLI',
  () => {
    it('lists, sends, receives, moves and purges', async () => {
      const { aws, here } = await start();
      const url = here.urlOf('dead-letters');

      expect(await aws('list-queues')).toEqual({ QueueUrls: [here.urlOf('rows'), url] });
      await aws('send-message', '--queue-url', url, '--message-body', 'x', '--message-group-id', 'job');
      const arn = 'arn:aws:sqs:eu-central-1:000000000000:';
      const move = ['start-message-move-task', '--source-arn', `${arn}dead-letters`, '--destination-arn', `${arn}rows`];
      expect(await aws(...move)).toEqual({ TaskHandle: expect.any(String) });
      await expect.poll(() => here.receive('rows', { VisibilityTimeout: 0 })).toMatchObject([{ Body: 'x' }]);
      await aws('purge-queue', '--queue-url', here.urlOf('rows'));
      expect(await here.receive('rows')).toEqual([]);
    }, 60_000);
  },
);

async function start() {
  const here = await queuesHere({ rows: redriveTo('dead-letters'), 'dead-letters': {} });
  onTestFinished(() => here.close());
  const environment = {
    PATH: process.env['PATH'],
    HOME: here.folder,
    LC_ALL: 'C.UTF-8',
    AWS_ENDPOINT_URL: here.url,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCESS_KEY_ID: KEY.accessKeyId,
    AWS_SECRET_ACCESS_KEY: KEY.secretAccessKey,
  };
  const aws = async (...words: readonly string[]): Promise<unknown> => {
    const options = ['--endpoint-url', here.url, '--output', 'json'];
    const { stdout } = await run('aws', ['sqs', ...words, ...options], { env: environment });
    return stdout === '' ? undefined : JSON.parse(stdout);
  };
  return { here, environment, aws };
}
