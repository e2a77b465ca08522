import { describe, expect, it } from 'vitest';

import { membership } from '../../../shared/operations/membership.ts';
import { fakeCloud, type FakeCloudOptions } from '../../fakes/atlassian-cloud.ts';
import { fakeDataCenter, type FakeDataCenterOptions } from '../../fakes/atlassian-data-center.ts';
import { memoryObjectStore } from '../../fakes/memory-object-store.ts';
import { lookUps, plan } from './apply-tasks.ts';

const listings = (rows: number) => ({ store: memoryObjectStore(), rows, prefix: 'plan/job/1/lists/' });

const count = (names: readonly string[]) =>
  Object.fromEntries([...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length]));

/** Ten people in the group, ten outside of it, and one of each who is suspended. */
const SITE = {
  users: [
    ...Array.from({ length: 20 }, (_, n) => ({
      accountId: `a-${n}`,
      email: `a-${n}@acme.example`,
      ...(n < 10 ? { groupIds: ['g-dev'] } : {}),
    })),
    { accountId: 'in', email: 'in@acme.example', membershipStatus: 'suspended', groupIds: ['g-dev'] },
    { accountId: 'out', email: 'out@acme.example', membershipStatus: 'suspended' },
  ],
  groups: [{ groupId: 'g-dev', name: 'developers' }],
} satisfies FakeCloudOptions;

const everybody = (action: 'add' | 'remove') =>
  SITE.users.map(({ accountId }) => ({ accountId, groupId: 'g-dev', action }));
const isMember = (planned: readonly { readonly kind: string }[]) =>
  planned.map((one) => ('before' in one ? one.before : one));

describe('whether many people are in a group', () => {
  const members = SITE.users.map((_, n) => ({ member: n < 10 || n === 20 }));

  it.each(['add', 'remove'] as const)(
    'is told by the list of its members without organisation keys: %s',
    async (action) => {
      const { apis, calls } = fakeCloud({ ...SITE, organisation: false, listings: listings(22) });

      const planned = await plan(membership.cloud, everybody(action), apis);

      expect(isMember(planned)).toEqual(members);
      expect(count(lookUps(calls))).toEqual({
        'jira.findGroupsById': 1,
        'jira.findUsersById': 1,
        'jira.listMembers': 1,
        'jira.findGroupsOfUser': 2, // a list of members leaves out whoever is suspended
      });
    },
  );

  it('costs Jira nothing where the organisation lists those whom a removal concerns', async () => {
    const { apis, calls } = fakeCloud({ ...SITE, listings: listings(22) });

    const planned = await plan(membership.cloud, everybody('remove').slice(0, 10), apis);

    expect(isMember(planned)).toEqual(members.slice(0, 10));
    expect(lookUps(calls).filter((name) => /listMembers|findGroupsOfUser/.test(name))).toEqual([]);
  });

  it('is proved by Jira before a removal counts as needless, by one list for all (promise 8)', async () => {
    const { apis, calls } = fakeCloud({ ...SITE, listings: listings(22) });

    const planned = await plan(membership.cloud, everybody('remove'), apis);

    expect(isMember(planned)).toEqual(members);
    expect(count(lookUps(calls))).toMatchObject({ 'jira.listMembers': 1, 'jira.findGroupsOfUser': 1 });
  });

  it('is asked person by person where no list is worth its calls', async () => {
    const { apis, calls } = fakeCloud({ ...SITE, organisation: false, listings: listings(2) });

    const planned = await plan(membership.cloud, everybody('add').slice(9, 11), apis);

    expect(isMember(planned)).toEqual([{ member: true }, { member: false }]);
    expect(count(lookUps(calls))).toMatchObject({ 'jira.findGroupsOfUser': 2 });
    expect(lookUps(calls)).not.toContain('jira.listMembers');
  });
});

describe('people by their addresses, without organisation keys', () => {
  const rows = (...names: readonly string[]) =>
    names.map((name) => ({ email: `${name}@acme.example`, groupId: 'g-dev' }));

  it('are found in the list of all users, and answered as by a search', async () => {
    const users = [
      ...SITE.users,
      { accountId: 'tw1', email: 'twin@acme.example' },
      { accountId: 'tw2', email: 'twin@acme.example' },
    ];
    const asked = rows('A-0', 'a-19', 'nobody', 'twin', 'in');
    const listed = fakeCloud({ ...SITE, users, organisation: false, listings: listings(40) });
    const searched = fakeCloud({ ...SITE, users, organisation: false });

    const planned = await plan(membership.cloud, asked, listed.apis);

    expect(planned).toEqual(await plan(membership.cloud, asked, searched.apis));
    expect(lookUps(listed.calls)).not.toContain('jira.findUsers');
  });

  it('are searched for where somebody hides an address and may be meant', async () => {
    const users = [...SITE.users, { accountId: 'hid', email: 'hid@acme.example', hidden: true }];
    const { apis, calls } = fakeCloud({ ...SITE, users, organisation: false, listings: listings(40) });

    const planned = await plan(membership.cloud, rows('a-0', 'hid', 'a-1', 'a-2'), apis);

    expect(planned[1]).toMatchObject({ refusal: { code: 'USER_AMBIGUOUS' } });
    expect(calls.filter(({ name }) => name === 'jira.findUsers').map(({ args }) => args)).toEqual([
      ['hid@acme.example'],
    ]);
  });
});

describe('on Data Center', () => {
  const SERVER = {
    users: [
      ...Array.from({ length: 20 }, (_, n) => ({
        username: `User${n}`,
        emailAddress: `user${n}@dc.example`,
        ...(n < 10 ? { groups: ['developers'] } : {}),
      })),
      { username: 'gone', emailAddress: 'gone@dc.example', active: false, groups: ['developers'] },
    ],
    groups: ['developers'],
  } satisfies FakeDataCenterOptions;
  const rows = [...SERVER.users.map(({ username }) => username.toUpperCase()), 'nobody'].map((username) => ({
    username,
    groupName: 'developers',
  }));
  const members = SERVER.users.map((_, n) => ({ member: n < 10 || n === 20 }));

  it('users and members are listed where many are asked about', async () => {
    const { apis, calls } = fakeDataCenter({ ...SERVER, listings: listings(rows.length) });

    const planned = await plan(membership.dataCenter, rows, apis);

    expect(isMember(planned).slice(0, -1)).toEqual(members);
    expect(planned.at(-1)).toMatchObject({ refusal: { code: 'USER_NOT_FOUND' } });
    expect(count(lookUps(calls))).toEqual({
      'dataCenter.listUsers': 1,
      'dataCenter.listMembers': 1,
      'dataCenter.pickGroups': 1,
    });
  });

  it('a search proves who is there alone: who is not in it is asked about', async () => {
    const { apis, calls } = fakeDataCenter({ ...SERVER, older: true, listings: listings(rows.length) });

    const planned = await plan(membership.dataCenter, rows, apis);

    expect(isMember(planned).slice(0, -1)).toEqual(members);
    expect(planned.at(-1)).toMatchObject({ refusal: { code: 'USER_NOT_FOUND' } });
    expect(calls.filter(({ name }) => name === 'dataCenter.findUser').map(({ args }) => args)).toEqual([['nobody']]);
  });

  it('a few users are asked about one by one', async () => {
    const { apis, calls } = fakeDataCenter({ ...SERVER, listings: listings(2) });

    await plan(membership.dataCenter, rows.slice(0, 2), apis);

    expect(count(lookUps(calls))).toEqual({ 'dataCenter.findUser': 2, 'dataCenter.pickGroups': 1 });
  });
});
