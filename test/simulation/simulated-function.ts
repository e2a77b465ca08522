import type { Context } from 'aws-lambda';

import type { Faults } from './faults.ts';
import { createProcess, type SimulatedProcess } from './process.ts';
import type { World } from './world.ts';

export type Handler = (event: never, context: Context) => Promise<unknown>;

/** Ends a signal so much later, in virtual time. */
export type Timeout = (ms: number) => AbortSignal;

export interface FunctionOptions {
  readonly name: string;
  readonly timeoutSeconds: number;
  readonly create: (process: SimulatedProcess, timeout: Timeout) => Handler;
}

/** A function: processes that are kept warm, each with one invocation at a time, killed when one overruns. */
export interface SimulatedFunction {
  /** What it answers; `undefined` when it failed or its process died. */
  readonly invoke: (event: unknown) => Promise<unknown>;
  readonly underWay: () => number;
}

interface Warm {
  readonly process: SimulatedProcess;
  readonly handler: Handler;
}

export function createFunction(options: FunctionOptions, world: World, faults: Faults): SimulatedFunction {
  const { name, timeoutSeconds, create } = options;
  const idle: Warm[] = [];
  let started = 0;
  let underWay = 0;

  const start = (): Warm => {
    started += 1;
    const process = createProcess(`${name}#${started}`, world, faults);
    return { process, handler: create(process, timeoutIn(world)) };
  };

  const run = async ({ process, handler }: Warm, event: unknown): Promise<unknown> => {
    const timeMs = faults.strikes('little time') ? world.random.between(50, 3_000) : timeoutSeconds * 1_000;
    const endMs = world.nowMs() + timeMs;
    let finished = false;
    world.after(timeMs, () => {
      if (!finished) process.die('it overran its time-out');
    });
    const context = { getRemainingTimeInMillis: () => endMs - world.nowMs() } as Context; // all that functions read of it
    const answer = handler(event as never, context).catch((error: unknown) => {
      // each function knows its own event
      world.note(() => `${process.name} fails: ${String(error)}`);
      return undefined;
    });
    const answered = await Promise.race([answer, process.death]);
    finished = true;
    return answered;
  };

  return {
    underWay: () => underWay,
    invoke: async (event) => {
      if (faults.strikes('process replaced')) idle.pop();
      const warm = idle.pop() ?? start();
      underWay += 1;
      const answer = await run(warm, event);
      underWay -= 1;
      if (!warm.process.isAlive()) return undefined;
      idle.push(warm);
      return answer;
    },
  };
}

const timeoutIn =
  (world: World): Timeout =>
  (ms) => {
    const controller = new AbortController();
    world.after(ms, () => controller.abort(new DOMException('The deadline has come', 'TimeoutError')));
    return controller.signal;
  };
