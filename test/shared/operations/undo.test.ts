import { describe, expect, it } from 'vitest';

import { findOperation } from '../../../shared/operations/index.ts';
import type { Cells, Change, PlannedRow, Recipe } from '../../../shared/operations/operation.ts';
import { fakeCloud } from '../../fakes/atlassian-cloud.ts';
import { fakeDataCenter } from '../../fakes/atlassian-data-center.ts';
import { asSent, plan } from './apply-tasks.ts';

const onCloud = () =>
  fakeCloud({
    users: [
      { accountId: 'ann', email: 'ann@acme.example', groupIds: ['g-dev'] },
      { accountId: 'bob', email: 'bob@acme.example' },
      { accountId: 'out', email: 'out@acme.example', accountStatus: 'inactive' },
      { accountId: 'sus', email: 'sus@acme.example', membershipStatus: 'suspended' },
      { accountId: 'two', email: 'two@acme.example', accountStatus: 'inactive', membershipStatus: 'suspended' },
      { accountId: 'nom', email: 'nom@acme.example', membershipStatus: 'no_membership' },
    ],
    groups: [{ groupId: 'g-dev', name: 'developers' }],
  });

const onDataCenter = () =>
  fakeDataCenter({
    users: [
      { username: 'ann', emailAddress: 'ann@acme.example', groups: ['developers'] },
      { username: 'bob', emailAddress: 'bob@acme.example' },
      { username: 'out', emailAddress: 'out@acme.example', active: false },
    ],
    groups: ['developers'],
  });

const EVERYBODY = ['ann', 'bob', 'out', 'sus', 'two', 'nom'];

/** Rows about everybody, in the columns of an operation; those that need no change or are refused take no part. */
const ROWS: Readonly<Record<string, (name: string) => Cells>> = {
  deactivate: (name) => ({ accountId: name, message: 'Left in May' }),
  'email-change': (name) => ({ accountId: name, username: name, newEmail: `${name}.new@acme.example` }),
  'membership: add': (name) => ({ accountId: name, username: name, groupId: 'g-dev', groupName: 'developers' }),
  'membership: remove': (name) => ({
    accountId: name,
    username: name,
    groupId: 'g-dev',
    groupName: 'developers',
    action: 'remove',
  }),
  reactivate: (name) => ({ accountId: name }),
  restore: (name) => ({ accountId: name, username: name }),
  suspend: (name) => ({ accountId: name, username: name }),
};

const cases = Object.entries(ROWS).map(([name, row]) => {
  const operation = findOperation(name.replace(/:.*/, ''))!;
  return { name, operation, rows: EVERYBODY.map(row) };
});

describe('undo(apply(x)) = x (promise 9)', () => {
  it.each(cases)('$name on Cloud', async ({ operation, rows }) => {
    const { apis, state } = onCloud();
    const before = state.users;

    await roundTrip(operation.cloud!, rows, { apis, isChanged: () => expect(state.users).not.toEqual(before) });

    expect(state.users).toEqual(before);
  });

  it.each(cases.filter(({ operation }) => operation.dataCenter))(
    '$name on Data Center',
    async ({ operation, rows }) => {
      const { apis, state } = onDataCenter();
      const before = state.users;

      await roundTrip(operation.dataCenter!, rows, {
        apis,
        isChanged: () => expect(state.users).not.toEqual(before),
      });

      expect(state.users).toEqual(before);
    },
  );

  it('gives addresses back to those who passed them on, each once the next has given its own back', async () => {
    const { apis, state } = onCloud();
    const rows = [
      { accountId: 'bob', newEmail: 'b.b@acme.example' },
      { accountId: 'ann', newEmail: 'bob@acme.example' },
    ];
    const { cloud } = findOperation('email-change')!;
    const done = (await plan(cloud, rows, apis)).filter(isChange);
    await write(cloud!, done, apis);

    const undone = await cloud!.planChanges(inverses(cloud!, done), apis, NEVER);

    expect(undone).toMatchObject([
      { kind: 'change', after: { email: 'bob@acme.example' }, blocked: { by: 'account:ann' } },
      {
        kind: 'change',
        after: { email: 'ann@acme.example' },
        blocked: undefined,
        keys: [{ subject: 'account:ann' }, {}],
      },
    ]);
    await write(cloud!, undone.filter(isChange).toReversed(), apis);
    expect(state.users).toEqual(onCloud().state.users);
  });
});

describe('a change that is taken back', () => {
  const suspended = { subject: { accountId: 'ann' }, before: { access: 'active' }, after: { access: 'suspended' } };
  const suspend = findOperation('suspend')!.cloud!;

  it('is taken back only where the state is still what we left', async () => {
    const { apis } = onCloud();
    const left = [
      suspended,
      { ...suspended, subject: { accountId: 'sus' } },
      { ...suspended, subject: { accountId: 'nom' } },
    ];

    const planned = await suspend.planChanges(inverses(suspend, left), apis, NEVER);

    expect(planned).toMatchObject([
      { kind: 'noop', keys: [{ subject: 'account:ann', desired: 'active' }] },
      { kind: 'change', before: { access: 'suspended' }, after: { access: 'active' } },
      {
        kind: 'refused',
        refusal: {
          code: 'CHANGED_SINCE_PLAN',
          message: expect.stringMatching(/"access: suspended".*"access: no_membership"/),
        },
      },
    ]);
  });

  it.each<[string, Omit<Change, 'subject'>]>([
    ['creation', { before: { exists: false }, after: { exists: true, products: [] } }],
    ['suspend', { before: {}, after: { access: 'suspended' } }],
    ['restore', { before: { access: 'no_membership' }, after: { access: 'active' } }],
    ['membership', { before: {}, after: { member: true } }],
    ['email-change', { before: {}, after: { email: 'new@acme.example' } }],
    ['reactivate', { before: { accountStatus: 'closed' }, after: { accountStatus: 'active' } }],
  ])('there is none for %s from and to %j', (name, change) => {
    expect(findOperation(name)?.cloud?.invert({ subject: {}, ...change })).toBeUndefined();
  });

  it.each<[string, unknown, unknown]>([
    ['email-change', { email: 'a@x.example' }, { email: 'b@x.example' }],
    ['membership', { member: false }, { member: true }],
    ['restore', { access: 'suspended' }, { access: 'active' }],
    ['suspend', { access: 'active' }, { access: 'suspended' }],
  ])('is the same for %s on Cloud and on Data Center', (name, before, after) => {
    const { cloud, dataCenter } = findOperation(name)!;
    const change = { subject: { username: 'ann' }, before, after };

    expect(cloud?.invert(change)).toEqual({ ...change, before: after, after: before });
    expect(dataCenter?.invert(change)).toEqual(cloud?.invert(change));
  });
});

/** Plans rows, writes what they change, plans the inverse of each change, and writes those. */
async function roundTrip<Apis>(
  recipe: Recipe<Apis>,
  rows: readonly Cells[],
  { apis, isChanged }: { readonly apis: Apis; readonly isChanged: () => void },
): Promise<void> {
  const done = (await plan(recipe, rows, apis)).filter(isChange);
  await write(recipe, done, apis);
  isChanged();
  const undone = await recipe.planChanges(inverses(recipe, done), apis, NEVER);
  expect(undone.map(({ kind }) => kind)).toEqual(done.map(() => 'change'));
  await write(recipe, undone.filter(isChange), apis);
}

const inverses = <Apis>(recipe: Recipe<Apis>, changes: readonly Change[]): readonly Change[] =>
  asSent(changes).map((change) => {
    const inverse = recipe.invert(change);
    if (!inverse) throw new Error('The change cannot be taken back');
    return asSent(inverse);
  });

async function write<Apis>(recipe: Recipe<Apis>, changes: readonly Change[], apis: Apis): Promise<void> {
  for (const { subject, before, after } of changes) {
    await recipe.write(asSent({ subject, before, after }), apis, NEVER);
  }
}

const isChange = (planned: PlannedRow): planned is Extract<PlannedRow, { readonly kind: 'change' }> =>
  planned.kind === 'change';

const NEVER = new AbortController().signal;
