import { describe, expect, it } from 'vitest';

import { TargetUnusable } from '../../../shared/atlassian/errors.ts';
import { emailChange } from '../../../shared/operations/email-change.ts';
import type { Cells } from '../../../shared/operations/operation.ts';
import { fakeCloud, type FakeCloudOptions } from '../../fakes/atlassian-cloud.ts';
import { fakeDataCenter } from '../../fakes/atlassian-data-center.ts';
import { applyTasks, lookUps, plan, writes } from './apply-tasks.ts';
import { CLOUD } from './targets.ts';

describe.each([
  ['Cloud', emailChange.cloud],
  ['Data Center', emailChange.dataCenter],
])('the e-mail columns of an email-change header on %s', (_, recipe) => {
  it.each([
    ['email alone is the new one', ['accountId', 'email'], ['accountId', 'newEmail']],
    ['email beside newEmail is the old one', ['email', null, 'newEmail'], ['oldEmail', null, 'newEmail']],
    ['email beside oldEmail is the new one', ['oldEmail', 'email'], ['oldEmail', 'newEmail']],
    ['email beside both is only carried along', ['oldEmail', 'email', 'newEmail'], ['oldEmail', null, 'newEmail']],
    ['no email column', ['oldEmail', 'newEmail'], ['oldEmail', 'newEmail']],
  ])('%s', (_name, header, meaning) => {
    expect(recipe?.readHeader?.(header)).toEqual(meaning);
  });
});

describe('an email-change row is checked', () => {
  it.each<Cells>([
    { accountId: 'ann', newEmail: 'New@acme.example' },
    { accountId: 'ann', oldEmail: 'Ann@acme.example', newEmail: 'new@acme.example' },
    { oldEmail: 'ann@acme.example', newEmail: 'new@acme.example' },
    { email: 'ann@acme.example', newEmail: 'new@acme.example' },
    { accountId: 'ann', email: 'new@acme.example' },
  ])('%j says who and which address', async (cells) => {
    const { apis } = fakeCloud(SITE);

    expect(emailChange.cloud?.check(cells, CLOUD)).toEqual([]);
    expect(await plan(emailChange.cloud, [cells], apis)).toMatchObject([
      {
        kind: 'change',
        keys: [
          { subject: 'account:ann', desired: 'new@acme.example' },
          { subject: 'address:new@acme.example', desired: 'account:ann' },
        ],
      },
    ]);
  });

  it.each([
    ['nobody is named', { newEmail: 'new@acme.example' }, [/^accountId, oldEmail: both are empty/]],
    ['email alone names nobody', { email: 'new@acme.example' }, [/^accountId, oldEmail: both are empty/]],
    ['the new address is empty', { accountId: 'ann', oldEmail: 'ann@acme.example' }, [/^newEmail: it is empty/]],
    ['everything is empty', {}, [/^newEmail: it is empty/, /^accountId, oldEmail/]],
    [
      'everything is wrong',
      { accountId: 'a b', oldEmail: 'c', newEmail: 'd' },
      [/^accountId: "a b"/, /^newEmail: "d"/, /^oldEmail: "c"/],
    ],
    ['the old address alone is wrong', { oldEmail: 'c', newEmail: 'd@acme.example' }, [/^oldEmail: "c"/]],
  ])('%s', (_, cells, problems) => {
    expect(emailChange.cloud?.check(cells, CLOUD)).toEqual(problems.map((problem) => expect.stringMatching(problem)));
  });
});

const SITE = {
  users: [
    { accountId: 'ann', email: 'Ann@acme.example' },
    { accountId: 'bob', email: 'bob@acme.example' },
    { accountId: 'scm', email: 'scm@acme.example', managementSource: 'synced' },
    { accountId: 'own', email: 'own@elsewhere.example', claimStatus: 'unmanaged' },
    { accountId: 'tw1', email: 'twin@acme.example' },
    { accountId: 'tw2', email: 'twin@acme.example' },
  ],
} satisfies FakeCloudOptions;

const NEW = 'new@acme.example';

describe('email-change on Cloud', () => {
  it.each([
    ['by id', { accountId: 'ann', newEmail: NEW }, 'changed'],
    ['by old address', { oldEmail: 'ann@ACME.example', newEmail: NEW }, 'changed'],
    ['by both', { accountId: 'ann', oldEmail: 'ann@acme.example', newEmail: NEW }, 'changed'],
  ])('changes the address %s, in one write', async (_, cells, expected) => {
    const { apis, calls, state } = fakeCloud(SITE);

    expect(await applyTasks(emailChange.cloud, [cells], apis)).toEqual([expected]);

    expect(writes(calls)).toMatchObject([{ name: 'userManagement.setEmail', args: ['ann', NEW], effective: true }]);
    expect(state.users.get('ann')?.email).toBe(NEW);
  });

  it.each([
    ['the address is there already', { accountId: 'ann', newEmail: 'ann@acme.example' }, 'unchanged'],
    [
      'it is, whatever the old one was',
      { accountId: 'ann', oldEmail: 'gone@acme.example', newEmail: 'ANN@acme.example' },
      'unchanged',
    ],
    [
      'the account has another old address',
      { accountId: 'ann', oldEmail: 'bob@acme.example', newEmail: NEW },
      'EMAIL_MISMATCH',
    ],
    [
      'nobody has the old address and somebody the new one',
      { oldEmail: 'gone@acme.example', newEmail: 'ann@acme.example' },
      'USER_NOT_FOUND',
    ],
    ['nobody has the old address', { oldEmail: 'gone@acme.example', newEmail: NEW }, 'USER_NOT_FOUND'],
    ['nobody has the id', { accountId: 'nobody', newEmail: NEW }, 'USER_NOT_FOUND'],
    ['two have the old address', { oldEmail: 'twin@acme.example', newEmail: NEW }, 'USER_AMBIGUOUS'],
    ['the domain is not verified', { accountId: 'ann', newEmail: 'ann@other.example' }, 'DOMAIN_NOT_VERIFIED'],
    [
      'a subdomain of a verified one is not',
      { accountId: 'ann', newEmail: 'ann@sub.acme.example' },
      'DOMAIN_NOT_VERIFIED',
    ],
    ['an identity provider manages the account', { accountId: 'scm', newEmail: NEW }, 'SCIM_MANAGED'],
    ['the account is not managed', { accountId: 'own', newEmail: NEW }, 'USER_NOT_MANAGED'],
  ])('writes nothing when %s', async (_, cells, expected) => {
    const { apis, calls } = fakeCloud(SITE);

    expect(await applyTasks(emailChange.cloud, [cells], apis)).toEqual([expected]);
    expect(writes(calls)).toEqual([]);
  });

  it('says of a row by old address, when its file comes again, whose the new one is and what to do (promise 8)', async () => {
    const { apis } = fakeCloud(SITE);
    const rows: readonly Cells[] = [
      { oldEmail: 'ann@acme.example', newEmail: 'a.n@acme.example' },
      { accountId: 'bob', oldEmail: 'bob@acme.example', newEmail: 'b.b@acme.example' },
    ];
    await applyTasks(emailChange.cloud, rows, apis);

    const again = await plan(emailChange.cloud, rows, apis);

    expect(again).toMatchObject([
      {
        kind: 'refused',
        refusal: {
          code: 'USER_NOT_FOUND',
          message: expect.stringMatching(/"a\.n@acme\.example" is that of account "ann" already.*put the account id/),
        },
      },
      { kind: 'noop', before: { email: 'b.b@acme.example' } },
    ]);
  });

  it.each([
    ['by id', { accountId: 'ann', newEmail: 'Bob@acme.example' }],
    ['by address', { oldEmail: 'ann@acme.example', newEmail: 'bob@acme.example' }],
  ])('waits %s for whoever has the new address, and is refused if they keep it', async (_, cells) => {
    const { apis } = fakeCloud(SITE);
    const rows: readonly Cells[] = [cells, { oldEmail: 'bob@acme.example', newEmail: NEW }];

    const [taking, freeing] = await plan(emailChange.cloud, rows, apis);

    expect(taking).toMatchObject({ kind: 'change', blocked: { by: 'account:bob', refusal: { code: 'EMAIL_IN_USE' } } });
    expect(freeing).toMatchObject({ kind: 'change', blocked: undefined, keys: [{ subject: 'account:bob' }, {}] });
  });

  it.each([
    ['an account that is not managed', { accountId: 'own', newEmail: 'bob@acme.example' }, 'USER_NOT_MANAGED'],
    ['an address that it has not', { accountId: 'ann', oldEmail: NEW, newEmail: 'bob@acme.example' }, 'EMAIL_MISMATCH'],
  ])('does not wait for an address with %s', async (_, cells, code) => {
    const { apis } = fakeCloud(SITE);

    expect(await plan(emailChange.cloud, [cells], apis)).toMatchObject([{ kind: 'refused', refusal: { code } }]);
  });

  it('takes an address for two accounts for a contradiction', async () => {
    const { apis } = fakeCloud(SITE);

    const rows = ['ann', 'bob'].map((accountId) => ({ accountId, newEmail: NEW }));

    const subject = `address:${NEW}`;
    expect(await plan(emailChange.cloud, rows, apis)).toMatchObject([
      { keys: [{}, { subject, desired: 'account:ann' }] },
      { keys: [{}, { subject, desired: 'account:bob' }] },
    ]);
  });

  it('costs three look-ups for a batch by ids and addresses', async () => {
    const { apis, calls } = fakeCloud(SITE);

    const rows: readonly Cells[] = [
      { accountId: 'ann', newEmail: NEW },
      { oldEmail: 'bob@acme.example', newEmail: 'b.b@acme.example' },
    ];
    await plan(emailChange.cloud, rows, apis);

    expect(lookUps(calls).toSorted()).toEqual([
      'organisation.findUsersByEmail',
      'organisation.findUsersById',
      'organisation.listVerifiedDomains',
    ]);
  });

  it('is about the account and the address, however the account is written', async () => {
    const { apis } = fakeCloud(SITE);

    const planned = await plan(
      emailChange.cloud,
      [
        { accountId: 'ann', newEmail: NEW },
        { oldEmail: 'ann@acme.example', newEmail: 'other@acme.example' },
      ],
      apis,
    );

    expect(planned).toMatchObject([
      {
        subject: { accountId: 'ann' },
        before: { email: 'Ann@acme.example' },
        keys: [
          { subject: 'account:ann', desired: NEW },
          { subject: `address:${NEW}`, desired: 'account:ann' },
        ],
      },
      { keys: [{ subject: 'account:ann', desired: 'other@acme.example' }, { desired: 'account:ann' }] },
    ]);
  });

  it('reads the present address from user management where the directory does not list the account', async () => {
    const { apis, calls } = fakeCloud({ ...SITE, intercept: unlisted });

    const rows: readonly Cells[] = [
      { accountId: 'ann', oldEmail: 'ann@acme.example', newEmail: NEW },
      { accountId: 'bob', newEmail: 'bob@acme.example' },
    ];

    expect(await applyTasks(emailChange.cloud, rows, apis)).toEqual(['changed', 'unchanged']);
    expect(lookUps(calls).filter((name) => name === 'userManagement.findProfile')).toHaveLength(2);
  });

  it('finds the target unusable when it has no organisation keys, and names them', async () => {
    const { apis } = fakeCloud({ ...SITE, organisation: false });

    const planning = plan(emailChange.cloud, [{ accountId: 'ann', newEmail: NEW }], apis);

    await expect(planning).rejects.toThrow(TargetUnusable);
    await expect(planning).rejects.toThrow('orgApiKey');
  });

  it('refuses a row that no longer parses, and applies the others', async () => {
    const { apis } = fakeCloud(SITE);

    const results = await applyTasks(
      emailChange.cloud,
      [{ accountId: 'ann' }, { accountId: 'bob', newEmail: NEW }],
      apis,
    );

    expect(results).toEqual(['REQUEST_REFUSED', 'changed']);
  });
});

describe('email-change on Data Center', () => {
  const site = () => fakeDataCenter({ users: [{ username: 'ann', emailAddress: 'Ann@acme.example' }] });

  it('is about the person, and about no address, since two may have one', async () => {
    const planned = await plan(
      emailChange.dataCenter,
      [{ username: 'ANN', newEmail: 'New@acme.example' }],
      site().apis,
    );

    expect(planned).toMatchObject([{ keys: [{ subject: 'username:ann', desired: 'new@acme.example' }] }]);
  });

  it.each([
    ['changes the address', { username: 'ANN', newEmail: NEW }, 'changed'],
    ['changes it from the old one', { username: 'ann', oldEmail: 'ann@acme.example', newEmail: NEW }, 'changed'],
    ['leaves the address', { username: 'ann', newEmail: 'ann@acme.example' }, 'unchanged'],
    ['compares the old address', { username: 'ann', oldEmail: 'bob@acme.example', newEmail: NEW }, 'EMAIL_MISMATCH'],
    ['knows no such user', { username: 'eve', newEmail: NEW }, 'USER_NOT_FOUND'],
  ])('%s', async (_, cells, expected) => {
    expect(await applyTasks(emailChange.dataCenter, [cells], site().apis)).toEqual([expected]);
  });
});

const unlisted: FakeCloudOptions['intercept'] = async ({ name }, proceed) =>
  name === 'organisation.findUsersById' ? [] : proceed();
