import { describe, expect, it } from 'vitest';

import { TargetUnusable } from '../../../shared/atlassian/errors.ts';
import { restore } from '../../../shared/operations/restore.ts';
import { suspend } from '../../../shared/operations/suspend.ts';
import { fakeCloud, type FakeCloudOptions } from '../../fakes/atlassian-cloud.ts';
import { fakeDataCenter, type FakeDataCenterOptions } from '../../fakes/atlassian-data-center.ts';
import { applyTasks, lookUps, plan, writes } from './apply-tasks.ts';
import { CLOUD, DATA_CENTER } from './targets.ts';

const SITE = {
  users: [
    { accountId: 'act', email: 'act@acme.example', membershipStatus: 'active' },
    { accountId: 'sus', email: 'sus@acme.example', membershipStatus: 'suspended' },
    { accountId: 'tw1', email: 'twin@acme.example' },
    { accountId: 'tw2', email: 'twin@acme.example' },
  ],
} satisfies FakeCloudOptions;

const DIRECTIONS = [
  { operation: suspend, from: 'act', already: 'sus', desired: 'suspended', call: 'organisation.suspend' },
  { operation: restore, from: 'sus', already: 'act', desired: 'active', call: 'organisation.restore' },
];

describe.each(DIRECTIONS)('$operation.name on Cloud', ({ operation, from, already, desired, call }) => {
  it.each([
    ['by id', { accountId: from }, 'changed'],
    ['by address in any case', { email: `${from.toUpperCase()}@acme.example` }, 'changed'],
    ['by both', { accountId: from, email: `${from}@acme.example`, orgId: 'ORG-1' }, 'changed'],
    ['one who is so already', { accountId: already }, 'unchanged'],
    ['an unknown id', { accountId: 'nobody' }, 'USER_NOT_FOUND'],
    ['an unknown address', { email: 'nobody@acme.example' }, 'USER_NOT_FOUND'],
    ['an address that two have', { email: 'twin@acme.example' }, 'USER_AMBIGUOUS'],
    ["another's address", { accountId: from, email: `${already}@acme.example` }, 'EMAIL_MISMATCH'],
  ])('%s', async (_, cells, expected) => {
    const { apis, calls } = fakeCloud(SITE);

    expect(await applyTasks(operation.cloud, [cells], apis)).toEqual([expected]);
    expect(writes(calls).map(({ name }) => name)).toEqual(expected === 'changed' ? [call] : []);
  });

  it('costs one look-up for a batch by address', async () => {
    const { apis, calls } = fakeCloud(SITE);

    await plan(operation.cloud, [{ email: 'act@acme.example' }, { email: 'sus@acme.example' }], apis);

    expect(lookUps(calls)).toEqual(['organisation.findUsersByEmail']);
  });

  it('is about the account, however it is written', async () => {
    const { apis } = fakeCloud(SITE);
    const cells = { email: `${from}@acme.example` };

    expect(await plan(operation.cloud, [cells], apis)).toMatchObject([
      {
        keys: [{ subject: `account:${from}`, desired }],
        subject: { accountId: from },
        before: { access: operation === suspend ? 'active' : 'suspended' },
        after: { access: desired },
      },
    ]);
  });

  it("refuses a row of another organisation than the target's", () => {
    expect(operation.cloud?.check({ accountId: from, orgId: 'org-2' }, CLOUD)).toEqual([
      expect.stringMatching(/^orgId: "org-2" is not the organisation of the target acme; org-1 is expected/),
    ]);
  });

  it('finds the target unusable when it has no organisation keys, and names them', async () => {
    const { apis } = fakeCloud({ ...SITE, organisation: false });

    const planning = plan(operation.cloud, [{ accountId: from }], apis);

    await expect(planning).rejects.toThrow(TargetUnusable);
    await expect(planning).rejects.toThrow('orgApiKey');
  });
});

describe('who has no access otherwise, on Cloud (promise 8)', () => {
  const { apis, calls } = fakeCloud({
    users: [
      { accountId: 'dee', email: 'dee@acme.example', accountStatus: 'inactive' },
      { accountId: 'two', email: 'two@acme.example', accountStatus: 'inactive', membershipStatus: 'suspended' },
      { accountId: 'nom', email: 'nom@acme.example', membershipStatus: 'no_membership' },
    ],
  });

  it.each([
    [restore, 'dee', 'USER_DEACTIVATED', /"dee" is deactivated; it must be reactivated \(operation reactivate\) first/],
    [restore, 'two', 'USER_DEACTIVATED', /reactivate/],
    [restore, 'nom', 'USER_NOT_FOUND', /"nom" is no member.*operation creation/],
  ])('$0.name of $1 is $2', async (operation, accountId, code, message) => {
    const planned = await plan(operation.cloud, [{ accountId }], apis);

    expect(planned).toMatchObject([{ kind: 'refused', refusal: { code, message: expect.stringMatching(message) } }]);
  });

  it('suspend finds nothing to take from somebody without membership, and says so', async () => {
    const planned = await plan(suspend.cloud, [{ accountId: 'nom' }], apis);

    expect(planned).toMatchObject([
      { kind: 'noop', before: { access: 'no_membership' }, message: expect.stringMatching(/"nom" is no member/) },
    ]);
    expect(writes(calls)).toEqual([]);
  });

  it('suspend takes the membership of a deactivated account', async () => {
    expect(await plan(suspend.cloud, [{ accountId: 'dee' }], apis)).toMatchObject([{ kind: 'change' }]);
  });
});

describe.each([
  { operation: suspend, from: 'act', already: 'out', active: false },
  { operation: restore, from: 'out', already: 'act', active: true },
])('$operation.name on Data Center', ({ operation, from, already, active }) => {
  const site = (options: FakeDataCenterOptions = {}) =>
    fakeDataCenter({
      ...options,
      users: [
        { username: 'act', emailAddress: 'act@acme.example' },
        { username: 'out', emailAddress: 'out@acme.example', active: false },
      ],
    });

  it.each([
    ['one who is not', from, 'changed'],
    ['one who is so already', already, 'unchanged'],
    ['an unknown username', 'nobody', 'USER_NOT_FOUND'],
  ])('%s', async (_, username, expected) => {
    expect(await applyTasks(operation.dataCenter, [{ username }], site().apis)).toEqual([expected]);
  });

  it('changes nothing but active', async () => {
    const { apis, calls } = site();

    await applyTasks(operation.dataCenter, [{ username: from }], apis);

    expect(writes(calls)).toMatchObject([{ name: 'dataCenter.updateUser', args: [from, { active }] }]);
  });

  it('fails every time on a server that ignores active, and says so rather than changed', async () => {
    const { apis, calls } = site({ ignoresActive: true });

    expect(await applyTasks(operation.dataCenter, [{ username: from }], apis)).toEqual(['REQUEST_REFUSED']);
    expect(writes(calls)).toMatchObject([{ effective: false }]);
    expect(await applyTasks(operation.dataCenter, [{ username: already }], apis)).toEqual(['unchanged']);
  });

  it('refuses a row without username', () => {
    expect(operation.dataCenter?.check({}, DATA_CENTER)).toEqual([expect.stringMatching(/^username: it is empty/)]);
  });
});
