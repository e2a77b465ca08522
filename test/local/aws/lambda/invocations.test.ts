import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { createAccessControl } from '../../../../local/aws/access-control.ts';
import { startFunction, type LocalFunction } from '../../../../local/aws/lambda/function-pool.ts';
import { startInvocations } from '../../../../local/aws/lambda/invocations.ts';
import { invokeFunction } from '../../../../shared/aws/invoke-function.ts';

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function:Rollcall-Intake';
const SOURCE = `export const handler = async (event, { invokedFunctionArn }) => {
  if (event.ask === 'fail') throw new Error('not today');
  if (event.ask === 'wait') await new Promise((go) => setTimeout(go, 300));
  return { event, invokedFunctionArn };
};`;

const folder = mkdtempSync(join(tmpdir(), 'rollcall-invocations-'));
const access = createAccessControl();
const you = access.issueKey({ name: 'you' });
let lambda: LocalFunction;
let server: Awaited<ReturnType<typeof startInvocations>>;

beforeAll(async () => {
  writeFileSync(join(folder, 'index.mjs'), SOURCE);
  lambda = startFunction(
    {
      name: 'Rollcall-Intake',
      label: 'intake',
      arn: ARN,
      roleArn: 'arn:aws:iam::000000000000:role/intake',
      handler: 'index.handler',
      folder,
      environment: {},
      timeoutSeconds: 10,
      memoryMegabytes: 256,
      reservedConcurrency: 1,
      aliases: ['stop'],
    },
    { environment: { AWS_LAMBDA_FUNCTION_NAME: 'Rollcall-Intake', AWS_REGION: 'us-east-1' }, log: () => undefined },
  );
  server = await startInvocations({
    functions: [lambda],
    credentials: access.secretOf,
    region: 'us-east-1',
    record: access.authorize,
  });
});

afterAll(async () => {
  await server.close();
  lambda.kill();
  rmSync(folder, { recursive: true });
});

const invoke = (functionName: string, payload: object = {}, key = you): Promise<unknown> =>
  invokeFunction({
    environment: {
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL_LAMBDA: server.url,
      AWS_ACCESS_KEY_ID: key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
    },
    functionName,
    payload,
  });

it.each([
  ['Rollcall-Intake', ARN],
  ['Rollcall-Intake:stop', `${ARN}:stop`],
  [`${ARN}:stop`, `${ARN}:stop`],
])('runs the function that is invoked as %s, and answers with what it returns', async (name, invokedFunctionArn) => {
  const answer = await invoke(name, { command: 'pause' });

  expect(answer).toEqual({ event: { command: 'pause' }, invokedFunctionArn });
  expect(access.requests()).toContainEqual(
    expect.objectContaining({ caller: 'you', action: 'lambda:InvokeFunction', resource: invokedFunctionArn }),
  );
});

it.each([
  ['a function that there is not', 'Nobody', {}, /404, .*Function not found: Nobody/],
  ['an alias that there is not', 'Rollcall-Intake:go', {}, /404, .*Function not found: Rollcall-Intake:go/],
  ['a function that fails', 'Rollcall-Intake', { ask: 'fail' }, /200, .*not today/],
])('tells of %s', async (_, name, payload, said) => {
  await expect(invoke(name, payload)).rejects.toThrow(said);
});

it('runs no more at once than the function has reserved', async () => {
  const [first, second] = await Promise.allSettled([
    invoke('Rollcall-Intake', { ask: 'wait' }),
    invoke('Rollcall-Intake', { ask: 'wait' }),
  ]);

  const refused = [first, second].flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
  expect(refused).toEqual([expect.stringMatching(/429, .*Rate Exceeded/)]);
});

it('runs nothing for who may not stop, or says to be somebody else', async () => {
  const statements = [{ effect: 'Allow' as const, actions: ['lambda:InvokeFunction'], resources: [`${ARN}:stop`] }];
  const operator = access.issueKey({ name: 'operator', role: { name: 'operator', arn: 'arn', statements } });

  await expect(invoke('Rollcall-Intake:stop', {}, operator)).resolves.toBeDefined();
  await expect(invoke('Rollcall-Intake', {}, operator)).rejects.toThrow(/403, .*not authorized/);
  await expect(invoke('Rollcall-Intake:stop', {}, { ...operator, secretAccessKey: 'another' })).rejects.toThrow(
    /403, .*signature/,
  );
});

it('refuses what is not signed', async () => {
  const answer = await fetch(`${server.url}/2015-03-31/functions/Rollcall-Intake/invocations`, { method: 'POST' });

  expect(answer.status).toBe(403);
});

it('says that Lambda cannot be reached, rather than waiting', async () => {
  const environment = {
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL_LAMBDA: 'http://127.0.0.1:9',
    AWS_ACCESS_KEY_ID: 'LOCAL',
    AWS_SECRET_ACCESS_KEY: 'secret',
  };

  await expect(invokeFunction({ environment, functionName: 'Rollcall-Intake', payload: {} })).rejects.toThrow(
    /Lambda could not be reached/,
  );
});
