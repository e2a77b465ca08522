import { describe, expect, it } from 'vitest';

import { API, SITE } from './targets.ts';
import { mockAtlassian, signal } from './mock-atlassian.ts';

const BASIC = `Basic ${Buffer.from('admin@acme.example:jira-secret').toString('base64')}`;

describe('Jira Cloud', () => {
  it('adds a user to a group by the ids, with Basic authentication at the site', async () => {
    const mock = mockAtlassian({ status: 201, body: { name: 'g' }, headers: { 'atl-traceid': 'abc123' } });

    const answer = await mock.cloud().jira.addToGroup({ groupId: 'g-1', accountId: '5b:10' }, signal());

    expect(answer).toEqual({ status: 'changed', httpStatus: 201, traceId: 'abc123' });
    expect(mock.sent).toMatchObject([
      { method: 'POST', url: `${SITE}/rest/api/3/group/user?groupId=g-1`, body: { accountId: '5b:10' } },
    ]);
    expect(mock.sent[0]?.headers).toMatchObject({
      authorization: BASIC,
      'content-type': 'application/json',
      'x-atlassian-token': 'no-check',
      accept: 'application/json',
    });
  });

  it("goes to the API host with the site's cloud id when the secret gives one, as scoped tokens need", async () => {
    const mock = mockAtlassian({ status: 201, body: {} });

    await mock.cloud({ cloudId: 'c/1' }).jira.createUser({ emailAddress: 'a@b.example', products: [] }, signal());

    expect(mock.sent).toMatchObject([
      { url: `${API}/ex/jira/c%2F1/rest/api/3/user`, body: { emailAddress: 'a@b.example', products: [] } },
    ]);
    expect(mock.sent[0]?.headers.authorization).toBe(BASIC);
  });

  it.each([`R&D + "A/B" #1`, '../../x?y=1', 'é\u0000\r\nx: y', 'lone \ud800 surrogate'])(
    'keeps the group name %j inside its query value',
    async (name) => {
      const mock = mockAtlassian({ status: 200, body: { values: [], isLast: true } });

      await mock.cloud().jira.findGroupsByName([name], signal());

      const url = new URL(mock.sent[0]?.url ?? '');
      expect(url.pathname).toBe('/rest/api/3/group/bulk');
      expect(url.searchParams.getAll('groupName')).toEqual([name.toWellFormed()]);
    },
  );

  it('asks for fifty names a call, and follows pages by what came back', async () => {
    const names = Array.from({ length: 51 }, (_, index) => `group ${index}`);
    const mock = mockAtlassian(
      { status: 200, body: { values: [{ name: 'group 0', groupId: 'g-0' }], isLast: false } },
      { status: 200, body: { values: [], isLast: true } },
      { status: 200, body: { values: [{ name: 'group 1', groupId: 'g-1', extra: {} }], isLast: true } },
    );

    const groups = await mock.cloud().jira.findGroupsByName([...names, 'group 0'], signal());

    expect(groups.map(({ groupId }) => groupId).toSorted()).toEqual(['g-0', 'g-1']);
    const queries = mock.sent.map(({ url }) => new URL(url).searchParams);
    expect(queries.map((query) => query.getAll('groupName').length).toSorted()).toEqual([1, 50, 50]);
    expect(queries.map((query) => query.get('startAt')).toSorted()).toEqual(['0', '0', '1']);
  });

  it('reads who a search finds in one call, and goes on only after a page of the default size', async () => {
    const user = (index: number) => ({ accountId: `id-${index}`, active: true, emailAddress: '' });
    const page = Array.from({ length: 50 }, (_, index) => user(index));
    const mock = mockAtlassian({ status: 200, body: page }, { status: 200, body: [user(50)] });

    const users = await mock.cloud().jira.findUsers('a@b.example', signal());

    expect(users).toHaveLength(51);
    expect(users[0]).toEqual({ accountId: 'id-0', active: true });
    expect(mock.sent.map(({ url }) => new URL(url).searchParams.get('startAt'))).toEqual(['0', '50']);
  });

  it.each([
    [{ size: 1, items: [{ key: 'jira-software', name: 'Jira' }] }, ['jira-software']],
    [{ size: 0, items: [] }, []],
    [{ size: 1, items: [] }, undefined],
    [undefined, undefined],
  ])('reads from the application roles %j the products %j', async (applicationRoles, products) => {
    const mock = mockAtlassian({ status: 200, body: { accountId: 'a:1', active: true, applicationRoles } });

    expect(await mock.cloud().jira.findUser('a:1', signal())).toMatchObject({ accountId: 'a:1', products });
    expect(mock.sent[0]?.url).toBe(`${SITE}/rest/api/3/user?accountId=a%3A1&expand=applicationRoles`);
  });

  it('takes 404 to a look-up of one user for an answer', async () => {
    const mock = mockAtlassian({ status: 404, body: { errorMessages: ['no'], errors: {} } });

    expect(await mock.cloud().jira.findUser('x', signal())).toBeUndefined();
    expect(await mock.cloud().jira.findGroupsOfUser('x', signal())).toBeUndefined();
  });

  it.each([`'{1}'`, '{1}'])('understands %j as: is a member already', async (message) => {
    const mock = mockAtlassian({ status: 400, body: { errorMessages: [message], errors: {} } });

    const answer = await mock.cloud().jira.addToGroup({ groupId: 'g', accountId: 'a' }, signal());

    expect(answer).toEqual({ status: 'unchanged', httpStatus: 400, traceId: undefined });
  });
});
