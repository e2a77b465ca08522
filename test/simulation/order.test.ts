import { describe, expect, it } from 'vitest';

import type { Fault } from './faults.ts';
import type { Scenario } from './scenario.ts';
import { simulate } from './simulate.ts';
import type { PlannedRow } from './planned-rows.ts';

const OTHERS = 1_000;
const CHAINS = 3;
const CHAIN = 10;
const SWAPS = 5;
const CIRCLES = [3, 5, 10];
const CIRCLING = SWAPS * 2 + CIRCLES.reduce((sum, members) => sum + members);

/** E-mail changes of which some take the addresses of others, spread over a thousand that do not. */
function planRows(): readonly PlannedRow[] {
  const rows: PlannedRow[] = Array.from({ length: OTHERS + CHAINS * (CHAIN + 1) + CIRCLING }, () => ({
    kind: 'change',
  }));
  let first = 7;
  const spread = (members: number, last: 'frees' | 'closes the circle'): void => {
    const places = Array.from({ length: members }, (_, index) => first + index * 5);
    // Some against the order of the lines: there the row that frees comes last.
    const inOrder = first % 2 === 0 ? places.toReversed() : places;
    inOrder.forEach((place, index) => {
      const from = inOrder[index + 1] ?? (last === 'frees' ? undefined : inOrder[0]);
      if (from !== undefined) rows[place] = { kind: 'takes', ahead: (from - place + rows.length) % rows.length };
    });
    first += members * 5 + 8;
  };
  for (let chain = 0; chain < CHAINS; chain += 1) spread(CHAIN + 1, 'frees');
  for (let swap = 0; swap < SWAPS; swap += 1) spread(2, 'closes the circle');
  for (const members of CIRCLES) spread(members, 'closes the circle');
  return rows;
}

const ROWS = planRows();

const scenario = (faults: readonly Fault[], lagSeconds: number): Scenario => ({
  schedule: 20_261_121,
  jobs: [{ operation: 'email-change', rows: ROWS, above: 100_000 }],
  faults,
  commands: [],
  others: [],
  chunkRows: 100,
  mostPeople: 100_000,
  attendsAfterMinutes: 0,
  lagSeconds,
  receiveCountGoesOn: false,
  redrive: false,
});

describe('rows that take addresses which other rows free, among a thousand that do not', () => {
  it('are applied link by link in chains of ten, and refused in swaps and circles', async () => {
    const { violations, summaries } = await simulate(scenario([], 0));

    expect(violations).toEqual([]);
    expect(summaries[0]?.counts).toMatchObject({ changed: ROWS.length - CIRCLING, invalid: CIRCLING });
    expect(summaries[0]?.codes).toEqual({ CONTRADICTION: CIRCLING });
  }, 60_000);

  it.each<[string, readonly Fault[]]>([
    [
      'workers die',
      [
        { kind: 'dies after an effect', at: 300, times: 3 },
        { kind: 'dies before an effect', at: 700, times: 3 },
      ],
    ],
    [
      'answers are lost',
      [
        { kind: 'reset after the call', at: 50, times: 20 },
        { kind: 'reset before the call', at: 300, times: 20 },
      ],
    ],
    [
      'messages are doubled and delayed',
      [
        { kind: 'message seen again', at: 100, times: 60 },
        { kind: 'message delayed', at: 400, times: 20 },
      ],
    ],
    ['Atlassian limits everything for two minutes', [{ kind: 'Atlassian limits everything', at: 20, times: 2 }]],
  ])(
    'are applied and refused all the same when %s and Atlassian shows changes late',
    async (_, faults) => {
      const { violations, summaries } = await simulate(scenario(faults, 20));

      expect(violations).toEqual([]);
      expect(summaries[0]?.counts).toMatchObject({ changed: ROWS.length - CIRCLING, invalid: CIRCLING });
    },
    60_000,
  );
});
