import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Code } from 'aws-cdk-lib/aws-lambda';

import { completeSettings } from '../../../shared/settings.ts';
import { bundledCode, synthesize } from '../../../infra/synthesize.ts';
import { expectAllChanged, startBenchStack, UNATTENDED } from '../bench-stack.ts';
import { sized, type Figure, type Part } from '../figures.ts';
import { membershipManifest, writeManifest } from '../manifests.ts';
import { bundleRun, FUNCTION_OPTIONS, runMeasured } from '../measured-process.ts';
import { OWNERS, readProfiles, type Profile } from '../profile.ts';
import { LIMITS } from '../simulator.ts';
import { startSink } from '../sink.ts';

const ROWS = { splitter: { quick: 50_000, full: 500_000 }, worker: { quick: 2_000, full: 20_000 } };
const GROUPS = 200;
const LATENCY_MS = 100;
const OWN_SHOWN = 3;

/** Where the processor time of splitter and worker goes, by `node --cpu-prof`. */
export const profile: Part = {
  name: 'profile',
  about: 'whose code splitter and worker spend their processor time in, by the profiler of node --cpu-prof',
  run: async ({ size, folder }) => [
    ...figuresOf('splitter', await profileSplitter(folder, sized(size, ROWS.splitter)), sized(size, ROWS.splitter)),
    ...figuresOf('worker', await profileWorker(folder, sized(size, ROWS.worker)), sized(size, ROWS.worker)),
  ],
};

/** Validation and enqueue of one manifest. */
async function profileSplitter(folder: string, rows: number): Promise<Profile> {
  const profiles = join(folder, 'splitter-profiles');
  const csv = join(folder, 'manifest.csv');
  await writeManifest(csv, rows);
  const run = bundleRun('splitter-run');
  const sink = await startSink();
  try {
    await runMeasured(run, [csv, rows, sink.url], [...FUNCTION_OPTIONS, '--cpu-prof', `--cpu-prof-dir=${profiles}`]);
  } finally {
    sink.stop();
  }
  return readProfiles(profilesIn(profiles), run);
}

/** Both workers' share of one job in the whole stack, no limits. */
async function profileWorker(folder: string, rows: number): Promise<Profile> {
  const run = bundleRun('profiled-worker');
  const code = dirname(run);
  const stack = synthesize({
    stage: completeSettings(UNATTENDED),
    outdir: join(folder, 'assembly'),
    code: (name) => (name === 'worker' ? Code.fromAsset(code) : bundledCode(name)),
  });
  const bench = await startBenchStack(join(folder, 'stack'), stack);
  try {
    await bench.simulator.seed({ users: rows, groups: GROUPS });
    await bench.simulator.behave({ latencyMs: LATENCY_MS, limits: LIMITS.none });
    const job = await bench.upload({ target: 'cloud', operation: 'membership', csv: membershipManifest(rows, GROUPS) });
    const { summary } = await job.finished();
    expectAllChanged(summary);
    const { folder: deployed = code } = bench.stack.description.functions.find(({ label }) => label === 'worker') ?? {};
    const pids = bench.stack.pids('worker');
    for (const pid of pids) process.kill(pid, 'SIGUSR2');
    while (profilesIn(deployed).length < pids.length) await sleep(50);
    return readProfiles(profilesIn(deployed), run);
  } finally {
    await bench.close();
  }
}

const profilesIn = (folder: string): readonly string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.cpuprofile'))
    .map((name) => join(folder, name));

function figuresOf(name: string, { seconds, busySeconds, own }: Profile, rows: number): readonly Figure[] {
  const busy = OWNERS.reduce((sum, owner) => sum + busySeconds[owner], 0);
  const share = (part: number): number => (100 * part) / busy;
  const [longest] = own;
  const shown = own.slice(0, OWN_SHOWN).map(([what, part]) => `${what} ${share(part).toFixed(1)}%`);
  return [
    {
      what: `${name}: processor time`,
      value: (busy / rows) * 1e6,
      unit: 'µs a row',
      note: `${rows.toLocaleString('en-US')} rows; busy ${((100 * busy) / seconds).toFixed(0)}% of the time`,
    },
    ...OWNERS.filter((owner) => busySeconds[owner] > 0).map((owner) => ({
      what: `${name}: ${owner}`,
      value: share(busySeconds[owner]),
      unit: '% of it',
      ...(owner === 'Rollcall' && longest && { note: shown.join('; ') }),
    })),
  ];
}
