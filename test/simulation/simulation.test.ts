import { describe, expect, it } from 'vitest';

import { FAULT_KINDS } from './faults.ts';
import { replayOf, runSeed, scenarioOf } from './seeds.ts';
import { simulate } from './simulate.ts';

const RUNS = 200;

describe('the pipeline under simulated faults', () => {
  it('keeps promises 1 to 8 (Conservation, Once, Plan first, Stop means stop, Waiting is not failing, A job always ends, Fail closed, Green is true)', async () => {
    const injected = new Set<string>();
    const broken: string[] = [];

    for (let seed = 1; seed <= RUNS; seed += 1) {
      const run = await runSeed(seed);
      for (const kind of run.injected.keys()) injected.add(kind);
      if (run.violations.length > 0) broken.push(`${replayOf(seed)}: ${run.violations[0]}`);
    }

    expect(broken).toEqual([]);
    expect([...injected].toSorted()).toEqual(Object.keys(FAULT_KINDS).toSorted());
  }, 240_000);

  it('runs alike whenever it is given the same seed', async () => {
    const [first, second]: [string[], string[]] = [[], []];

    await simulate(scenarioOf(7), (line) => first.push(line));
    await simulate(scenarioOf(7), (line) => second.push(line));

    expect(first.length).toBeGreaterThan(100);
    expect(second).toEqual(first);
  });
});
