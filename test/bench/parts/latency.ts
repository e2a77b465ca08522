import { join } from 'node:path';

import { assemble } from '../../../local/assembly.ts';
import { completeSettings } from '../../../shared/settings.ts';
import { expectAllChanged, startBenchStack } from '../bench-stack.ts';
import { percentile, sized, type Figure, type Part } from '../figures.ts';
import { membershipManifest } from '../manifests.ts';
import { LIMITS } from '../simulator.ts';

const JOBS = { quick: 5, full: 50 };
const WARM_UP_JOBS = 2;
const LATENCY_MS = 100;
/** Batches of ten need no batching window. */
const SMALL_BATCHES = { worker: { batchSize: 10, batchingWindowSeconds: 0 } };

/** How long a job of one row takes from upload to report, one after the other. */
export const latency: Part = {
  name: 'latency',
  about: 'jobs of one row from upload to report, as deployed by default and with batches too small for a window',
  run: async ({ size, folder, say }) => {
    const jobs = sized(size, JOBS);
    const asDeployed = await timesOf(join(folder, 'default'), {}, jobs);
    const smallBatches = await timesOf(join(folder, 'small'), SMALL_BATCHES, jobs);
    say(`${jobs} jobs: ${asDeployed.map((seconds) => seconds.toFixed(2)).join(' ')}`);
    return [
      ...figuresOf('one row', asDeployed, 'one second of it is the batching window', { atMost: 2 }),
      ...figuresOf(
        'one row, batches of ten without a window',
        smallBatches,
        'ten times as many runs of the worker and the coordinator in a large job',
      ),
    ];
  },
};

async function timesOf(folder: string, settings: unknown, jobs: number): Promise<readonly number[]> {
  const bench = await startBenchStack(folder, await assemble(completeSettings(settings)));
  try {
    await bench.simulator.seed({ users: jobs + WARM_UP_JOBS, groups: 1 });
    await bench.simulator.behave({ latencyMs: LATENCY_MS, limits: LIMITS.none });
    const times: number[] = [];
    for (let user = 1; user <= jobs + WARM_UP_JOBS; user += 1) {
      const job = await bench.upload({ target: 'cloud', operation: 'membership', csv: membershipManifest(1, 1, user) });
      const { seconds, summary } = await job.finished({ lookEveryMs: 20 });
      expectAllChanged(summary);
      times.push(seconds);
    }
    return times.slice(WARM_UP_JOBS);
  } finally {
    await bench.close();
  }
}

const figuresOf = (what: string, times: readonly number[], note: string, goal?: Figure['goal']): readonly Figure[] => [
  { what: `${what}: median`, value: percentile(times), unit: 's', goal, note: `${times.length} jobs; ${note}` },
  { what: `${what}: p99`, value: percentile(times, 0.99), unit: 's' },
];
