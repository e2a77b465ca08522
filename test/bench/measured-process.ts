import { fork } from 'node:child_process';
import { join } from 'node:path';

import { bundle } from '../../infra/bundles.ts';
import type { RunReport } from './runs/report.ts';

/** Bundles a program of test/bench/runs as the functions are bundled, so that what runs, and the memory it takes, is as on AWS. */
export const bundleRun = (name: string): string => join(bundle(`test/bench/runs/${name}.ts`), 'index.mjs');

/** As a function of 1,024 MB is started. */
export const FUNCTION_OPTIONS = ['--max-old-space-size=921', '--max-semi-space-size=8'];

/** Runs a bundled program in a process of its own, and gives what it reported with `report`. */
export async function runMeasured(
  file: string,
  args: readonly (string | number)[],
  nodeOptions: readonly string[] = [],
): Promise<RunReport> {
  const child = fork(file, args.map(String), {
    execArgv: [...nodeOptions],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    let reported: RunReport | undefined;
    child.on('message', (message) => {
      reported = message as RunReport; // report() sends it
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (reported && code === 0) resolve(reported);
      else reject(new Error(`${file} ended with ${code}`));
    });
  });
}
