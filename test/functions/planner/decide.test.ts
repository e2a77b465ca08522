import { describe, expect, it } from 'vitest';

import { type Figures, findWaitReasons } from '../../../functions/planner/decide.ts';
import { policyFor } from '../../../shared/job/policy.ts';
import { completeSettings } from '../../../shared/settings.ts';

const BY_HAND = policyFor(completeSettings({}).policy, { target: 'acme', operation: 'suspend' });
/** A sender who may do what one likes: only what holds whatever the mode is left. */
const FREE = { ...BY_HAND, above: { takes: 100_000, gives: 100_000 } };

const figuresOf = (more: Partial<Figures> = {}): Figures => ({
  counts: { change: 1, unchanged: 0, failed: 0, invalid: 0, unprocessed: 0 },
  takes: 0,
  gives: 0,
  refused: 0,
  groups: [],
  takesElsewhere: 0,
  foreign: undefined,
  ...more,
});

const reasonsOf = (more: Partial<Figures>, policy = FREE): readonly string[] =>
  findWaitReasons(figuresOf(more), policy).map(({ code }) => code);

const counts = (more: Partial<Figures['counts']>): Figures['counts'] => ({ ...figuresOf().counts, ...more });

describe('a plan waits', () => {
  it.each([
    ['more than 50 takes by hand', { takes: 50, activePeople: 10_000 }, { takes: 51, activePeople: 10_000 }],
    ['more than 200 gives by hand', { gives: 200 }, { gives: 201 }],
  ])('for approval of %s', (_, below, above) => {
    expect(reasonsOf(below, BY_HAND)).toEqual([]);
    expect(reasonsOf(above, BY_HAND)).toEqual(['APPROVAL_REQUIRED']);
  });

  it.each([
    ['more than 5% of the active people', { takes: 20, activePeople: 400 }, { takes: 21, activePeople: 400 }],
    ['more than 10 where 5% are fewer', { takes: 10, activePeople: 20 }, { takes: 11, activePeople: 20 }],
    ['more than 100 where nobody tells', { takes: 100 }, { takes: 101 }],
    [
      'more than that with the last 24 hours',
      { takes: 5, takesElsewhere: 15, activePeople: 400 },
      { takes: 5, takesElsewhere: 16, activePeople: 400 },
    ],
    [
      'more than 20% of a group of 50',
      { takes: 10, activePeople: 9_000, groups: [{ name: 'g', takes: 10, members: 50 }] },
      { takes: 11, activePeople: 9_000, groups: [{ name: 'g', takes: 11, members: 50 }] },
    ],
    [
      'half of a group, but of no small one',
      { takes: 11, activePeople: 9_000, groups: [{ name: 'g', takes: 40, members: 49 }] },
      { takes: 11, activePeople: 9_000, groups: [{ name: 'g', takes: 40, members: 80 }] },
    ],
  ])('for too many people: %s', (_, below, above) => {
    expect(reasonsOf(below)).toEqual([]);
    expect(reasonsOf(above)).toEqual(['TOO_MANY_PEOPLE']);
  });

  it.each([
    ['half', { counts: counts({ change: 20, failed: 20 }), refused: 20 }],
    ['nineteen', { counts: counts({ change: 1, failed: 19 }), refused: 19 }],
  ])('for many refused, but not for %s', (_, below) => {
    expect(reasonsOf(below)).toEqual([]);
    expect(reasonsOf({ counts: counts({ change: 19, failed: 20 }), refused: 20 })).toEqual(['MANY_REFUSED']);
  });

  it('for a repeated file, and for the wrong folder', () => {
    const repeats = { id: 'x-0123456789ab', startedAt: '2026-11-01T00:00:00.000Z' };

    expect(reasonsOf({ repeats })).toEqual(['REPEATED_FILE']);
    expect(reasonsOf({ foreign: { operation: 'creation', columns: ['products'] } })).toEqual(['WRONG_FOLDER']);
  });

  it('for every reason at once, and never where nothing would change', () => {
    const all = {
      counts: counts({ change: 200, failed: 300 }),
      takes: 200,
      refused: 300,
      repeats: { id: 'x-0123456789ab', startedAt: '2026-11-01T00:00:00.000Z' },
      foreign: { operation: 'creation', columns: ['products'] },
    };

    expect(reasonsOf(all, BY_HAND)).toEqual([
      'APPROVAL_REQUIRED',
      'TOO_MANY_PEOPLE',
      'MANY_REFUSED',
      'REPEATED_FILE',
      'WRONG_FOLDER',
    ]);
    expect(reasonsOf({ ...all, counts: counts({ change: 0, failed: 300 }) }, BY_HAND)).toEqual([]);
  });
});
