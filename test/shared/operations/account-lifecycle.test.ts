import { describe, expect, it } from 'vitest';

import { TargetUnusable } from '../../../shared/atlassian/errors.ts';
import { deactivate } from '../../../shared/operations/deactivate.ts';
import { reactivate } from '../../../shared/operations/reactivate.ts';
import { fakeCloud, type FakeCloudOptions } from '../../fakes/atlassian-cloud.ts';
import { applyTasks, lookUps, plan, writes } from './apply-tasks.ts';

const SITE = {
  users: [
    { accountId: 'act', email: 'act@acme.example', accountStatus: 'active' },
    { accountId: 'out', email: 'out@acme.example', accountStatus: 'inactive' },
    { accountId: 'own', email: 'own@elsewhere.example', accountStatus: 'unknown', claimStatus: 'unmanaged' },
  ],
} satisfies FakeCloudOptions;

describe.each([
  { operation: deactivate, from: 'act', already: 'out', desired: 'inactive', call: 'userManagement.disable' },
  { operation: reactivate, from: 'out', already: 'act', desired: 'active', call: 'userManagement.enable' },
])('$operation.name', ({ operation, from, already, desired, call }) => {
  it.each([
    ['by id', { accountId: from }, 'changed'],
    ['by address', { email: `${from}@acme.example` }, 'changed'],
    ['one who is so already', { accountId: already }, 'unchanged'],
    ['an account that is not managed', { accountId: 'own' }, 'USER_NOT_MANAGED'],
    ['an unknown id', { accountId: 'nobody' }, 'USER_NOT_FOUND'],
    ['an unknown address', { email: 'nobody@acme.example' }, 'USER_NOT_FOUND'],
    ["another's address", { accountId: from, email: `${already}@acme.example` }, 'EMAIL_MISMATCH'],
  ])('%s', async (_, cells, expected) => {
    const { apis, calls } = fakeCloud(SITE);

    expect(await applyTasks(operation.cloud, [cells], apis)).toEqual([expected]);
    expect(writes(calls).map(({ name }) => name)).toEqual(expected === 'changed' ? [call] : []);
  });

  it('costs one look-up for a batch by id', async () => {
    const { apis, calls } = fakeCloud(SITE);

    await plan(operation.cloud, [{ accountId: 'act' }, { accountId: 'out' }], apis);

    expect(lookUps(calls)).toEqual(['organisation.findUsersById']);
  });

  it.each([
    ['changes it', { accountId: from }, 'changed'],
    ['leaves one that is so already', { accountId: already }, 'unchanged'],
    ['compares its address', { accountId: from, email: 'other@acme.example' }, 'EMAIL_MISMATCH'],
  ])('%s when user management alone knows the account', async (_, cells, expected) => {
    const { apis } = fakeCloud({ ...SITE, intercept: unlisted });

    expect(await applyTasks(operation.cloud, [cells], apis)).toEqual([expected]);
  });

  it('is about the account, however it is written', async () => {
    const { apis } = fakeCloud(SITE);
    const cells = { email: `${from}@acme.example` };

    expect(await plan(operation.cloud, [cells], apis)).toMatchObject([
      {
        keys: [{ subject: `account:${from}`, desired }],
        subject: { accountId: from },
        before: { accountStatus: expect.any(String) },
      },
    ]);
  });

  it('finds the target unusable when it has no organisation keys', async () => {
    const { apis } = fakeCloud({ ...SITE, organisation: false });

    await expect(plan(operation.cloud, [{ accountId: from }], apis)).rejects.toThrow(TargetUnusable);
  });
});

describe('the message of a deactivation', () => {
  it('is sent along', async () => {
    const { apis, calls } = fakeCloud(SITE);

    await applyTasks(deactivate.cloud, [{ accountId: 'act', message: 'Left in May' }], apis);

    expect(writes(calls)).toMatchObject([{ args: ['act', 'Left in May'] }]);
  });

  it('does not make two rows contradict each other', async () => {
    const { apis } = fakeCloud(SITE);
    const rows = ['Left in May', 'Left in June'].map((message) => ({ accountId: 'act', message }));

    const keys = [{ subject: 'account:act', desired: 'inactive' }];
    expect(await plan(deactivate.cloud, rows, apis)).toMatchObject([{ keys }, { keys }]);
  });
});

describe('reactivate of somebody suspended (promise 8)', () => {
  const { apis } = fakeCloud({
    users: [
      { accountId: 'sus', email: 'sus@acme.example', membershipStatus: 'suspended' },
      { accountId: 'two', email: 'two@acme.example', accountStatus: 'inactive', membershipStatus: 'suspended' },
    ],
  });

  it('is refused with what helps when the account is active', async () => {
    const planned = await plan(reactivate.cloud, [{ accountId: 'sus' }], apis);

    const message = expect.stringMatching(/"sus" is suspended; it must be restored \(operation restore\) first/);
    expect(planned).toMatchObject([{ kind: 'refused', refusal: { code: 'USER_SUSPENDED', message } }]);
  });

  it('is made when the account is deactivated as well, and says what is left to do', async () => {
    const planned = await plan(reactivate.cloud, [{ accountId: 'two' }], apis);

    const message = expect.stringMatching(/"two" is suspended and has no access until it is restored/);
    expect(planned).toMatchObject([{ kind: 'change', message }]);
  });

  it('leaves deactivating as it is', async () => {
    expect(await plan(deactivate.cloud, [{ accountId: 'sus' }, { accountId: 'two' }], apis)).toMatchObject([
      { kind: 'change', message: undefined },
      { kind: 'noop', message: undefined },
    ]);
  });
});

const unlisted: FakeCloudOptions['intercept'] = async ({ name }, proceed) =>
  name === 'organisation.findUsersById' ? [] : proceed();
