import { describe, expect, it } from 'vitest';
import fc from 'fast-check';

import { policyFor, tighten, type Policy } from '../../../shared/job/policy.ts';
import { completeSettings, type GivenSettings } from '../../../shared/settings.ts';

type Rules = NonNullable<NonNullable<GivenSettings['policy']>['rules']>;

const BY_HAND = { target: 'acme', operation: 'suspend' };
const HR = { ...BY_HAND, sender: 'hr' };

const resolve = (rules: Rules, job: { target: string; operation: string; sender?: string } = BY_HAND): Policy =>
  policyFor(completeSettings({ policy: { rules } }).policy, job);

describe('without rules', () => {
  it.each([BY_HAND, HR])('%j asks above 50 changes that take access, and above 200 that give it', (job) => {
    expect(resolve([], job)).toMatchObject({ above: { takes: 50, gives: 200 }, twoPersons: false, dryRun: false });
  });

  it('holds what is held whatever the rules', () => {
    const { tooMany, manyRefused, approvalMinutes } = resolve([]);

    expect(tooMany).toEqual({ percent: 5, people: 10, unknownTotal: 100, groupPercent: 20, groupSize: 50 });
    expect(manyRefused).toEqual({ share: 0.5, least: 20 });
    expect(approvalMinutes).toBe(60);
  });
});

describe('a rule', () => {
  it.each<[string, Rules[number], boolean]>([
    ['of everything', {}, true],
    ['of the target', { target: 'acme' }, true],
    ['of the operation', { operation: 'suspend' }, true],
    ['of both', { target: 'acme', operation: 'suspend' }, true],
    ['of another target', { target: 'other', operation: 'suspend' }, false],
    ['of another operation', { target: 'acme', operation: 'restore' }, false],
    ['of a sender', { sender: 'hr', above: 50 }, false],
  ])('%s concerns a file by hand: %j, %s', (_, rule, concerned) => {
    expect(resolve([{ ...rule, twoPersons: true }]).twoPersons).toBe(concerned);
  });

  it('of a sender concerns that sender’s files alone', () => {
    const rules: Rules = [{ sender: 'hr', above: 1_000 }];

    expect(resolve(rules, HR).above).toEqual({ takes: 1_000, gives: 1_000 });
    expect(resolve(rules, { ...HR, sender: 'payroll' }).above).toEqual({ takes: 50, gives: 200 });
  });

  it('may tell what takes access from what gives it', () => {
    expect(resolve([{ above: { takes: 5, gives: 500 } }]).above).toEqual({ takes: 5, gives: 500 });
  });

  it('overrides what an earlier one set, and leaves what it does not name', () => {
    const rules: Rules = [
      { above: 10, twoPersons: true, steps: 100, dryRun: true },
      { target: 'acme', above: 20 },
      { operation: 'suspend', twoPersons: false },
    ];

    expect(resolve(rules)).toMatchObject({
      above: { takes: 20, gives: 20 },
      twoPersons: false,
      steps: 100,
      dryRun: true,
    });
  });

  it.each<[string, Rules, object]>([
    ['raise', [{ above: 5_000 }], { takes: 50, gives: 200 }],
    ['raise after its own', [{ sender: 'hr', above: 60 }, { above: 5_000 }], { takes: 60, gives: 60 }],
    ['lower', [{ above: 0 }], { takes: 0, gives: 0 }],
    ['lower before its own', [{ above: 0 }, { sender: 'hr', above: 60 }], { takes: 60, gives: 60 }],
  ])('that names no sender lets no sender do more: %s', (_, rules, above) => {
    expect(resolve(rules, HR).above).toEqual(above);
  });
});

describe('what comes with a file', () => {
  it.each([
    [{}, {}],
    [{ approval: 'required' }, { above: { takes: 0, gives: 0 } }],
    [{ dryRun: true }, { dryRun: true }],
    [{ steps: 10 }, { steps: 10 }],
    [{ reason: 'they left', notBefore: '2026-11-22T00:00:00Z' }, {}],
  ] as const)('%j changes only %j', (options, change) => {
    const policy = resolve([]);

    expect(tighten(policy, options)).toEqual({ ...policy, ...change });
  });

  it('never loosens what the stage set', () => {
    const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
    const options = fc.record({
      approval: optional(fc.constant('required' as const)),
      dryRun: optional(fc.constant(true as const)),
      steps: optional(fc.integer({ min: 1, max: 1_000 })),
    });
    const rule = fc.record({ steps: optional(fc.integer({ min: 1, max: 1_000 })), twoPersons: optional(fc.boolean()) });

    fc.assert(
      fc.property(options, rule, (given, set) => {
        const policy = resolve([set]);
        const tightened = tighten(policy, given);

        expect(tightened.above.takes).toBeLessThanOrEqual(policy.above.takes);
        expect(tightened.above.gives).toBeLessThanOrEqual(policy.above.gives);
        expect(tightened.steps ?? Infinity).toBeLessThanOrEqual(policy.steps ?? Infinity);
        expect(tightened.twoPersons).toBe(policy.twoPersons);
        expect(tightened.dryRun || !policy.dryRun).toBe(true);
      }),
    );
  });
});
