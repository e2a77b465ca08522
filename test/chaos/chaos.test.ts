import { afterAll, describe, expect, it } from 'vitest';

import { visibilityMs } from './chaos-stage.ts';
import { percentile } from './recovery-times.ts';
import { startSimulatorHere, type SimulatorHere } from './simulator-here.ts';
import { runRound } from './round.ts';

const KILLS = { fromMs: 500, toMs: 4_000, everyMs: [1_000, 2_000] } as const;
const started: SimulatorHere[] = [];

afterAll(() => {
  for (const simulator of started) simulator.close();
});

describe('a job while functions are killed, services fail and Atlassian misbehaves (promises 1, 2, 5 and 6)', () => {
  // Most of a round is waiting for what died to be seen again.
  it.concurrent.each([
    // Round 0 is Cloud's membership; round 1 is Data Center's.
    { round: 0, seed: 4, stack: false },
    { round: 1, seed: 1, stack: true },
  ])(
    'accounts for every row and writes each once (round $round, seed $seed)',
    async ({ round, seed, stack }) => {
      const simulator = await startSimulatorHere();
      started.push(simulator);

      const result = await runRound(simulator, {
        round,
        seed,
        rows: 600,
        kills: { ...KILLS, stack },
        limitMs: 90_000,
      });

      expect(result.violations).toEqual([]);
      expect(Object.keys(result.killed).length).toBeGreaterThan(0);
      expect(percentile(result.recoveries, 0.99)).toBeLessThan(2 * visibilityMs());
    },
    120_000,
  );
});
