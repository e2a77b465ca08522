import { execFile, fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { RollcallError } from '../../../shared/errors.ts';
import type { FunctionDescription } from '../template/description.ts';

const CHECK_MEMORY_EVERY_MS = 250;
/** The part of its memory that the process may fill with objects, as Lambda's Node runtime sets it. */
const HEAP_SHARE = 0.9;
const PAGE_BYTES = 4096;

/** Runs a function once, by an alias where one is named. */
export type Invoke = (event: unknown, alias?: string) => Promise<unknown>;

/** One execution environment: it runs one invocation at a time, and is not used again after it died. */
export interface FunctionProcess {
  readonly pid: number | undefined;
  readonly alive: () => boolean;
  /** Throws InvocationFailed. */
  readonly invoke: Invoke;
  readonly kill: () => void;
}

export interface ProcessOptions {
  /** Everything that the process finds in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Each piece of what it writes to stdout and stderr. */
  readonly log: (text: string) => void;
}

/** What runtime.ts is asked. */
export interface Invocation {
  readonly id: string;
  readonly event: unknown;
  /** The alias that was invoked, if one was. */
  readonly alias?: string | undefined;
  /** Epoch milliseconds at which the process is killed. */
  readonly deadlineMs: number;
}

/** What runtime.ts says. */
export type RuntimeMessage =
  | { readonly kind: 'answered'; readonly id: string; readonly result: unknown }
  | { readonly kind: 'threw'; readonly id: string; readonly error: ThrownError }
  | { readonly kind: 'unloadable'; readonly error: ThrownError };

export interface ThrownError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

/** Why an invocation failed, in Lambda's own words. */
export type FailureCode =
  | 'Sandbox.Timedout'
  | 'Runtime.ExitError'
  | 'Runtime.OutOfMemory'
  | 'Runtime.Unhandled'
  | 'Runtime.ImportModuleError'
  | 'Throttled';

/** An invocation failed as a whole: the function threw, died, overran its time or memory, or had no process free. */
export class InvocationFailed extends RollcallError {
  readonly code: FailureCode;
  readonly temporary = true;

  constructor(code: FailureCode, message: string) {
    super(message);
    this.code = code;
  }
}

interface Call {
  readonly id: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: InvocationFailed) => void;
}

/** Starts a process that loads a function's bundle and waits for invocations. */
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

  child.on('message', (message: RuntimeMessage) => {
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
    invoke: async (event, alias) => {
      if (death) throw death;
      const stopGuard = guardLimits(lambda, child, die);
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      const invocation: Invocation = {
        id: randomUUID(),
        event,
        alias,
        deadlineMs: Date.now() + lambda.timeoutSeconds * 1000,
      };
      call = { id: invocation.id, resolve, reject };
      child.send(invocation, (error) => {
        if (error) die('Runtime.ExitError', error.message);
      });
      return promise.finally(stopGuard);
    },
  };
}

function forkRuntime(lambda: FunctionDescription, { environment, log }: ProcessOptions): ChildProcess {
  const child = fork(fileURLToPath(new URL('runtime.ts', import.meta.url)), [lambda.folder, lambda.handler], {
    env: { ...environment },
    execArgv: [`--max-old-space-size=${Math.floor(lambda.memoryMegabytes * HEAP_SHARE)}`],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true, // Ctrl-C reaches a terminal's whole process group, and only the stack says when a function ends
  });
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', log);
  return child;
}

/** Kills the process when it overruns its time or its memory; returns what ends the guard. */
function guardLimits(
  lambda: FunctionDescription,
  child: ChildProcess,
  die: (code: FailureCode, message: string) => void,
): () => void {
  const timer = setTimeout(
    () => die('Sandbox.Timedout', `timed out after ${lambda.timeoutSeconds} seconds`),
    lambda.timeoutSeconds * 1000,
  );
  const checkMemory = async (): Promise<void> => {
    const bytes = child.pid === undefined ? 0 : await residentMemory(child.pid);
    if (bytes > lambda.memoryMegabytes * 2 ** 20)
      die('Runtime.OutOfMemory', `used more than ${lambda.memoryMegabytes} MB`);
  };
  const checks = setInterval(() => void checkMemory(), CHECK_MEMORY_EVERY_MS);
  return () => {
    clearTimeout(timer);
    clearInterval(checks);
  };
}

/** How many bytes of memory a process holds; 0 when it is gone. */
export async function residentMemory(pid: number): Promise<number> {
  try {
    if (process.platform === 'linux') {
      const [, resident] = (await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ');
      return Number(resident) * PAGE_BYTES;
    }
    const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
    return Number(stdout) * 1024;
  } catch {
    return 0; // it ended between two checks
  }
}
