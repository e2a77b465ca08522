// What runs inside a function's process: loads the bundle as Lambda's Node runtime does and answers invocations over IPC.
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { Invocation, RuntimeMessage, ThrownError } from './function-process.ts';

type Handler = (event: unknown, context: object) => unknown;

process.on('disconnect', () => process.exit(0)); // the stack is gone, however it went
const handler = loadHandler();
handler.catch((error: unknown) => report({ kind: 'unloadable', error: describeError(error) }));
process.on('message', (invocation: Invocation) => void answer(invocation));

async function loadHandler(): Promise<Handler> {
  const [folder = '.', handlerName = 'index.handler'] = process.argv.slice(2);
  const [file, name = ''] = handlerName.split('.');
  const path = ['mjs', 'js', 'cjs'].map((extension) => join(folder, `${file}.${extension}`)).find(existsSync);
  if (path === undefined) throw new Error(`${folder} has no ${file}.mjs, .js or .cjs`);
  const module = (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>; // a module namespace
  const found = module[name];
  if (typeof found === 'function') return found as Handler; // Lambda, too, finds out by calling it
  throw new Error(`${path} exports no function ${name}`);
}

async function answer({ id, event, alias, deadlineMs }: Invocation): Promise<void> {
  try {
    const result = await (await handler)(event, contextOf({ id, alias, deadlineMs }));
    report({ kind: 'answered', id, result: result ?? null });
  } catch (error) {
    report({ kind: 'threw', id, error: describeError(error) });
  }
}

function contextOf({ id: awsRequestId, alias, deadlineMs }: Omit<Invocation, 'event'>): object {
  const name = process.env['AWS_LAMBDA_FUNCTION_NAME'] ?? '';
  return {
    awsRequestId,
    functionName: name,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:${process.env['AWS_REGION']}:000000000000:function:${name}${alias === undefined ? '' : `:${alias}`}`,
    memoryLimitInMB: process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'] ?? '',
    logGroupName: `/aws/lambda/${name}`,
    logStreamName: `local/${randomUUID()}`,
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
  };
}

const describeError = (error: unknown): ThrownError =>
  error instanceof Error
    ? { name: error.name, message: error.message, stack: error.stack ?? '' }
    : { name: 'Error', message: String(error), stack: '' };

function report(message: RuntimeMessage): void {
  process.send?.(message);
}
