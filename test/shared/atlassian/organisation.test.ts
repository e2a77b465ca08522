import { describe, expect, it } from 'vitest';

import type { Organisation } from '../../../shared/atlassian/apis.ts';
import { NoAnswer } from '../../../shared/atlassian/errors.ts';
import type { CloudTarget } from '../../../shared/target.ts';
import { API } from './targets.ts';
import { mockAtlassian, signal, type Mock, type Reply } from './mock-atlassian.ts';

const DIRECTORY = `${API}/admin/v2/orgs/org-1/directories/dir-1`;

function start(replies: readonly Reply[], changes?: Partial<CloudTarget>): { mock: Mock; organisation: Organisation } {
  const mock = mockAtlassian(...replies);
  const { organisation } = mock.cloud(changes);
  if (organisation === undefined) throw new Error('a target with organisation keys has the organisation API');
  return { mock, organisation };
}

const ok = (body: unknown): Reply => ({ status: 200, body });
const addresses = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `a-${index}@b.example`);

describe('the organisation API', () => {
  it('is absent without organisation keys', () => {
    const { organisation, userManagement } = mockAtlassian().cloud({ orgApiKey: undefined });

    expect(organisation).toBeUndefined();
    expect(userManagement).toBeUndefined();
  });

  it('finds people by e-mail with the Bearer key, and their groups on request', async () => {
    const person = {
      accountId: 'a-1',
      email: 'a@b.example',
      membershipStatus: 'suspended',
      managementSource: null,
      nickname: 'A',
      groups: [{ id: 'g-1', name: 'one' }, { groupId: 'g-2' }, 'g-3'],
    };
    const { mock, organisation } = start([ok({ data: [person], links: {} })]);

    const users = await organisation.findUsersByEmail(['a@b.example'], { groups: true }, signal());

    expect(users).toEqual([
      { accountId: 'a-1', email: 'a@b.example', membershipStatus: 'suspended', groupIds: ['g-1', 'g-2', 'g-3'] },
    ]);
    expect(mock.sent).toMatchObject([
      {
        method: 'POST',
        url: `${DIRECTORY}/users/search`,
        body: { emails: ['a@b.example'], limit: 100, expand: ['groups'] },
      },
    ]);
    expect(mock.sent[0]?.headers.authorization).toBe('Bearer org-secret');
  });

  it('asks for ten accounts a call, each once', async () => {
    const { mock, organisation } = start([ok({ data: [] })]);
    const ids = Array.from({ length: 21 }, (_, index) => `a-${index}`);

    await organisation.findUsersById([...ids, 'a-0'], { groups: false }, signal());

    const lengths = mock.sent.map(({ body }) => (body as { accountIds: string[] }).accountIds.length); // what was just sent
    expect(lengths.toSorted()).toEqual([1, 10, 10]);
    expect(mock.sent[0]?.body).not.toHaveProperty('expand');
  });

  it('asks for a hundred addresses a call', async () => {
    const { mock, organisation } = start([ok({ data: [] })]);

    await organisation.findUsersByEmail(addresses(101), { groups: false }, signal());

    expect(mock.sent).toMatchObject([{ body: { emails: { length: 100 } } }, { body: { emails: { length: 1 } } }]);
  });

  it('finds whoever administers the organisation or a site, and the groups that make people do so', async () => {
    const { mock, organisation } = start([
      ok({ data: [{ accountId: 'a-1' }] }),
      ok({ data: [{ id: 'g-1', name: 'org-admins' }] }),
      ok({ data: [{ accountId: 'a-2' }] }),
    ]);

    expect(await organisation.findAdmins(signal())).toMatchObject([{ accountId: 'a-1' }]);
    expect(await organisation.findAdminGroups(signal())).toMatchObject([{ groupId: 'g-1', name: 'org-admins' }]);
    expect(await organisation.findUsersByGroup('g-1', signal())).toMatchObject([{ accountId: 'a-2' }]);

    expect(mock.sent).toMatchObject([
      { url: `${DIRECTORY}/users/search`, body: { roleIds: ['atlassian/org-admin', 'atlassian/site-admin'] } },
      { url: `${DIRECTORY}/groups/search`, body: { roleIds: ['atlassian/org-admin', 'atlassian/site-admin'] } },
      { url: `${DIRECTORY}/users/search`, body: { groupIds: ['g-1'] } },
    ]);
  });

  it('counts the active users of the directory by one call', async () => {
    const { mock, organisation } = start([ok({ count: 48 })]);

    expect(await organisation.countActiveUsers(signal())).toBe(48);
    expect(mock.sent).toMatchObject([{ method: 'GET', url: `${DIRECTORY}/users/count?status=active` }]);
  });

  it('finds who of these may use a product of the site by the resource and the roles that give access', async () => {
    const { mock, organisation } = start([ok({ data: [{ accountId: 'a-7' }] }), ok({ data: [] })], { cloudId: 'c-1' });

    const found = await organisation.findUsersByProduct('confluence', addresses(101), signal());

    expect(found).toMatchObject([{ accountId: 'a-7' }]);
    expect(mock.sent).toMatchObject([{ body: { emails: { length: 100 } } }, { body: { emails: { length: 1 } } }]);
    expect(mock.sent[1]).toMatchObject({
      url: `${DIRECTORY}/users/search`,
      body: { resourceIds: ['ari:cloud:confluence::site/c-1'], roleIds: ['atlassian/user', 'atlassian/admin'] },
    });
  });

  it('asks nothing about nobody', async () => {
    const { mock, organisation } = start([]);

    expect(await organisation.findUsersByProduct('confluence', [], signal())).toEqual([]);
    expect(await organisation.findUsersByEmail([], { groups: false }, signal())).toEqual([]);
    expect(mock.sent).toEqual([]);
  });

  it.each([
    ['an opaque cursor', 'next+1=='],
    ['a whole URL, wherever it points', 'https://elsewhere.example/x?limit=1&cursor=next%2B1%3D%3D'],
  ])('follows pages by %s', async (_, next) => {
    const { mock, organisation } = start([
      ok({ data: [{ accountId: 'a-1' }], links: { next } }),
      ok({ data: [{ accountId: 'a-2' }], links: { next: null } }),
    ]);

    const users = await organisation.findUsersById(['a-1', 'a-2'], { groups: false }, signal());

    expect(users.map(({ accountId }) => accountId)).toEqual(['a-1', 'a-2']);
    expect(mock.sent[1]).toMatchObject({ url: `${DIRECTORY}/users/search`, body: { cursor: 'next+1==' } });
  });

  it('gives up on pages that go round in a circle', async () => {
    const { organisation } = start([ok({ data: [], links: { next: 'same' } })]);

    await expect(organisation.findUsersById(['a'], { groups: false }, signal())).rejects.toMatchObject({
      code: 'ATLASSIAN_ERROR',
    });
  });

  it.each([
    [{ externalSynced: true }, true],
    [{ managedBy: 'external' }, true],
    [{ externalSynced: false }, false],
    [{ managedBy: 'admins' }, false],
    [{}, undefined],
  ])('knows of a group with %j whether an identity provider manages it: %s', async (fields, external) => {
    const { organisation } = start([ok({ data: [{ id: 'g-1', name: 'one', ...fields }] })]);

    expect(await organisation.findGroupsByName(['one'], signal())).toEqual([{ groupId: 'g-1', name: 'one', external }]);
  });

  it('lists verified domains only, in lower case, page by page', async () => {
    const domain = (name: string, status: string) => ({
      id: name,
      attributes: { name, claim: { type: 'dns', status } },
    });
    const { mock, organisation } = start([
      ok({
        data: [domain('Acme.Example', 'verified'), domain('old.example', 'superseded')],
        links: { next: `${API}/x?cursor=c2` },
      }),
      ok({ data: [domain('b.example', 'verified')] }),
    ]);

    expect(await organisation.listVerifiedDomains(signal())).toEqual(['acme.example', 'b.example']);
    expect(mock.sent.map(({ url }) => url)).toEqual([
      `${API}/admin/v1/orgs/org-1/domains`,
      `${API}/admin/v1/orgs/org-1/domains?cursor=c2`,
    ]);
  });

  it.each([
    ['suspend', `${DIRECTORY}/users/712020%3Aa%2Fb/suspend`],
    ['restore', `${DIRECTORY}/users/712020%3Aa%2Fb/restore`],
  ] as const)('sends %s with a JSON body, without which Atlassian answers 415', async (call, url) => {
    const { mock, organisation } = start([{ status: 204 }]);

    expect(await organisation[call]('712020:a/b', signal())).toMatchObject({ status: 'changed', httpStatus: 204 });

    expect(mock.sent).toHaveLength(1);
    expect(mock.sent[0]).toMatchObject({ method: 'POST', url, body: {} });
    expect(mock.sent[0]?.headers).toHaveProperty('content-type');
  });

  it.each(['', '.', '..'])('sends nothing for the account id %j, which would be another path', async (accountId) => {
    const { mock, organisation } = start([{ status: 204 }]);

    await expect(organisation.suspend(accountId, signal())).rejects.toMatchObject({ code: 'REQUEST_REFUSED' });
    expect(mock.sent).toEqual([]);
  });

  it('finds the directory once for all batches', async () => {
    const { mock } = start([ok({ data: [{ directoryId: 'dir-7', name: 'only' }] }), { status: 204 }]);

    await mock.cloud({ directoryId: undefined }).organisation?.suspend('a', signal());
    await mock.cloud({ directoryId: undefined }).organisation?.restore('a', signal());

    expect(mock.sent.map(({ url }) => url.replace(`${API}/admin/v2/orgs/org-1/`, ''))).toEqual([
      'directories',
      'directories/dir-7/users/a/suspend',
      'directories/dir-7/users/a/restore',
    ]);
  });

  const directories = (...ids: readonly string[]) => ok({ data: ids.map((directoryId) => ({ directoryId })) });

  it('looks in all directories and writes to the one that the person is in', async () => {
    const { mock, organisation } = start([directories('one', 'two'), directories('two'), { status: 204 }], {
      directoryId: undefined,
    });

    expect(await organisation.suspend('a', signal())).toMatchObject({ status: 'changed' });
    await organisation.findGroupsById(['g'], signal()).catch(() => undefined);

    expect(mock.sent.map(({ url }) => url)).toEqual([
      `${API}/admin/v2/orgs/org-1/directories`,
      `${API}/admin/v2/orgs/org-1/directories?accountId=a`,
      `${API}/admin/v2/orgs/org-1/directories/two/users/a/suspend`,
      `${API}/admin/v2/orgs/org-1/directories/-/groups/search`,
    ]);
  });

  it.each([[[]], [['one', 'two']]])('writes to none where the person is in %j', async (ids) => {
    const { organisation } = start([directories('one', 'two'), directories(...ids)], { directoryId: undefined });

    await expect(organisation.suspend('a', signal())).rejects.toMatchObject({
      code: 'REQUEST_REFUSED',
      message: expect.stringMatching(
        /in none of the organisation's directories, or in more than one.*directoryId/,
      ) as unknown,
    });
  });

  it.each([
    ['repeat one page under one cursor', () => ({ data: [{ accountId: 'a' }], links: { next: 'same' } })],
    ['repeat one page under new cursors', (n: number) => ({ data: [{ accountId: 'a' }], links: { next: `c${n}` } })],
    ['are empty and go on', (n: number) => ({ data: [], links: { next: `c${n}` } })],
    ['bring other people without end', (n: number) => ({ data: [{ accountId: `x${n}` }], links: { next: `c${n}` } })],
  ])('ends in a bounded number of calls when pages %s', async (_, page) => {
    const replies = Array.from({ length: 300 }, (__, index) => ok(page(index)));
    const { mock, organisation } = start(replies);

    await expect(organisation.findUsersById(['a'], { groups: false }, signal())).rejects.toMatchObject({
      code: 'ATLASSIAN_ERROR',
      temporary: true,
    });
    expect(mock.sent.length).toBeLessThanOrEqual(3);
  });

  describe('an invitation', () => {
    const results = (...statuses: { status: string; statusReason?: string }[]) =>
      ok({ data: [{ id: '1', email: 'a@b.example', results: statuses }] });
    const invitation = { email: 'a@b.example', products: ['confluence', 'jira-software'] };

    it('names the products of the site whose cloud id it asked for, without credentials', async () => {
      const { mock, organisation } = start([ok({ cloudId: 'c-1' }), results({ status: 'INVITED' })]);

      expect(await organisation.invite(invitation, signal())).toMatchObject({ status: 'changed', httpStatus: 200 });

      expect(mock.sent[0]).toMatchObject({ url: 'https://acme.example/_edge/tenant_info' });
      expect(mock.sent[0]?.headers).not.toHaveProperty('authorization');
      expect(mock.sent[1]).toMatchObject({
        url: `${API}/admin/v2/orgs/org-1/users/invite`,
        body: {
          emails: ['a@b.example'],
          permissionRules: [
            { resource: 'ari:cloud:confluence::site/c-1', role: 'atlassian/user' },
            { resource: 'ari:cloud:jira-software::site/c-1', role: 'atlassian/user' },
          ],
        },
      });
    });

    it.each([
      ['The product is broken', 'REQUEST_REFUSED'],
      ['No licenses left', 'LICENCE_LIMIT'],
    ])('that fails inside a success because of %j is a refusal', async (statusReason, code) => {
      const { organisation } = start([results({ status: 'INVITED' }, { status: 'ERROR', statusReason })], {
        cloudId: 'c-1',
      });

      await expect(organisation.invite(invitation, signal())).rejects.toMatchObject({
        code,
        httpStatus: 200,
        message: expect.stringContaining(statusReason) as unknown,
      });
    });

    it.each([
      ['with another shape', ok({ message: 'fine' })],
      ['about nobody', ok({ data: [] })],
      ['without results', ok({ data: [{ id: '1', email: 'a@b.example', results: null }] })],
      ['with a status that nobody documented', results({ status: 'INVITED' }, { status: 'PENDING' })],
    ])('that is answered %s has to be read back', async (_, answer) => {
      const { organisation } = start([answer], { cloudId: 'c-1' });

      await expect(organisation.invite(invitation, signal())).rejects.toBeInstanceOf(NoAnswer);
    });
  });
});
