import type { FunctionDescription } from '../template/description.ts';
import {
  InvocationFailed,
  startFunctionProcess,
  type FunctionProcess,
  type Invoke,
  type ProcessOptions,
} from './function-process.ts';

/** A function of the stack: as many processes as there are invocations at a time, kept warm between them. */
export interface LocalFunction {
  readonly description: FunctionDescription;
  /** Throws InvocationFailed. */
  readonly invoke: Invoke;
  /** The ids of its processes. */
  readonly pids: () => readonly number[];
  /** Kills every process of the function, as if its machine were gone; how many there were. */
  readonly kill: () => number;
  readonly usage: () => FunctionUsage;
}

/** How often a function ran, how long in all, and how often it failed. */
export interface FunctionUsage {
  readonly name: string;
  readonly invocations: number;
  readonly milliseconds: number;
  readonly failures: number;
}

export function startFunction(description: FunctionDescription, options: ProcessOptions): LocalFunction {
  const processes = new Set<FunctionProcess>();
  const idle: FunctionProcess[] = [];
  const usage = { name: description.label, invocations: 0, milliseconds: 0, failures: 0 };

  const take = (): FunctionProcess => {
    for (let free = idle.pop(); free; free = idle.pop()) {
      if (free.alive()) return free;
      processes.delete(free);
    }
    if (processes.size >= (description.reservedConcurrency ?? Infinity)) {
      throw new InvocationFailed(
        'Throttled',
        `${description.name} has ${processes.size} processes under way, its limit`,
      );
    }
    const started = startFunctionProcess(description, options);
    processes.add(started);
    return started;
  };
  const giveBack = (used: FunctionProcess): void => {
    if (used.alive()) idle.push(used);
    else processes.delete(used);
  };

  return {
    description,
    invoke: async (event, alias) => {
      const taken = take();
      const startedMs = performance.now();
      usage.invocations += 1;
      try {
        return await taken.invoke(event, alias);
      } catch (error) {
        usage.failures += 1;
        throw error;
      } finally {
        usage.milliseconds += performance.now() - startedMs;
        giveBack(taken);
      }
    },
    pids: () => [...processes].flatMap(({ pid, alive }) => (pid !== undefined && alive() ? [pid] : [])),
    kill: () => {
      const killed = [...processes];
      for (const one of killed) one.kill();
      processes.clear();
      return killed.length;
    },
    usage: () => ({ ...usage }),
  };
}
