import { describe, expect, it } from 'vitest';

import { DIRECTORY, GROUP, type Credential, useSimulator, WHO } from './use-simulator.ts';

const { ask, behave } = useSimulator();
const get = (path: string, as: Credential = 'jira') => ask('GET', path, { as });
const seed = (users: number, dataCenterUsers = 0) =>
  ask('PUT', '/_simulator/state', { body: { seed: { users, groups: 1, dataCenterUsers } } });

describe('Jira Cloud', () => {
  it('gives all users, inactive ones too, a thousand a page at most', async () => {
    const { body: some } = await get('/rest/api/3/users/search?startAt=3&maxResults=2');
    await seed(1_200);
    const first = await get('/rest/api/3/users/search?maxResults=5000');
    const second = await get('/rest/api/3/users/search?startAt=1000&maxResults=5000');

    expect(some).toMatchObject([{ accountId: WHO.suspended, active: false }, { accountId: WHO.deactivated }]);
    expect(first.body).toHaveLength(1_000);
    expect(second.body).toHaveLength(201);
  });

  it('gives fifty members a page at most, with their total', async () => {
    await seed(70);
    const members = (query: string) => get(`/rest/api/3/group/member?groupname=group-001&${query}`);

    expect((await members('maxResults=100')).body).toMatchObject({
      maxResults: 50,
      total: 70,
      isLast: false,
      values: { length: 50 },
    });
    expect((await members('startAt=50')).body).toMatchObject({ total: 70, isLast: true, values: { length: 20 } });
  });

  it('shows members without suspended people, and inactive ones on request', async () => {
    for (const accountId of [WHO.suspended, WHO.deactivated, WHO.dmitri]) {
      await ask('POST', `/rest/api/3/group/user?groupId=${GROUP.guild}`, { as: 'jira', body: { accountId } });
    }
    const members = (query: string) => get(`/rest/api/3/group/member?groupId=${GROUP.guild}${query}`);

    expect((await members('')).body).toMatchObject({ values: [{ accountId: WHO.dmitri }] });
    expect((await members('&includeInactiveUsers=true')).body).toMatchObject({
      values: [{ accountId: WHO.deactivated }, { accountId: WHO.dmitri }],
    });
    expect(await members('&includeInactiveUsers=yes')).toMatchObject({ status: 400 });
    expect(await get('/rest/api/3/group/member?groupId=none')).toMatchObject({ status: 404 });
  });

  it('gives users by ids, ten a page unless more are asked for', async () => {
    await seed(250);
    const { body } = await get('/rest/api/3/users/search?maxResults=1000');
    const ids = (body as { accountId: string }[]).map(({ accountId }) => `accountId=${encodeURIComponent(accountId)}`);

    const few = await get(`/rest/api/3/user/bulk?${ids.slice(0, 12).join('&')}`);
    const many = await get(`/rest/api/3/user/bulk?maxResults=1000&${ids.slice(0, 220).join('&')}`);

    expect(few.body).toMatchObject({ maxResults: 10, total: 12, isLast: false });
    expect(many.body).toMatchObject({ maxResults: 200, total: 220, values: { length: 200 } });
    expect(await get('/rest/api/3/user/bulk')).toMatchObject({ status: 400 });
  });

  it('says whose token it is', async () => {
    expect(await get('/rest/api/3/myself')).toMatchObject({ status: 200, body: { accountId: WHO.admin } });
    expect(await get('/rest/api/3/myself', 'plain')).toMatchObject({ body: { accountId: WHO.anna } });
    expect(await get('/rest/api/3/myself', 'wrong')).toMatchObject({ status: 401 });
  });

  it.each(['users/search', 'user/bulk?accountId=x', `group/member?groupId=${GROUP.guild}`])(
    'lets nobody read %s who may not browse users',
    async (path) => {
      expect(await get(`/rest/api/3/${path}`, 'plain')).toMatchObject({ status: 403 });
    },
  );
});

describe('the organisation', () => {
  const search = (what: 'users' | 'groups', body: unknown) =>
    ask('POST', `${DIRECTORY}/${what}/search`, { as: 'organisation', body });
  const values = (count: number) => Array.from({ length: count }, (_, n) => `x${n}@example.com`);

  it.each([
    ['users', 'accountIds', 10],
    ['users', 'groupIds', 10],
    ['users', 'emails', 100],
    ['groups', 'groupIds', 10],
    ['groups', 'groupNames', 100],
  ] as const)('takes in a search for %s only so many %s: %i', async (what, filter, most) => {
    expect(await search(what, { [filter]: values(most) })).toMatchObject({ status: 200 });
    expect(await search(what, { [filter]: values(most + 1) })).toMatchObject({ status: 400 });
  });

  it('tells who has an admin role, and which groups give one', async () => {
    const roleIds = ['atlassian/org-admin', 'atlassian/site-admin'];

    expect((await search('users', { roleIds })).body).toMatchObject({ data: [{ accountId: WHO.admin }] });
    expect((await search('groups', { roleIds })).body).toMatchObject({ data: [{ name: 'org-admins' }] });
  });

  it('counts its users by their status', async () => {
    const count = async (query: string) => (await get(`${DIRECTORY}/users/count${query}`, 'organisation')).body;

    expect(await count('')).toEqual({ count: 40 });
    expect(await count('?status=suspended')).toEqual({ count: 1 });
    expect(await count('?status=active')).toEqual({ count: 37 });
  });
});

describe('Data Center', () => {
  const dc = (path: string) => get(`/jira/rest/api/2/${path}`, 'dataCenter');

  it('lists everybody once, two thousand a page at most, inactive users too', async () => {
    const small = await dc('user/list');
    await seed(0, 2_300);
    const first = await dc('user/list?maxResults=9000');
    const { nextCursor } = first.body as { nextCursor: string };
    const second = await dc(`user/list?cursor=${nextCursor}`);

    expect(small.body).toMatchObject({ isLast: true, values: { length: 8 } });
    expect(first.body).toMatchObject({ isLast: false, values: { length: 2_000 } });
    expect(second.body).toMatchObject({ isLast: true, values: { length: 301 } });
    expect(second.body).not.toHaveProperty('nextCursor');
  });

  it('has no such list on an older server', async () => {
    await behave({ switches: { dataCenterUserList: 'absent' } });

    expect(await dc('user/list')).toMatchObject({ status: 404 });
  });

  it.each([
    ['capped', 100, 0],
    ['whole', 1_000, 201],
  ])('shows of a search what the switch says: %s', async (dataCenterUserSearch, first, rest) => {
    await seed(0, 1_200);
    await behave({ switches: { dataCenterUserSearch } });

    expect((await dc('user/search?username=.&maxResults=9000')).body).toHaveLength(first);
    expect((await dc('user/search?username=.&startAt=1000&maxResults=1000')).body).toHaveLength(rest);
  });

  it.each([
    ['username=an', ['anna']],
    ['username=eva', []],
    ['username=eva&includeInactive=true', ['eva']],
    ['username=anna%40dc.example.com', ['anna']],
  ])('finds by %s', async (query, names) => {
    expect((await dc(`user/search?${query}`)).body).toEqual(names.map((name) => expect.objectContaining({ name })));
  });

  it('says whose token it is', async () => {
    expect(await dc('myself')).toMatchObject({ body: { name: 'admin', key: expect.any(String) } });
  });
});

describe('a simulator that refuses writes', () => {
  it.each([
    ['jira', 'POST', `/rest/api/3/group/user?groupId=${GROUP.guild}`, { accountId: WHO.anna }],
    ['organisation', 'POST', `${DIRECTORY}/users/${encodeURIComponent(WHO.anna)}/suspend`, {}],
    ['organisation', 'PUT', `/users/${encodeURIComponent(WHO.anna)}/manage/email`, { email: 'a@example.com' }],
    ['dataCenter', 'POST', '/jira/rest/api/2/user', { name: 'x', emailAddress: 'x@x.example', displayName: 'X' }],
  ] as const)('answers 403 to that of %s: %s %s', async (as, method, path, body) => {
    await behave({ refuseWrites: true });

    expect(await ask(method, path, { as, body })).toMatchObject({ status: 403 });
  });

  it('lets reads pass, and counts both', async () => {
    await behave({ refuseWrites: true });

    await get(`/rest/api/3/user?accountId=${WHO.anna}`);
    await ask('POST', `${DIRECTORY}/users/search`, { as: 'organisation', body: { accountIds: [WHO.anna] } });
    await ask('POST', '/rest/api/3/user', { as: 'jira', body: { emailAddress: 'x@example.com', products: [] } });

    const summary = await ask('GET', '/_simulator/requests?summary=1');
    const { body } = await ask('GET', '/_simulator/requests');
    expect(summary.body).toMatchObject({ reads: 2, writes: 1, effective: { writes: 0 }, statuses: { 200: 2, 403: 1 } });
    expect(body).toMatchObject({ requests: [{ access: 'read' }, { access: 'read' }, { access: 'write' }] });
  });
});
