// `npm run test:chaos -- [--rounds N] [--seed S] [--rows R] [--first F] [--lanes L]`: rounds of chaos, a table of them, exit code 1 on a violation.
import { parseArgs } from 'node:util';
import Table from 'cli-table3';

import { visibilityMs } from './chaos-stage.ts';
import { percentile } from './recovery-times.ts';
import { startSimulatorHere, type SimulatorHere } from './simulator-here.ts';
import { runRound, type Round } from './round.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    rows: { type: 'string', default: '5000' },
    /** The round to begin with: round n of seed S alone is `--first n --rounds 1 --seed S`. */
    first: { type: 'string', default: '0' },
    /** Rounds at a time: a round spends most of its time waiting for what died to be seen again. */
    lanes: { type: 'string', default: '2' },
  },
});
const [rounds, seed, rows, first, lanes] = [values.rounds, values.seed, values.rows, values.first, values.lanes].map(
  Number,
) as [number, number, number, number, number];
const done: Round[] = [];
let ended = 0;
const startedMs = performance.now();
const table = new Table({
  head: [
    'round',
    'seed',
    'operation',
    'changed/unchanged/failed',
    'killed',
    'faults',
    'p99 recovery',
    's',
    'violations',
  ],
  style: { head: [], border: [] },
});

const queue = Array.from({ length: rounds }, (_, at) => first + at).values();
await Promise.all(Array.from({ length: lanes }, lane));

const recoveries = done.flatMap((round) => [...round.recoveries]);
const p99Ms = percentile(recoveries, 0.99);
const boundMs = 2 * visibilityMs();
console.log(table.toString());
console.log(
  [
    `${ended} of ${rounds} rounds without a violation, ${rows} rows each, in ${((performance.now() - startedMs) / 60_000).toFixed(1)} min`,
    `recovery of ${recoveries.length} rows whose worker was killed: p50 ${seconds(percentile(recoveries, 0.5))}, p99 ${seconds(p99Ms)} (bound ${seconds(boundMs)})`,
  ].join('\n'),
);
process.exit(ended === rounds && p99Ms < boundMs ? 0 : 1);

async function lane(): Promise<void> {
  const simulator = await startSimulatorHere();
  for (const round of queue) {
    const { violations, line } = await attempt(simulator, round);
    table.push(line);
    console.log([line.join('  '), ...violations.slice(0, 20).map((violation) => `    ${violation}`)].join('\n'));
    if (violations.length === 0) ended += 1;
  }
  simulator.close();
}

async function attempt(
  simulator: SimulatorHere,
  round: number,
): Promise<{ readonly violations: readonly string[]; readonly line: string[] }> {
  const own = seed + round;
  try {
    const result = await runRound(simulator, {
      round,
      seed: own,
      rows,
      limitMs: 240_000,
      kills: { fromMs: 1_000, toMs: 14_000, everyMs: [1_500, 4_000], stack: round % 2 === 1 },
    });
    done.push(result);
    return { violations: result.violations, line: lineOf(round, result) };
  } catch (error) {
    const violation = error instanceof Error ? error.message : String(error);
    return { violations: [violation], line: [String(round), String(own), 'not ended', '', '', '', '', '', '1'] };
  }
}

function lineOf(round: number, result: Round): string[] {
  const { counts, killed, faults, recoveries: own } = result;
  return [
    String(round),
    String(result.seed),
    result.name,
    `${counts['changed']}/${counts['unchanged']}/${counts['failed']} (${result.spoilt} spoilt)`,
    Object.entries(killed)
      .map(([name, times]) => `${times} ${name}`)
      .join(', '),
    `${faults.atlassian} Atlassian, ${faults.s3} S3, ${faults.sqs} SQS`,
    own.length === 0 ? '–' : `${seconds(percentile(own, 0.99))} of ${own.length}`,
    result.seconds.toFixed(1),
    String(result.violations.length),
  ];
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
