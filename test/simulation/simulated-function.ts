import type { Context, SQSEvent } from 'aws-lambda';

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
  /** What it answers; `undefined` when it failed or its process died. By an alias where somebody invokes it directly. */
  readonly invoke: (event: unknown, alias?: string) => Promise<unknown>;
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

  const run = async ({ process, handler }: Warm, event: unknown, alias: string): Promise<unknown> => {
    process.invocation = { jobIds: jobIdsIn(event), reads: 0 };
    const timeMs = faults.strikes('little time') ? world.random.between(50, 3_000) : timeoutSeconds * 1_000;
    const endMs = world.nowMs() + timeMs;
    let finished = false;
    world.after(timeMs, () => {
      if (!finished) process.die('it overran its time-out');
    });
    const invokedFunctionArn = `arn:aws:lambda:eu-central-1:000000000000:function:${name}${alias}`;
    // All that functions read of it.
    const context = { invokedFunctionArn, getRemainingTimeInMillis: () => endMs - world.nowMs() } as Context;
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
    invoke: async (event, alias = '') => {
      if (faults.strikes('process replaced')) idle.pop();
      const warm = idle.pop() ?? start();
      underWay += 1;
      const answer = await run(warm, event, alias && `:${alias}`);
      underWay -= 1;
      if (!warm.process.isAlive()) return undefined;
      idle.push(warm);
      return answer;
    },
  };
}

/** The jobs that the messages of an event name. */
function jobIdsIn(event: unknown): readonly string[] {
  const { Records: records = [] } = event as Partial<SQSEvent>; // what is no batch has none
  const ids = records.map(({ body }) => (JSON.parse(body) as { readonly jobId?: string }).jobId);
  return [...new Set(ids.filter((id) => id !== undefined))];
}

const timeoutIn =
  (world: World): Timeout =>
  (ms) => {
    const controller = new AbortController();
    world.after(ms, () => controller.abort(new DOMException('The deadline has come', 'TimeoutError')));
    return controller.signal;
  };
