import { fork } from 'node:child_process';

import { bundleRun } from './measured-process.ts';

/** An SQS that answers and forgets, in a process of its own. */
export interface Sink {
  readonly url: string;
  readonly stop: () => void;
}

export async function startSink(): Promise<Sink> {
  const child = fork(bundleRun('sqs-sink'), [], { execArgv: [] });
  const { promise, resolve, reject } = Promise.withResolvers<{ readonly url: string }>();
  child.once('message', (message) => resolve(message as { url: string })); // sqs-sink.ts sends it
  child.once('exit', () => reject(new Error('The endpoint that forgets did not start')));
  const { url } = await promise;
  return { url, stop: () => void child.kill() };
}
