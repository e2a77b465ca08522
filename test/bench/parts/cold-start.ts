import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { startFunctionProcess } from '../../../local/aws/lambda/function-process.ts';
import type { FunctionDescription } from '../../../local/aws/template/description.ts';
import { clientEnvironment } from '../../../local/aws/services.ts';
import { startBenchStack } from '../bench-stack.ts';
import { percentile, sized, type Figure, type Part } from '../figures.ts';

const STARTS = { quick: 3, full: 15 };

/** From the start of a function's process to its first answer, and the size of what it loads. */
export const coldStart: Part = {
  name: 'cold-start',
  about: 'each function from the start of its process to the answer to an event without records',
  run: async ({ size, folder }) => {
    const starts = sized(size, STARTS);
    const bench = await startBenchStack(folder);
    try {
      const { stack } = bench;
      const services = clientEnvironment(stack);
      const bare = await timesOf(bareFunction(stack.description.functions[0]!, folder), services, starts); // the stack has functions
      const figures: Figure[] = [
        {
          what: 'a function that does nothing',
          value: percentile(bare),
          unit: 'ms',
          note: 'Node and the local runtime',
        },
      ];
      for (const lambda of stack.description.functions) {
        const times = await timesOf(lambda, { ...services, ...lambda.environment }, starts);
        const bytes = statSync(join(lambda.folder, 'index.mjs')).size;
        figures.push(
          {
            what: `${lambda.label}: cold start`,
            value: percentile(times),
            unit: 'ms',
            note: `median of ${starts}; ${(percentile(times) - percentile(bare)).toFixed(0)} ms of it is the bundle's`,
          },
          { what: `${lambda.label}: bundle`, value: bytes / 1_024, unit: 'KiB' },
        );
      }
      return figures;
    } finally {
      await bench.close();
    }
  },
};

function bareFunction(like: FunctionDescription, folder: string): FunctionDescription {
  const own = join(folder, 'bare');
  mkdirSync(own);
  writeFileSync(join(own, 'index.mjs'), 'export const handler = async () => ({ batchItemFailures: [] });\n');
  return { ...like, folder: own };
}

async function timesOf(
  lambda: FunctionDescription,
  environment: Readonly<Record<string, string>>,
  starts: number,
): Promise<readonly number[]> {
  const times: number[] = [];
  for (let start = 0; start < starts; start += 1) {
    const startedMs = performance.now();
    const started = startFunctionProcess(lambda, { environment, log: () => undefined });
    await started.invoke({ Records: [] });
    times.push(performance.now() - startedMs);
    started.kill();
  }
  return times;
}
