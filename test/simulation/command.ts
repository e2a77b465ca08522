// `npm run test:simulation -- --runs 10000` runs so many seeds; `-- --seed 17` runs one with its trace, and shrinks it.
import Table from 'cli-table3';
import { Command, InvalidArgumentError } from 'commander';

import { FAULT_KINDS, type FaultKind } from './faults.ts';
import { replayOf, runSeed, shrink } from './seeds.ts';
import { simulate } from './simulate.ts';

const PROGRESS_EVERY = 1_000;
const SHOWN_VIOLATIONS = 20;
const NO_LINES = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };

const options = new Command('test:simulation')
  .option('--runs <count>', 'how many seeds to run', wholeNumber, 1_000)
  .option('--from <seed>', 'the first of them', wholeNumber, 1)
  .option(
    '--seed <seed>',
    'run this one alone, show what happens in it, and shrink it when it is at fault',
    wholeNumber,
  )
  .parse()
  .opts<{ runs: number; from: number; seed?: number }>();

process.exitCode = (await (options.seed === undefined ? runAll(options) : replay(options.seed))) ? 0 : 1;

async function runAll({ runs, from }: { readonly runs: number; readonly from: number }): Promise<boolean> {
  const totals = { steps: 0, virtualMs: 0, violations: 0 };
  const injected = new Map<FaultKind, number>();
  const beganMs = performance.now();
  for (let seed = from; seed < from + runs; seed += 1) {
    const run = await runSeed(seed);
    totals.steps += run.steps;
    totals.virtualMs += run.virtualMs;
    for (const [kind, times] of run.injected) injected.set(kind, (injected.get(kind) ?? 0) + times);
    if (run.violations.length > 0) {
      totals.violations += 1;
      if (totals.violations <= SHOWN_VIOLATIONS) console.log(`${replayOf(seed)}\n  ${run.violations.join('\n  ')}`);
    }
    const done = seed - from + 1;
    if (done % PROGRESS_EVERY === 0) console.error(`${done} runs, ${totals.violations} with violations`);
  }
  console.log(tableOf({ ...totals, runs, from, injected, seconds: (performance.now() - beganMs) / 1_000 }));
  return totals.violations === 0;
}

interface Totals {
  readonly runs: number;
  readonly from: number;
  readonly steps: number;
  readonly virtualMs: number;
  readonly violations: number;
  readonly seconds: number;
  readonly injected: ReadonlyMap<FaultKind, number>;
}

function tableOf({ runs, from, steps, virtualMs, violations, seconds, injected }: Totals): string {
  const kinds = Object.keys(FAULT_KINDS) as FaultKind[]; // the keys of a const object
  const faults = kinds.reduce((sum, kind) => sum + (injected.get(kind) ?? 0), 0);
  const table = new Table({ colAligns: ['left', 'right'], chars: NO_LINES, style: { head: [], border: [] } });
  table.push(
    [`runs (seeds ${from} to ${from + runs - 1})`, runs],
    ['steps', steps],
    ['virtual hours', Math.round(virtualMs / 3_600_000)],
    ['seconds', Math.round(seconds)],
    ['faults injected', faults],
    ...kinds.map((kind) => [`  ${kind}`, injected.get(kind) ?? 0]),
    ['runs with violations', violations],
  );
  return table.toString();
}

async function replay(seed: number): Promise<boolean> {
  const { violations } = await runSeed(seed, console.log);
  if (violations.length === 0) {
    console.log(`Seed ${seed} keeps every promise.`);
    return true;
  }
  const smallest = await shrink(seed);
  console.log('\nShrunk:');
  await simulate(smallest, console.log);
  console.log(JSON.stringify(smallest, undefined, 1));
  return false;
}

function wholeNumber(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError('A whole number is expected.');
  return Number(text);
}
