import * as fc from 'fast-check';

import { scenarios, type Scenario } from './scenario.ts';
import { simulate, type Run } from './simulate.ts';

/** The scenario that a seed stands for. */
export function scenarioOf(seed: number): Scenario {
  const [scenario] = fc.sample(scenarios, { seed, numRuns: 1 });
  if (!scenario) throw new Error(`Nothing was made of seed ${seed}`);
  return scenario;
}

/** Runs a seed; something that throws is a violation too, for it is what nobody foresaw. */
export async function runSeed(seed: number, trace?: (line: string) => void): Promise<Run> {
  return runScenario(scenarioOf(seed), trace);
}

async function runScenario(scenario: Scenario, trace?: (line: string) => void): Promise<Run> {
  try {
    return await simulate(scenario, trace);
  } catch (error) {
    const violation = `The simulation failed: ${error instanceof Error ? error.stack : String(error)}`;
    return { violations: [violation], steps: 0, virtualMs: 0, injected: new Map(), summaries: [] };
  }
}

/** The smallest scenario with the same fault that shrinking that of a seed leads to. */
export async function shrink(seed: number): Promise<Scenario> {
  const fault = faultOf(await runSeed(seed));
  const isSound = async (scenario: Scenario): Promise<boolean> => faultOf(await runScenario(scenario)) !== fault;
  const result = await fc.check(fc.asyncProperty(scenarios, isSound), { seed, numRuns: 1 });
  return result.counterexample?.[0] ?? scenarioOf(seed);
}

/** The first violation, without its figures and quotations: what is alike in two runs with the same fault. */
const faultOf = ({ violations: [first = 'none'] }: Run): string =>
  first.replace(/[0-9a-f]{12}|\d+|\(.*?\)|\{.*\}/g, '#');

/** What to type to see a seed again. */
export const replayOf = (seed: number): string => `npm run test:simulation -- --seed ${seed}`;
