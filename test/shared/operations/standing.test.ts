import { describe, expect, it } from 'vitest';

import { findOperation } from '../../../shared/operations/index.ts';
import { recipeOf } from '../../../shared/operations/operation.ts';
import { asSent } from './apply-tasks.ts';

const recipe = (name: string, type: 'cloud' | 'data-center') => recipeOf(findOperation(name)!, type)!;

describe('how a change stands in a state that is read of its subject', () => {
  it.each([
    ['suspend', 'cloud', { access: 'active' }, { access: 'suspended' }, { access: 'suspended' }, 'desired'],
    ['suspend', 'cloud', { access: 'active' }, { access: 'suspended' }, { access: 'active' }, 'before'],
    ['restore', 'cloud', { access: 'suspended' }, { access: 'active' }, { access: 'no_membership' }, 'other'],
    ['restore', 'cloud', {}, { access: 'active' }, { access: 'no_membership' }, 'before'],
    ['membership', 'cloud', { member: false }, { member: true }, { member: true }, 'desired'],
    ['membership', 'cloud', { member: false }, { member: true }, { member: false }, 'before'],
    ['membership', 'data-center', {}, { member: false }, { member: true }, 'before'],
    ['email-change', 'cloud', { email: 'a@x.eu' }, { email: 'b@x.eu' }, { email: 'B@x.eu' }, 'desired'],
    ['email-change', 'cloud', { email: 'a@x.eu' }, { email: 'b@x.eu' }, { email: 'a@x.eu' }, 'before'],
    ['email-change', 'cloud', { email: 'a@x.eu' }, { email: 'b@x.eu' }, { email: 'c@x.eu' }, 'other'],
    ['email-change', 'cloud', { email: 'a@x.eu' }, { email: 'b@x.eu' }, {}, 'other'],
    [
      'creation',
      'cloud',
      { exists: true, products: ['jira-core'] },
      { exists: true, products: ['confluence'] },
      { exists: true, products: ['jira-core'] },
      'before',
    ],
  ] as const)('%s on %s: from %j to %j, found %j: %s', (name, type, before, after, state, standing) => {
    expect(recipe(name, type).compare(asSent({ subject: {}, before, after }), state)).toBe(standing);
  });
});

describe('what a change does to somebody', () => {
  it.each([
    ['suspend', { access: 'suspended' }, 'takes'],
    ['restore', { access: 'active' }, 'gives'],
    ['deactivate', { accountStatus: 'inactive', message: 'Left' }, 'takes'],
    ['reactivate', { accountStatus: 'active' }, 'gives'],
    ['membership', { member: false }, 'takes'],
    ['membership', { member: true }, 'gives'],
    ['email-change', { email: 'new@acme.example' }, 'renames'],
    ['creation', { exists: true, products: [] }, 'gives'],
  ])('%s to %j %s', (name, after, effect) => {
    expect(recipe(name, 'cloud').effect(after)).toBe(effect);
  });
});

it('reads before every change of an address, and before no other as long as the plan is fresh', () => {
  const first = ['creation', 'deactivate', 'email-change', 'membership', 'reactivate', 'restore', 'suspend'].filter(
    (name) => recipe(name, 'cloud').readsFirst,
  );

  expect(first).toEqual(['email-change']);
});
