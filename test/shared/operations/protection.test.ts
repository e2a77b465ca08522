import { describe, expect, it } from 'vitest';

import { Refusal } from '../../../shared/atlassian/errors.ts';
import type { Cloud, DataCenter } from '../../../shared/atlassian/apis.ts';
import type { Effect } from '../../../shared/operations/operation.ts';
import { openProtection } from '../../../shared/operations/protection.ts';
import { fakeCloud, type FakeCloudOptions } from '../../fakes/atlassian-cloud.ts';
import { fakeDataCenter, type FakeDataCenterOptions } from '../../fakes/atlassian-data-center.ts';

const { signal } = new AbortController();

const SITE = {
  target: { email: 'Owner@acme.example' },
  users: [
    { accountId: 'owner', email: 'owner@acme.example' },
    { accountId: 'chief', email: 'chief@acme.example', orgAdmin: true },
    { accountId: 'root', email: 'root@acme.example', groupIds: ['g-admins'] },
    { accountId: 'boss', email: 'boss@acme.example' },
    { accountId: 'sue', email: 'sue@acme.example', membershipStatus: 'suspended', groupIds: ['g-admins'] },
    { accountId: 'head', email: 'head@acme.example', groupIds: ['g-board'] },
    { accountId: 'ann', email: 'ann@acme.example', groupIds: ['g-dev'] },
  ],
  groups: [
    { groupId: 'g-admins', name: 'org-admins', roles: ['atlassian/org-admin'] },
    { groupId: 'g-sites', name: 'whoever runs the sites', roles: ['atlassian/site-admin'] },
    { groupId: 'g-board', name: 'Board' },
    { groupId: 'g-dev', name: 'developers' },
  ],
} satisfies FakeCloudOptions;

const cloud = (more: FakeCloudOptions = {}) =>
  fakeCloud({ ...SITE, ...more, target: { ...SITE.target, ...more.target } }).apis;

async function refusalOf(apis: Cloud | DataCenter, effect: Effect, subject: object): Promise<Refusal | undefined> {
  return (await openProtection(apis, signal)).refusalOf(effect, { subject });
}

describe('on Cloud nobody is suspended, deactivated or renamed by a file who', () => {
  it.each([
    ['owns the token', 'owner', 'owns the token of the target acme'],
    ['has an admin role', 'chief', 'administers the organisation or a site'],
    ['is in a group that gives one', 'root', 'is in a group of admins'],
    ['is in such a group and suspended at present', 'sue', 'is in a group of admins'],
    ['stands on the list by account id', 'ann', 'is protected by the secret rollcall/acme'],
    ['stands on the list by address, in any case', 'boss', 'is protected by the secret rollcall/acme'],
    ['is in a group that stands on the list', 'head', 'in a protected one'],
  ])('%s', async (_, accountId, words) => {
    const apis = cloud({ target: { protected: ['ann', 'BOSS@acme.example', 'Board'] } });

    for (const effect of ['takes', 'renames'] as const) {
      const refusal = await refusalOf(apis, effect, { accountId });
      expect(refusal).toMatchObject({ code: 'PROTECTED', temporary: false });
      expect(refusal?.message).toContain(`"${accountId}"`);
      expect(refusal?.message).toContain(words);
      expect(refusal?.message).toContain('by hand');
    }
  });

  it('while other changes of them pass, and any change of others', async () => {
    expect(await refusalOf(cloud(), 'gives', { accountId: 'owner' })).toBeUndefined();
    expect(await refusalOf(cloud(), 'takes', { accountId: 'owner', groupId: 'g-dev' })).toBeUndefined();
    expect(await refusalOf(cloud(), 'gives', { accountId: 'root', groupId: 'g-dev' })).toBeUndefined();
    expect(await refusalOf(cloud(), 'gives', { email: 'new@acme.example', products: [] })).toBeUndefined();
    expect(await refusalOf(cloud(), 'takes', { accountId: 'ann' })).toBeUndefined();
    expect(await refusalOf(cloud(), 'renames', { accountId: 'boss' })).toBeUndefined();
  });

  it('names the list where that is the reason, so that it can be changed', async () => {
    const refusal = await refusalOf(cloud({ target: { protected: ['ann'] } }), 'takes', { accountId: 'ann' });

    expect(refusal?.message).toContain('take it out of the list protected in the secret rollcall/acme');
  });
});

describe("a group's members are not changed by a file where it", () => {
  it.each([
    ['gives an admin role', 'g-admins'],
    ['gives the role on a site, whatever it is called', 'g-sites'],
    ['stands on the list', 'g-board'],
  ])('%s', async (_, groupId) => {
    const apis = cloud({ target: { protected: ['Board'] } });

    const added = await refusalOf(apis, 'gives', { accountId: 'ann', groupId });
    const taken = await refusalOf(apis, 'takes', { accountId: 'ann', groupId });

    expect(added?.message).toMatch(/no file may add anybody to it.*allowAdminGroups to true/);
    expect(taken?.message).toMatch(/no file may take anybody out of it/);
    expect((await openProtection(apis, signal)).isAdminGroup(groupId)).toBe(true);
  });

  it('but where the secret allows it, save for the owner, the list and the last one', async () => {
    const apis = cloud({
      target: { allowAdminGroups: true, protected: ['root'] },
      users: [...SITE.users, { accountId: 'last', email: 'last@acme.example', groupIds: ['g-sites'] }],
    });
    const outOf = (groupId: string, accountId: string) => refusalOf(apis, 'takes', { accountId, groupId });

    expect(await refusalOf(apis, 'gives', { accountId: 'ann', groupId: 'g-admins' })).toBeUndefined();
    expect(await outOf('g-admins', 'sue')).toBeUndefined();
    expect((await outOf('g-admins', 'root'))?.message).toContain('is protected by the secret');
    expect((await outOf('g-sites', 'last'))?.message).toContain(
      'the last member of the group "whoever runs the sites"',
    );
    expect(await refusalOf(apis, 'takes', { accountId: 'sue' })).toMatchObject({ code: 'PROTECTED' });
  });

  it('is counted, so that a file does not take its last members one by one', async () => {
    const protection = await openProtection(cloud(), signal);

    expect(protection.countAdmins('g-admins')).toBe(2);
    expect(protection.countAdmins('g-sites')).toBe(0);
    expect(protection.countAdmins('g-dev')).toBeUndefined();
    expect(protection.isAdminGroup('g-dev')).toBe(false);
  });
});

describe('without organisation keys', () => {
  it('the owner is protected, the list, and the members of groups that are called as admin groups are', async () => {
    const users = [...SITE.users, { accountId: 'jill', email: 'jill@acme.example', groupIds: ['g-jira'] }];
    const groups = [...SITE.groups, { groupId: 'g-jira', name: 'jira-administrators' }];
    const apis = cloud({ organisation: false, users, groups, target: { protected: ['boss@acme.example'] } });

    for (const accountId of ['owner', 'root', 'jill', 'boss']) {
      expect(await refusalOf(apis, 'takes', { accountId })).toMatchObject({ code: 'PROTECTED' });
    }
    expect(await refusalOf(apis, 'takes', { accountId: 'chief' })).toBeUndefined(); // whose role Jira does not tell
  });
});

describe('who owns the token', () => {
  const deaf: FakeCloudOptions['intercept'] = async ({ name }, proceed) => {
    if (name === 'jira.findMyself') throw new Refusal('FORBIDDEN', 'no access to Jira');
    return proceed();
  };

  it('is told by the address in the secret where Jira does not tell', async () => {
    expect(await refusalOf(cloud({ intercept: deaf }), 'takes', { accountId: 'owner' })).toBeDefined();
  });

  it('must be known: otherwise nothing is planned', async () => {
    const apis = cloud({ intercept: deaf, target: { email: 'elsewhere@acme.example' } });

    await expect(openProtection(apis, signal)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it('is not taken for nobody while Atlassian is down', async () => {
    const apis = cloud({
      intercept: async ({ name }, proceed) => {
        if (name === 'jira.findMyself') throw new Refusal('ATLASSIAN_ERROR', 'down');
        return proceed();
      },
    });

    await expect(openProtection(apis, signal)).rejects.toMatchObject({ code: 'ATLASSIAN_ERROR' });
  });
});

describe('on Data Center', () => {
  const SERVER = {
    owner: 'Robot',
    users: [
      { username: 'Robot', emailAddress: 'robot@dc.example' },
      { username: 'Adam', emailAddress: 'adam@dc.example', groups: ['jira-administrators'] },
      { username: 'Sys', emailAddress: 'sys@dc.example', groups: ['jira-system-administrators'], active: false },
      { username: 'Boss', emailAddress: 'boss@dc.example' },
      { username: 'ann', emailAddress: 'ann@dc.example' },
    ],
    groups: ['jira-administrators', 'jira-system-administrators', 'developers'],
  } satisfies FakeDataCenterOptions;

  it.each([
    ['robot', 'owns the token'],
    ['ADAM', 'administers Jira'],
    ['sys', 'administers Jira'],
  ])('%s is protected, usernames in any case: %s', async (username, words) => {
    const { apis } = fakeDataCenter(SERVER);

    expect((await refusalOf(apis, 'takes', { username }))?.message).toContain(words);
    expect(await refusalOf(apis, 'renames', { username })).toBeDefined();
  });

  it('so is who stands on the list by username or address; others are not', async () => {
    const target = (protectedOnes: readonly string[]) => {
      const { apis } = fakeDataCenter(SERVER);
      return { ...apis, target: { ...apis.target, protected: protectedOnes } };
    };

    expect(await refusalOf(target(['boss']), 'takes', { username: 'Boss' })).toBeDefined();
    expect(await refusalOf(target(['BOSS@dc.example']), 'takes', { username: 'Boss' })).toBeDefined();
    expect(await refusalOf(target([]), 'takes', { username: 'Boss' })).toBeUndefined();
  });

  it('admin groups keep their members, names in any case', async () => {
    const { apis } = fakeDataCenter(SERVER);
    const subject = { username: 'ann', group: 'Jira-Administrators' };

    expect(await refusalOf(apis, 'gives', subject)).toMatchObject({ code: 'PROTECTED' });
    expect(await refusalOf(apis, 'gives', { ...subject, group: 'developers' })).toBeUndefined();
    expect((await openProtection(apis, signal)).countAdmins('JIRA-administrators')).toBe(1);
  });
});

it('reads all of the members of a large group', async () => {
  const users = Array.from({ length: 120 }, (_, n) => ({
    accountId: `a-${n}`,
    email: `a-${n}@acme.example`,
    groupIds: ['g-board'],
  }));
  const apis = cloud({ organisation: false, users: [...SITE.users, ...users], target: { protected: ['Board'] } });

  expect(await refusalOf(apis, 'takes', { accountId: 'a-119' })).toBeDefined();
});
