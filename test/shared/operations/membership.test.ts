import { describe, expect, it } from 'vitest';

import { NoAnswer, RateLimited, Refusal } from '../../../shared/atlassian/errors.ts';
import type { OrganisationUser } from '../../../shared/atlassian/apis.ts';
import type { Cells } from '../../../shared/operations/operation.ts';
import { membership } from '../../../shared/operations/membership.ts';
import { fakeCloud, type FakeCloudOptions } from '../../fakes/atlassian-cloud.ts';
import { fakeDataCenter } from '../../fakes/atlassian-data-center.ts';
import { applyTasks, lookUps, plan, writes } from './apply-tasks.ts';
import { CLOUD, DATA_CENTER } from './targets.ts';

const SITE = {
  users: [
    { accountId: 'ann', email: 'Ann@acme.example' },
    { accountId: 'bob', email: 'bob@acme.example', groupIds: ['g-dev'] },
    { accountId: 'sue', email: 'sue@acme.example', membershipStatus: 'suspended' },
    { accountId: 'hid', email: 'hid@acme.example', hidden: true },
    { accountId: 'tw1', email: 'twin@acme.example' },
    { accountId: 'tw2', email: 'twin@acme.example' },
  ],
  groups: [
    { groupId: 'g-dev', name: 'developers' },
    { groupId: 'g-ops', name: 'ops & on/call' },
    { groupId: 'g-idp', name: 'everybody', external: true },
    { groupId: 'g-x1', name: 'doubled' },
    { groupId: 'g-x2', name: 'doubled' },
  ],
} satisfies FakeCloudOptions;

describe('a membership row is checked', () => {
  it.each([
    ['remove', 'remove'],
    ['REMOVE', 'remove'],
    ['Add', 'add'],
  ])('action %j is %s', async (action, desired) => {
    const { apis } = fakeCloud(SITE);

    const planned = await plan(membership.cloud, [{ accountId: 'ann', groupId: 'g-dev', action }], apis);

    expect(planned).toMatchObject([{ keys: [{ desired }] }]);
  });

  it('tells all problems at once, each with its column, its cell and what is expected', () => {
    const checked = membership.cloud?.check({ accountId: '../x', email: 'a b', action: 'delete' }, CLOUD);

    expect(checked).toEqual([
      expect.stringMatching(/^accountId: "\.\.\/x" is not an account id; 1 to 128 letters/),
      expect.stringMatching(/^email: "a b" is not an e-mail address; name@domain/),
      expect.stringMatching(/^groupId, groupName: both are empty/),
      'action: "delete" is not one of add, remove.',
    ]);
  });

  it.each([[{}], [{ groupId: 'g' }]])('one without a user is invalid: %j', (cells) => {
    expect(membership.cloud?.check(cells, CLOUD)).toContainEqual(
      expect.stringMatching(/^accountId, email: both are empty/),
    );
  });

  it('on Data Center without username and group name is invalid for both', () => {
    expect(membership.dataCenter?.check({}, DATA_CENTER)).toEqual([/username/, /groupName/].map(matching));
  });
});

describe.each([{ organisation: true }, { organisation: false }])(
  'membership on Cloud with $organisation keys',
  (keys) => {
    it.each([
      ['adds by e-mail in any case and name', { email: 'ann@ACME.example', groupName: 'developers' }, 'changed'],
      ['adds by ids', { accountId: 'ann', groupId: 'g-ops' }, 'changed'],
      [
        'adds by all four',
        { accountId: 'ann', email: 'ann@acme.example', groupId: 'g-dev', groupName: 'developers' },
        'changed',
      ],
      ['removes', { email: 'bob@acme.example', groupName: 'developers', action: 'remove' }, 'changed'],
      ['leaves a member', { email: 'bob@acme.example', groupName: 'developers' }, 'unchanged'],
      ['leaves one who is no member', { accountId: 'ann', groupId: 'g-dev', action: 'remove' }, 'unchanged'],
      ['knows no such address', { email: 'nobody@acme.example', groupId: 'g-dev' }, 'USER_NOT_FOUND'],
      ['knows no such beginning of an address', { email: 'ann@acme', groupId: 'g-dev' }, 'USER_NOT_FOUND'],
      ['knows no such id', { accountId: 'nobody', groupId: 'g-dev' }, 'USER_NOT_FOUND'],
      [
        'knows no such id with an address',
        { accountId: 'nobody', email: 'x@acme.example', groupId: 'g-dev' },
        'USER_NOT_FOUND',
      ],
      ['cannot choose between two people', { email: 'twin@acme.example', groupId: 'g-dev' }, 'USER_AMBIGUOUS'],
      [
        'compares the address of an id',
        { accountId: 'ann', email: 'bob@acme.example', groupId: 'g-dev' },
        'EMAIL_MISMATCH',
      ],
      [
        "sees that a hidden account's address is another's",
        { accountId: 'hid', email: 'bob@acme.example', groupId: 'g-dev' },
        'EMAIL_MISMATCH',
      ],
      [
        'compares the name of a group id',
        { accountId: 'ann', groupId: 'g-dev', groupName: 'ops & on/call' },
        'GROUP_MISMATCH',
      ],
      ['knows no such group name', { accountId: 'ann', groupName: 'Developer' }, 'GROUP_NOT_FOUND'],
      [
        'finds the one group that a name in other case can mean',
        { accountId: 'ann', groupName: 'Developers' },
        'changed',
      ],
      ['knows no such group id', { accountId: 'ann', groupId: 'g-none' }, 'GROUP_NOT_FOUND'],
      ['cannot choose between two groups', { accountId: 'ann', groupName: 'doubled' }, 'GROUP_NOT_FOUND'],
      [
        'lets Atlassian refuse, or refuses, a group of an identity provider',
        { accountId: 'ann', groupName: 'everybody' },
        'GROUP_EXTERNAL',
      ],
    ])('%s', async (_, cells, expected) => {
      const { apis } = fakeCloud({ ...SITE, ...keys });

      expect(await applyTasks(membership.cloud, [cells], apis)).toEqual([expected]);
    });

    it('writes nothing for rows that are refused or so already, and once for the others', async () => {
      const { apis, calls, state } = fakeCloud({ ...SITE, ...keys });

      const rows = [
        { email: 'ann@acme.example', groupName: 'developers' },
        { email: 'bob@acme.example', groupName: 'developers' },
        { email: 'nobody@acme.example', groupName: 'developers' },
      ];
      expect(await applyTasks(membership.cloud, rows, apis)).toEqual(['changed', 'unchanged', 'USER_NOT_FOUND']);

      expect(writes(calls).map(({ name, effective }) => [name, effective])).toEqual([['jira.addToGroup', true]]);
      expect(state.users.get('ann')?.groupIds).toEqual(['g-dev']);
    });

    it('finds nothing to change when the same rows come again', async () => {
      const { apis } = fakeCloud({ ...SITE, ...keys });
      const rows = [{ email: 'ann@acme.example', groupName: 'developers' }];
      await applyTasks(membership.cloud, rows, apis);

      expect(await applyTasks(membership.cloud, rows, apis)).toEqual(['unchanged']);
    });

    it('has one subject for one account and group however they are written', async () => {
      const { apis } = fakeCloud({ ...SITE, ...keys });

      const planned = await plan(
        membership.cloud,
        [
          { accountId: 'ann', groupId: 'g-dev' },
          { email: 'ann@acme.example', groupName: 'developers', action: 'remove' },
        ],
        apis,
      );

      const subject = 'account:ann in group:g-dev';
      expect(planned).toMatchObject([
        { kind: 'change', before: { member: false }, keys: [{ subject, desired: 'add' }] },
        { kind: 'noop', keys: [{ subject, desired: 'remove' }] },
      ]);
    });
  },
);

describe('membership on Cloud', () => {
  it('costs at most three look-ups for a hundred rows by e-mail and group name', async () => {
    const { apis, calls } = fakeCloud(crowd(100));

    const rows = Array.from({ length: 100 }, (_, n) => ({ email: `p${n}@acme.example`, groupName: `team ${n % 7}` }));
    const results = await applyTasks(membership.cloud, rows, apis);

    expect(new Set(results)).toEqual(new Set(['changed']));
    expect(lookUps(calls).length).toBeLessThanOrEqual(3);
    expect(writes(calls)).toHaveLength(100);
  });

  it('costs two look-ups for a hundred rows by ids', async () => {
    const { apis, calls } = fakeCloud(crowd(100));

    const rows = Array.from({ length: 100 }, (_, n) => ({ accountId: `p${n}`, groupId: `g${n % 7}` }));
    await plan(membership.cloud, rows, apis);

    expect(lookUps(calls)).toEqual(['organisation.findUsersById', 'organisation.findGroupsById']);
  });

  it('finds people who are suspended through the organisation', async () => {
    const { apis } = fakeCloud(SITE);

    expect(await applyTasks(membership.cloud, [{ email: 'sue@acme.example', groupId: 'g-dev' }], apis)).toEqual([
      'changed',
    ]);
  });

  it('never takes a hit whose address Jira hides for the person meant', async () => {
    const { apis, calls } = fakeCloud({ ...SITE, organisation: false });

    expect(await applyTasks(membership.cloud, [{ email: 'hid@acme.example', groupId: 'g-dev' }], apis)).toEqual([
      'USER_AMBIGUOUS',
    ]);
    expect(writes(calls)).toEqual([]);
  });

  it('asks Jira once about a person in many rows', async () => {
    const { apis, calls } = fakeCloud({ ...SITE, organisation: false });

    const rows = ['g-dev', 'g-ops', 'g-idp'].map((groupId) => ({ email: 'ann@acme.example', groupId }));
    await plan(membership.cloud, rows, apis);

    expect(lookUps(calls).toSorted()).toEqual(['jira.findGroupsById', 'jira.findGroupsOfUser', 'jira.findUsers']);
  });

  it('asks Jira for the groups that the organisation does not give', async () => {
    const { apis } = fakeCloud(SITE);
    const organisation = apis.organisation!;
    const silent: typeof organisation = {
      ...organisation,
      findUsersByEmail: (emails, _, signal) => organisation.findUsersByEmail(emails, { groups: false }, signal),
    };

    const rows = [{ email: 'bob@acme.example', groupId: 'g-dev' }];
    expect(await applyTasks(membership.cloud, rows, { ...apis, organisation: silent })).toEqual(['unchanged']);
  });

  it.each([
    ['a refusal', new Refusal('FORBIDDEN', 'no'), 'FORBIDDEN'],
    ['waiting', new RateLimited('wait', { notBeforeMs: 1, sent: true }), 'RATE_LIMITED'],
    ['no answer', new NoAnswer('silence'), 'TIMED_OUT'],
  ])("%s to one row's own look-up is that row's alone", async (_, error, expected) => {
    const { apis } = fakeCloud({ ...SITE, organisation: false, intercept: failing('bob@acme.example', error) });

    const rows = ['ann@acme.example', 'bob@acme.example'].map((email) => ({ email, groupName: 'ops & on/call' }));

    expect(await applyTasks(membership.cloud, rows, apis)).toEqual(['changed', expected]);
  });

  it.each([
    ['refused credentials', new Refusal('UNAUTHORIZED', 'who are you?')],
    ['what nobody foresaw', new TypeError('a bug')],
  ])('%s concern all rows', async (_, error) => {
    const { apis } = fakeCloud({ ...SITE, organisation: false, intercept: failing('bob@acme.example', error) });

    const rows = ['ann@acme.example', 'bob@acme.example'].map((email) => ({ email, groupId: 'g-dev' }));

    await expect(plan(membership.cloud, rows, apis)).rejects.toBe(error);
  });
});

describe('what proves a membership on Cloud (promise 8)', () => {
  /** An organisation of several directories, one of which lists the groups. */
  const elsewhere = () =>
    fakeCloud({
      ...SITE,
      intercept: async ({ name }, proceed) => {
        const answer = await proceed();
        return name === 'organisation.findUsersById'
          ? (answer as readonly OrganisationUser[]).map((user) => ({ ...user, groupIds: [] })) // what the call answers
          : answer;
      },
    });
  const remove = (accountId: string): Cells => ({ accountId, groupId: 'g-dev', action: 'remove' });

  it('a removal that the list of the organisation makes needless is believed of Jira alone', async () => {
    const { apis, calls } = elsewhere();

    const planned = await plan(membership.cloud, [remove('bob'), remove('ann'), remove('bob')], apis);

    expect(planned.map(({ kind }) => kind)).toEqual(['change', 'noop', 'change']);
    expect(lookUps(calls).filter((name) => name === 'jira.findGroupsOfUser')).toHaveLength(2);
  });

  it('a group in the list of the organisation needs no other word, nor does an addition', async () => {
    const { apis, calls } = fakeCloud(SITE);

    await plan(membership.cloud, [remove('bob'), { accountId: 'ann', groupId: 'g-dev' }], apis);

    expect(lookUps(calls)).not.toContain('jira.findGroupsOfUser');
  });

  it('the same holds when a removal is read again', async () => {
    const { apis } = elsewhere();
    const subject = { accountId: 'bob', groupId: 'g-dev' };

    const read = (member: boolean) => membership.cloud!.read([{ subject, after: { member } }], apis, NEVER);

    expect(await read(false)).toEqual([{ kind: 'found', value: { member: true } }]);
    expect(await read(true)).toEqual([{ kind: 'found', value: { member: false } }]);
  });

  it("what stops Jira's word stops the removals that need it, and no other row", async () => {
    const { apis } = fakeCloud({
      ...SITE,
      intercept: async ({ name }, proceed) => {
        if (name === 'jira.findGroupsOfUser') throw new NoAnswer('silence');
        return proceed();
      },
    });

    const results = await applyTasks(membership.cloud, [remove('ann'), remove('bob')], apis);

    expect(results).toEqual(['TIMED_OUT', 'changed']);
  });
});

describe('membership of somebody without access (promise 8)', () => {
  it.each([
    ['add', 'sue', 'change', /"sue" is suspended and has no access until it is restored \(operation restore\)/],
    ['remove', 'sue', 'noop', /suspended/],
    ['add', 'dee', 'noop', /"dee" is deactivated.*operation reactivate/],
    ['remove', 'dee', 'change', /deactivated/],
  ])('%s of %s is a %s and says so', async (action, accountId, kind, message) => {
    const dee = { accountId: 'dee', email: 'dee@acme.example', accountStatus: 'inactive', groupIds: ['g-dev'] };
    const { apis } = fakeCloud({ ...SITE, users: [...SITE.users, dee] });

    const planned = await plan(membership.cloud, [{ accountId, groupId: 'g-dev', action }], apis);

    expect(planned).toMatchObject([{ kind, message: expect.stringMatching(message) }]);
  });

  it.each(['add', 'remove'])('%s of somebody who was never invited is refused with what helps', async (action) => {
    const nom = { accountId: 'nom', email: 'nom@acme.example', membershipStatus: 'no_membership' };
    const { apis } = fakeCloud({ ...SITE, users: [nom] });

    const planned = await plan(membership.cloud, [{ accountId: 'nom', groupId: 'g-dev', action }], apis);

    expect(planned).toMatchObject([{ kind: 'refused', refusal: { code: 'USER_NOT_FOUND' } }]);
  });

  it('says so of people of whom Jira alone tells, as far as Jira knows', async () => {
    const { apis } = fakeCloud({ ...SITE, organisation: false });
    const rows = ['ann', 'sue'].map((accountId) => ({ accountId, groupId: 'g-dev' }));

    const planned = await plan(membership.cloud, rows, apis);

    const message = expect.stringMatching(/"sue" is inactive in Jira.*operation restore.*operation reactivate/);
    expect(planned).toMatchObject([{ message: undefined }, { message }]);
  });

  it.each(['add', 'remove'])('%s says so on Data Center', async (action) => {
    const { apis } = fakeDataCenter({
      users: [{ username: 'out', emailAddress: 'out@acme.example', active: false }],
      groups: ['developers'],
    });

    const planned = await plan(membership.dataCenter, [{ username: 'out', groupName: 'developers', action }], apis);

    expect(planned).toMatchObject([{ message: expect.stringMatching(/"out" is suspended/) }]);
  });
});

describe('membership on Data Center', () => {
  const site = (intercept?: FakeCloudOptions['intercept']) =>
    fakeDataCenter({
      ...(intercept && { intercept }),
      users: [
        { username: 'ann', emailAddress: 'ann@acme.example' },
        { username: 'bob', emailAddress: 'bob@acme.example', groups: ['developers'] },
        { username: 'cid', emailAddress: 'cid@acme.example', groups: ['testers'] },
      ],
      groups: ['developers', 'testers'],
    });

  it.each([
    ['adds', { username: 'ANN', groupName: 'developers' }, 'changed'],
    ['removes', { username: 'bob', groupName: 'developers', action: 'remove' }, 'changed'],
    ['leaves a member', { username: 'bob', groupName: 'developers' }, 'unchanged'],
    ['leaves one who is no member', { username: 'ann', groupName: 'developers', action: 'remove' }, 'unchanged'],
    ['knows no such user', { username: 'eve', groupName: 'developers' }, 'USER_NOT_FOUND'],
    ['knows no such group', { username: 'ann', groupName: 'develop' }, 'GROUP_NOT_FOUND'],
  ])('%s', async (_, cells, expected) => {
    expect(await applyTasks(membership.dataCenter, [cells], site().apis)).toEqual([expected]);
  });

  it.each(['add', 'remove'])(
    'asks for the members of the group, on %s, when Jira does not list all groups of a person (promise 8)',
    async (action) => {
      const { apis, calls } = site();
      const short: typeof apis = {
        ...apis,
        findUser: async (username, signal) => {
          const user = await apis.findUser(username, signal);
          return user && { ...user, groups: undefined };
        },
      };
      const rows = ['ann', 'bob'].map((username) => ({ username, groupName: 'developers', action }));

      const planned = await plan(membership.dataCenter, rows, short);

      const kinds = planned.map(({ kind }) => kind);
      expect(kinds).toEqual(action === 'add' ? ['change', 'noop'] : ['noop', 'change']);
      expect(planned).toMatchObject([{ before: { member: false } }, { before: { member: true } }]);
      expect(calls.filter(({ name }) => name === 'dataCenter.listMembers')).toHaveLength(1);
    },
  );

  it.each([
    ['a refusal', new Refusal('FORBIDDEN', 'not for you'), 'FORBIDDEN'],
    ['waiting', new RateLimited('wait', { notBeforeMs: 1, sent: true }), 'RATE_LIMITED'],
    ['a failure', new Refusal('ATLASSIAN_ERROR', 'sorry'), 'ATLASSIAN_ERROR'],
  ])("%s to one group's own look-up is for its rows alone, and not for its members", async (_, error, expected) => {
    const { apis } = site(async ({ name, args }, proceed) => {
      if (name === 'dataCenter.pickGroups' && args[0] === 'testers') throw error;
      return proceed();
    });
    const rows = [
      { username: 'ann', groupName: 'developers', action: 'add' },
      { username: 'ann', groupName: 'testers', action: 'add' },
      { username: 'ann', groupName: 'testers', action: 'remove' },
      { username: 'cid', groupName: 'testers', action: 'add' },
      { username: 'cid', groupName: 'testers', action: 'remove' },
    ];

    expect(await applyTasks(membership.dataCenter, rows, apis)).toEqual([
      'changed',
      expected,
      expected,
      'unchanged',
      'changed',
    ]);
  });

  it('asks about each person and each group once', async () => {
    const { apis, calls } = site();

    const rows = ['add', 'remove', 'add'].map((action) => ({ username: 'ann', groupName: 'developers', action }));
    await plan(membership.dataCenter, rows, apis);

    expect(lookUps(calls).toSorted()).toEqual(['dataCenter.findUser', 'dataCenter.pickGroups']);
  });
});

const NEVER = new AbortController().signal;

const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);

const crowd = (count: number): FakeCloudOptions => ({
  users: Array.from({ length: count }, (_, n) => ({ accountId: `p${n}`, email: `p${n}@acme.example` })),
  groups: Array.from({ length: 7 }, (_, n) => ({ groupId: `g${n}`, name: `team ${n}` })),
});

const failing =
  (query: string, error: Error): FakeCloudOptions['intercept'] =>
  async ({ name, args }, proceed) => {
    if (name === 'jira.findUsers' && args[0] === query) throw error;
    return proceed();
  };
