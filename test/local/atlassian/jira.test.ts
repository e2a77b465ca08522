import { describe, expect, it } from 'vitest';

import { GROUP, useSimulator, WHO } from './use-simulator.ts';

const { ask, behave } = useSimulator();
const message = (text: unknown) => ({ errorMessages: [text], errors: {} });
const NO_USER = message('Specified user does not exist or you do not have required permissions');

describe('POST group/user', () => {
  const add = (query: string, accountId: string) =>
    ask('POST', `/rest/api/3/group/user?${query}`, { as: 'jira', body: { accountId } });

  it('answers 201 with the group, whether by id or by name', async () => {
    const byId = await add(`groupId=${GROUP.engineering}`, WHO.dmitri);
    const byName = await add(`groupname=${encodeURIComponent('C++ Guild')}`, WHO.dmitri);

    expect(byId).toMatchObject({
      status: 201,
      body: { name: 'engineering', groupId: GROUP.engineering, expand: 'users' },
    });
    expect(byName).toMatchObject({ status: 201, body: { name: 'C++ Guild', groupId: GROUP.guild } });
  });

  it('shows the new membership at once', async () => {
    await add(`groupId=${GROUP.guild}`, WHO.dmitri);

    const { body } = await ask('GET', `/rest/api/3/user/groups?accountId=${WHO.dmitri}`, { as: 'jira' });

    expect(body).toContainEqual(expect.objectContaining({ groupId: GROUP.guild, name: 'C++ Guild' }));
  });

  it.each([
    ['a member', `groupId=${GROUP.engineering}`, WHO.anna, 400, message("'{1}'")],
    ['an unknown account', `groupId=${GROUP.engineering}`, 'nobody', 404, NO_USER],
    ['one who was never invited', `groupId=${GROUP.engineering}`, WHO.newcomer, 404, NO_USER],
    ['an unknown group', 'groupname=nothing', WHO.anna, 404, message("The group named 'nothing' does not exist.")],
    ['no group', '', WHO.anna, 400, message("Neither 'groupname' nor 'groupId' was provided.")],
    ['both a name and an id', `groupId=${GROUP.guild}&groupname=x`, WHO.anna, 400, message(expect.any(String))],
    ['a synchronised group', `groupId=${GROUP.external}`, WHO.anna, 403, message(expect.any(String))],
    ['a product without a free seat', `groupId=${GROUP.discovery}`, WHO.anna, 400, message(expect.any(String))],
    [
      'a misspelt parameter',
      `groupid=${GROUP.guild}`,
      WHO.anna,
      400,
      message('there is no query parameter groupid here'),
    ],
    ['an account id of 129 characters', `groupId=${GROUP.guild}`, 'a'.repeat(129), 400, expect.anything()],
  ])('refuses %s', async (_what, query, accountId, status, body) => {
    expect(await add(query, accountId)).toMatchObject({ status, body });
  });

  it.each([
    ['a body without accountId', {}],
    ['accountId misspelt as v1 has it', { account_id: WHO.dmitri }],
    ['a field that it does not have', { accountId: WHO.dmitri, name: 'x' }],
    ['an array', [WHO.dmitri]],
  ])('refuses %s with 400 and says why in a header', async (_what, body) => {
    const answer = await ask('POST', `/rest/api/3/group/user?groupId=${GROUP.guild}`, { as: 'jira', body });

    expect(answer.status).toBe(400);
    expect(answer.headers.get('x-simulator-reason')).toBeTruthy();
  });

  it('refuses a body without the JSON content type', async () => {
    const raw = JSON.stringify({ accountId: WHO.dmitri });

    expect(await ask('POST', `/rest/api/3/group/user?groupId=${GROUP.guild}`, { as: 'jira', raw })).toMatchObject({
      status: 415,
    });
  });

  it('takes unknown fields when the switch says so', async () => {
    await behave({ switches: { unknownFields: 'ignore' } });

    const body = { accountId: WHO.dmitri, name: 'x' };

    expect(await ask('POST', `/rest/api/2/group/user?groupId=${GROUP.guild}&x=1`, { as: 'jira', body })).toMatchObject({
      status: 201,
    });
  });
});

describe('DELETE group/user', () => {
  const remove = (query: string) => ask('DELETE', `/rest/api/3/group/user?${query}`, { as: 'jira' });

  it('answers 200 with no body and takes the user out', async () => {
    const answer = await remove(`groupId=${GROUP.engineering}&accountId=${WHO.anna}`);

    const { body } = await ask('GET', `/rest/api/3/user/groups?accountId=${WHO.anna}`, { as: 'jira' });
    expect(answer).toMatchObject({ status: 200, body: '' });
    expect(body).toMatchObject([{ name: 'jira-software-users' }]);
  });

  it.each([
    ['400', 400],
    ['404', 404],
    ['success', 200],
  ])('answers taking out a non-member as the switch says: %s', async (removeNonMember, status) => {
    await behave({ switches: { removeNonMember } });

    expect(await remove(`groupId=${GROUP.guild}&accountId=${WHO.anna}`)).toMatchObject({ status });
  });

  it.each([
    ['no account', `groupId=${GROUP.guild}`, 400],
    ['an unknown account', `groupId=${GROUP.guild}&accountId=nobody`, 404],
  ])('refuses %s', async (_what, query, status) => {
    expect(await remove(query)).toMatchObject({ status });
  });
});

describe('POST user', () => {
  const create = (body: unknown) => ask('POST', '/rest/api/3/user', { as: 'jira', body });

  it('creates an account once and answers 201 again for one who has access', async () => {
    const first = await create({ emailAddress: 'new.one@example.com', products: ['jira-software'] });
    const second = await create({ emailAddress: 'New.One@example.com', products: ['jira-software'] });

    expect(first).toMatchObject({ status: 201, body: { emailAddress: 'new.one@example.com', active: true } });
    expect(second).toMatchObject({ status: 201, body: first.body });
  });

  it.each([
    ['no products', { emailAddress: 'x@example.com' }, 400],
    ['no address', { products: [] }, 400],
    ['an address that is none', { emailAddress: 'x', products: [] }, 400],
    ['a product of another API', { emailAddress: 'x@example.com', products: ['confluence'] }, 400],
    ['fields that are no longer available', { emailAddress: 'x@example.com', products: [], displayName: 'X' }, 400],
    ['a licence that is exceeded', { emailAddress: 'x@example.com', products: ['jira-product-discovery'] }, 400],
    ['one without access for whom none is asked', { emailAddress: 'nora.newcomer@example.com', products: [] }, 400],
    ['no access at all', { emailAddress: 'x@example.com', products: [] }, 201],
    [
      'one without access for whom some is asked',
      { emailAddress: 'nora.newcomer@example.com', products: ['jira-core'] },
      201,
    ],
  ])('answers %s', async (_what, body, status) => {
    expect(await create(body)).toMatchObject({ status });
  });
});

describe('looking up', () => {
  const get = (path: string) => ask('GET', `/rest/api/3/${path}`, { as: 'jira' });

  it.each([
    ['an address', 'query=anna.schmidt%40example.com', [WHO.anna]],
    ['the beginning of a surname in another case', 'query=SCHMI', [WHO.anna]],
    ['an account id', `accountId=${WHO.anna}`, [WHO.anna]],
    ['a suspended person', 'query=susan.suspended%40example.com', []],
    ['a deactivated person', 'query=dan.deactivated%40example.com', []],
    ['nobody', 'query=nobody%40example.com', []],
  ])('finds by %s', async (_what, query, accountIds) => {
    const { status, body } = await get(`user/search?${query}`);

    expect(status).toBe(200);
    expect(body).toEqual(accountIds.map((accountId) => expect.objectContaining({ accountId })));
  });

  it.each([
    ['neither query nor accountId', 'user/search'],
    ['both', `user/search?query=a&accountId=${WHO.anna}`],
    ['a number that is none', 'user/search?query=a&startAt=-1'],
    ['a repeated parameter', 'user/search?query=a&query=b'],
  ])('refuses %s with 400', async (_what, path) => {
    expect(await get(path)).toMatchObject({ status: 400 });
  });

  it('finds groups by exact names of any characters, those that are there', async () => {
    const names = ['Support Team', 'R&D', 'C++ Guild', 'Ops/On-call', 'Team #1', 'engineerin'];

    const { body } = await get(`group/bulk?${names.map((name) => `groupName=${encodeURIComponent(name)}`).join('&')}`);

    expect(body).toMatchObject({ total: 5, isLast: true });
    expect((body as { values: { name: string }[] }).values.map(({ name }) => name)).toEqual(names.slice(0, 5));
  });

  it('gives pages that lead from one to the next', async () => {
    await behave({ pageSizes: { groupBulk: 4 } });

    const first = await get('group/bulk?maxResults=50');
    const next = (first.body as { nextPage: string }).nextPage.replace(/^http:\/\/[^/]+\/rest\/api\/3\//, '');
    const second = await get(next);

    expect(first.body).toMatchObject({ startAt: 0, maxResults: 4, total: 10, isLast: false });
    expect(second.body).toMatchObject({ startAt: 4, isLast: false, values: [{ name: 'Ops/On-call' }, {}, {}, {}] });
  });

  it('hides the address of a guest, and of everybody when the switch says so', async () => {
    const guest = await get(`user?accountId=${encodeURIComponent(WHO.guest)}`);
    await behave({ switches: { jiraEmails: 'hidden' } });
    const anna = await get(`user?accountId=${WHO.anna}`);

    expect(guest.body).not.toHaveProperty('emailAddress');
    expect(anna.body).not.toHaveProperty('emailAddress');
  });

  it('shows products and groups when it is asked to', async () => {
    const { body } = await get(`user?accountId=${WHO.anna}&expand=groups,applicationRoles`);

    expect(body).toMatchObject({
      groups: { size: 2, items: [{ name: 'engineering' }, { name: 'jira-software-users' }] },
      applicationRoles: { size: 1, items: [{ key: 'jira-software' }] },
    });
  });
});

describe('the rest of the site', () => {
  it.each([
    ['GET', '/rest/api/3/nothing', 404],
    ['GET', '/rest/api/3/group/user', 405],
    ['DELETE', '/rest/api/3/user', 405],
    ['GET', '/rest/api/4/user', 404],
    ['GET', '/rest/api/3//user', 404],
    ['GET', '/', 404],
  ])('says of %s %s that it does not know it', async (method, path, status) => {
    const answer = await ask(method, path, { as: 'jira' });

    expect(answer).toMatchObject({
      status,
      body: { simulator: `The simulator does not know ${method} ${path}.` },
    });
  });

  it.each(['/rest/api/3/user?accountId=%zz', '/users/%zz/manage/profile'])(
    'refuses the broken escape in %s',
    async (path) => {
      expect(await ask('GET', path, { as: 'jira' })).toMatchObject({ status: 400 });
    },
  );

  it('has a trace id on every answer', async () => {
    const found = await ask('GET', `/rest/api/3/user?accountId=${WHO.anna}`, { as: 'jira' });
    const refused = await ask('GET', `/rest/api/3/user?accountId=${WHO.anna}`);

    for (const { headers } of [found, refused]) expect(headers.get('atl-traceid')).toMatch(/^[0-9a-f]{32}$/);
  });

  it.each([
    ['space', 1],
    ['plus', 0],
    ['refuse', undefined],
  ])('reads a bare plus in a query as the switch says: %s', async (plusInQuery, total) => {
    await behave({ switches: { plusInQuery } });

    expect(await ask('GET', '/rest/api/3/group/bulk?groupName=Support+Team', { as: 'jira' })).toMatchObject(
      total === undefined ? { status: 400 } : { status: 200, body: { total } },
    );
  });

  it('refuses a browser’s write without the XSRF header when the switch is on', async () => {
    await behave({ switches: { xsrf: 'on' } });
    const write = (headers: Record<string, string>) =>
      ask('POST', '/rest/api/3/user', { as: 'jira', body: { emailAddress: 'x@example.com', products: [] }, headers });

    const refused = await write({ 'user-agent': 'Mozilla/5.0' });
    const admitted = await write({ 'user-agent': 'Mozilla/5.0', 'x-atlassian-token': 'no-check' });

    expect(refused).toMatchObject({ status: 403, body: 'XSRF check failed' });
    expect(admitted).toMatchObject({ status: 201 });
  });
});
