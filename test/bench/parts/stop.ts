import { setTimeout as sleep } from 'node:timers/promises';

import { invokeFunction } from '../../../shared/aws/invoke-function.ts';
import { clientEnvironment } from '../../../local/aws/services.ts';
import { type BenchStack, type Job, startBenchStack } from '../bench-stack.ts';
import { sized, type Figure, type Part } from '../figures.ts';
import { membershipManifest } from '../manifests.ts';
import { LIMITS } from '../simulator.ts';

const ROWS = { quick: 5_000, full: 50_000 };
const LARGE_ROWS = { quick: 20_000, full: 1_000_000 };
const LARGE_FILES = 3;
const GROUPS = 200;
const LATENCY_MS = 100;
const RUN_UP_MS = 8_000;
/** As long as any call that has begun may take to show. */
const AFTER_MS = 6_000;

/** How long after a pause the last call begins, while three large files have just been uploaded: by a control object, and by asking intake. */
export const stop: Part = {
  name: 'stop',
  about: 'a pause of a job under way behind three large files: when the last call begins',
  run: async ({ size, folder, say }) => {
    const [rows, largeRows] = [sized(size, ROWS), sized(size, LARGE_ROWS)];
    const bench = await startBenchStack(folder);
    try {
      await bench.simulator.seed({ users: rows, groups: GROUPS, dataCenterUsers: 10, dataCenterGroups: 1 });
      await bench.simulator.behave({ latencyMs: LATENCY_MS, limits: LIMITS.none });
      const job = await bench.upload({
        target: 'cloud',
        operation: 'membership',
        csv: membershipManifest(rows, GROUPS),
      });
      await sleep(RUN_UP_MS);
      const large = membershipManifest(largeRows, GROUPS);
      await Promise.all(
        Array.from({ length: LARGE_FILES }, (_, file) =>
          bench.upload({ target: 'data-center', operation: 'membership', csv: `${large}#${file}\n` }),
        ),
      );
      const byObject = await pause(bench, job, (one) => bench.command(one, 'pause'));
      await bench.command(job, 'resume');
      await sleep(RUN_UP_MS);
      const byCommand = await pause(bench, job, (one) => askIntake(bench, one));
      say(`last call ${byObject.toFixed(2)} s after the object, ${byCommand.toFixed(2)} s after the command`);
      const note = `${LARGE_FILES} files of ${largeRows.toLocaleString('en-US')} rows uploaded just before`;
      return [
        figure('the control object to the last call', byObject, note),
        figure('asking intake to the last call', byCommand, note),
      ];
    } finally {
      await bench.close();
    }
  },
};

const figure = (what: string, value: number, note: string): Figure => ({
  what,
  value,
  unit: 's',
  goal: { atMost: 2 },
  note,
});

/** Seconds from the request to when the last call of the job began. */
async function pause(bench: BenchStack, job: Job, ask: (job: Job) => Promise<unknown>): Promise<number> {
  const askedMs = Date.now();
  await ask(job);
  await sleep(AFTER_MS);
  const times = (await bench.simulator.requests())
    .filter(({ endpoint }) => !endpoint.includes('data-center'))
    .map(({ time }) => Date.parse(time));
  const { state } = (await job.status()) ?? { state: 'not there' };
  if (state !== 'paused') throw new Error(`The job is ${state}; it has to be paused`);
  return Math.max(0, Math.max(...times) - askedMs) / 1_000;
}

const askIntake = ({ stack }: BenchStack, { id }: Job): Promise<unknown> =>
  invokeFunction({
    environment: clientEnvironment(stack),
    functionName: stack.intakeFunctionName,
    payload: { command: 'pause', job: id },
  });
