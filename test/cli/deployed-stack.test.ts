import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { openPipeline } from '../../cli/pipeline.ts';

/** CloudFormation's DescribeStacks, as its Query protocol answers. (AWS CloudFormation API reference.) */
const STACK = (outputs: Readonly<Record<string, string>>): string =>
  `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks><member><StackName>Rollcall</StackName><CreationTime>2026-11-27T09:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus><Outputs>${Object.entries(
    outputs,
  )
    .map(([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`)
    .join('')}</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`;
const ABSENT =
  '<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id Rollcall does not exist</Message></Error><RequestId>1</RequestId></ErrorResponse>';

const OUTPUTS = {
  InboxBucketName: 'rollcall-inbox-1',
  ResultsBucketName: 'rollcall-results-1',
  DeadLetterQueueUrl: 'https://sqs.eu-west-1.amazonaws.com/1/dead',
  IntakeFunctionName: 'Rollcall-Intake:stop',
  TargetSecretPrefix: 'rollcall/production/',
};

let server: Server;
let answer: { readonly status: number; readonly body: string };

beforeEach(async () => {
  server = createServer((_request, response) => {
    response.writeHead(answer.status, { 'content-type': 'text/xml' }).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on a port
  vi.stubEnv('AWS_ENDPOINT_URL_CLOUDFORMATION', `http://127.0.0.1:${port}`);
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'a');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'b');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('a deployed stack', () => {
  it('says itself where its parts are', async () => {
    answer = { status: 200, body: STACK(OUTPUTS) };

    expect(await openPipeline({ folder: '.rollcall', stack: 'Rollcall' })).toMatchObject({
      inboxBucket: OUTPUTS.InboxBucketName,
      resultsBucket: OUTPUTS.ResultsBucketName,
      deadLetterQueueUrl: OUTPUTS.DeadLetterQueueUrl,
      intakeFunctionName: OUTPUTS.IntakeFunctionName,
      secretPrefix: OUTPUTS.TargetSecretPrefix,
    });
  });

  it('is found by the variable where no option names one', async () => {
    answer = { status: 200, body: STACK(OUTPUTS) };
    vi.stubEnv('ROLLCALL_STACK', 'Rollcall');

    expect(await openPipeline({ folder: '.rollcall' })).toMatchObject({ inboxBucket: OUTPUTS.InboxBucketName });
  });

  it('counts less than what is named besides', async () => {
    answer = { status: 200, body: STACK(OUTPUTS) };

    const pipeline = await openPipeline({ folder: '.rollcall', stack: 'Rollcall', results: 'elsewhere' });

    expect(pipeline).toMatchObject({ inboxBucket: OUTPUTS.InboxBucketName, resultsBucket: 'elsewhere' });
  });

  it('that there is not is named with its region, and what to do', async () => {
    answer = { status: 400, body: ABSENT };

    await expect(openPipeline({ folder: '.rollcall', stack: 'Rollcall' })).rejects.toThrow(
      'There is no stack Rollcall in eu-west-1. Name the region with AWS_REGION',
    );
  });

  it('that is somebody else’s is no pipeline', async () => {
    answer = { status: 200, body: STACK({ Tea: 'green' }) };

    await expect(openPipeline({ folder: '.rollcall', stack: 'Tea' })).rejects.toThrow(
      'is no pipeline of Rollcall’s'.replace('’', "'"),
    );
  });
});
