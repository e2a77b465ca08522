import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';

import { startFunction, type LocalFunction } from '../../../../local/aws/lambda/function-pool.ts';
import type { FunctionDescription } from '../../../../local/aws/template/description.ts';

const folder = mkdtempSync(join(tmpdir(), 'rollcall-function-'));
const started: LocalFunction[] = [];
let log = '';

afterEach(() => {
  for (const one of started.splice(0)) one.kill();
  log = '';
});
afterAll(() => rmSync(folder, { recursive: true }));

it('invokes the handler with a Lambda context and exactly the environment that it was given', async () => {
  const lambda = start(`export const handler = async (event, context) => ({
    event, name: context.functionName, left: context.getRemainingTimeInMillis(), id: context.awsRequestId,
    arguments: [event, context].length, environment: Object.keys(process.env).filter((name) => !name.startsWith('NODE_')).sort(),
  });`);

  const answer = await lambda.invoke({ Records: [] });

  expect(answer).toMatchObject({
    event: { Records: [] },
    name: 'worker',
    environment: ['AWS_LAMBDA_FUNCTION_NAME', 'QUEUE'],
  });
  expect((answer as { left: number }).left).toBeGreaterThan(0);
});

it('uses a warm process again, and another while that is busy', async () => {
  const lambda = start(
    'export const handler = async (ms) => { await new Promise((go) => setTimeout(go, ms)); return process.pid; };',
  );

  const first = await lambda.invoke(0);
  const second = await lambda.invoke(0);
  const [third, fourth] = await Promise.all([lambda.invoke(50), lambda.invoke(50)]);

  expect(second).toBe(first);
  expect(new Set([third, fourth]).size).toBe(2);
});

it('kills a process that overruns its time-out, even one that never yields, and starts a fresh one next', async () => {
  const lambda = start('export const handler = async (loop) => { while (loop); return "fresh"; };', {
    timeoutSeconds: 1,
  });

  await expect(lambda.invoke(true)).rejects.toMatchObject({ code: 'Sandbox.Timedout' });

  expect(await lambda.invoke(false)).toBe('fresh');
});

it('fails the invocation when the process ends in the middle of it', async () => {
  const lambda = start('export const handler = async () => { process.exit(3); };');

  await expect(lambda.invoke({})).rejects.toMatchObject({ code: 'Runtime.ExitError' });
});

it('kills a process that holds more memory than the function has', async () => {
  const lambda = start(
    'const held = []; export const handler = async () => { for (;;) { held.push(Buffer.alloc(20e6, 1)); await new Promise((go) => setTimeout(go, 20)); } };',
    { memoryMegabytes: 200, timeoutSeconds: 10 },
  );

  await expect(lambda.invoke({})).rejects.toMatchObject({ code: 'Runtime.OutOfMemory' });
});

it('fails the invocation, and logs the stack, when the handler throws', async () => {
  const lambda = start('export const handler = async () => { throw new TypeError("no such thing"); };');

  await expect(lambda.invoke({})).rejects.toMatchObject({
    code: 'Runtime.Unhandled',
    message: 'TypeError: no such thing',
  });
  expect(log).toContain('index.mjs');
});

it('says so when the bundle cannot be loaded', async () => {
  const lambda = start('import "nothing-of-this-name"; export const handler = async () => {};');

  await expect(lambda.invoke({})).rejects.toMatchObject({ code: 'Runtime.ImportModuleError' });
});

it('throttles beyond the reserved concurrency', async () => {
  const lambda = start('export const handler = () => new Promise((go) => setTimeout(go, 100));', {
    reservedConcurrency: 1,
  });

  const [first, second] = await Promise.allSettled([lambda.invoke({}), lambda.invoke({})]);

  expect(first.status).toBe('fulfilled');
  expect(second).toMatchObject({ status: 'rejected', reason: { code: 'Throttled' } });
});

it('fails what is under way when its processes are killed', async () => {
  const lambda = start('export const handler = () => new Promise((go) => setTimeout(go, 5_000));');
  const invocation = lambda.invoke({});
  invocation.catch(() => undefined); // it is looked at only after the kill

  expect(lambda.kill()).toBe(1);

  await expect(invocation).rejects.toMatchObject({ code: 'Runtime.ExitError' });
});

let count = 0;

function start(source: string, settings: Partial<FunctionDescription> = {}): LocalFunction {
  const bundle = mkdtempSync(join(folder, `bundle-${(count += 1)}-`));
  writeFileSync(join(bundle, 'index.mjs'), source);
  const description: FunctionDescription = {
    name: 'worker',
    label: 'worker',
    arn: 'arn:aws:lambda:us-east-1:000000000000:function:worker',
    roleArn: 'arn:aws:iam::000000000000:role/worker',
    handler: 'index.handler',
    folder: bundle,
    environment: {},
    timeoutSeconds: 10,
    memoryMegabytes: 256,
    aliases: [],
    ...settings,
  };
  const lambda = startFunction(description, {
    environment: { AWS_LAMBDA_FUNCTION_NAME: 'worker', QUEUE: 'rows' },
    log: (text) => {
      log += text;
    },
  });
  started.push(lambda);
  return lambda;
}
