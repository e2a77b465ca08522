import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';

import type { FunctionDescription } from '../template/description.ts';
import { InvocationFailed, type FailureCode } from './errors.ts';
import type { FromRuntime } from './protocol.ts';
import { residentMemory } from './resident-memory.ts';

const MEMORY_LOOK_MS = 250;
/** The part of its memory that the process may fill with objects, as Lambda's Node runtime sets it. */
const HEAP_SHARE = 0.9;

/** One execution environment: it runs one invocation at a time, and is not used again after it died. */
export interface FunctionProcess {
  readonly pid: number | undefined;
  readonly alive: () => boolean;
  /** Throws InvocationFailed. */
  readonly invoke: (event: unknown) => Promise<unknown>;
  readonly kill: () => void;
}

export interface ProcessOptions {
  /** Everything that the process finds in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Each piece of what it writes to stdout and stderr. */
  readonly log: (text: string) => void;
}

interface Call {
  readonly id: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: InvocationFailed) => void;
}

export function startFunctionProcess(lambda: FunctionDescription, options: ProcessOptions): FunctionProcess {
  const child = forkRuntime(lambda, options);
  let call: Call | undefined;
  let death: InvocationFailed | undefined;

  const settle = (): Call | undefined => {
    const settled = call;
    call = undefined;
    return settled;
  };
  const die = (code: FailureCode, message: string): void => {
    death ??= new InvocationFailed(code, `${lambda.name}: ${message}`);
    child.kill('SIGKILL');
  };

  child.on('message', (message: FromRuntime) => {
    if (message.kind === 'unloadable') return die('Runtime.ImportModuleError', message.error.message);
    if (death !== undefined || message.id !== call?.id) return undefined;
    if (message.kind === 'answered') return settle()?.resolve(message.result);
    options.log(`${message.error.stack || message.error.message}\n`);
    const text = `${message.error.name}: ${message.error.message}`;
    return settle()?.reject(new InvocationFailed('Runtime.Unhandled', text));
  });
  child.on('error', (error) => die('Runtime.ExitError', error.message));
  child.on('exit', (code, signal) => {
    death ??= new InvocationFailed('Runtime.ExitError', `${lambda.name}: its process ended with ${signal ?? code}`);
    if (call) options.log(`${death.code} ${death.message}\n`);
    settle()?.reject(death);
  });

  return {
    pid: child.pid,
    alive: () => death === undefined && child.connected,
    kill: () => die('Runtime.ExitError', 'killed'),
    invoke: (event) =>
      new Promise((resolve, reject) => {
        if (death) return reject(death);
        const id = randomUUID();
        const stopWatching = watch(lambda, child, die);
        const after =
          <T>(then: (value: T) => void) =>
          (value: T): void => {
            stopWatching();
            then(value);
          };
        call = { id, resolve: after(resolve), reject: after(reject) };
        const deadlineMs = Date.now() + lambda.timeoutSeconds * 1000;
        return child.send({ id, event, deadlineMs }, (error) => {
          if (error) die('Runtime.ExitError', error.message);
        });
      }),
  };
}

function forkRuntime(lambda: FunctionDescription, { environment, log }: ProcessOptions): ChildProcess {
  const child = fork(fileURLToPath(new URL('runtime.ts', import.meta.url)), [lambda.folder ?? '.', lambda.handler], {
    env: { ...environment },
    execArgv: [`--max-old-space-size=${Math.floor(lambda.memoryMegabytes * HEAP_SHARE)}`],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true, // Ctrl-C reaches a terminal's whole process group, and only the stack says when a function ends
  });
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', log);
  return child;
}

/** Kills the process when it overruns its time or its memory; returns what ends the watch. */
function watch(
  lambda: FunctionDescription,
  child: ChildProcess,
  die: (code: FailureCode, message: string) => void,
): () => void {
  const timer = setTimeout(
    () => die('Sandbox.Timedout', `timed out after ${lambda.timeoutSeconds} seconds`),
    lambda.timeoutSeconds * 1000,
  );
  const looks = setInterval(() => void look(), MEMORY_LOOK_MS);
  const look = async (): Promise<void> => {
    const bytes = child.pid === undefined ? 0 : await residentMemory(child.pid);
    if (bytes > lambda.memoryMegabytes * 2 ** 20)
      die('Runtime.OutOfMemory', `used more than ${lambda.memoryMegabytes} MB`);
  };
  return () => {
    clearTimeout(timer);
    clearInterval(looks);
  };
}
