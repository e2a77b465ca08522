import { describe, expect, it } from 'vitest';

import type { DataCenter } from '../../../shared/atlassian/apis.ts';
import { CENTER } from './targets.ts';
import { mockAtlassian, signal } from './mock-atlassian.ts';

const REST = `${CENTER}/rest/api/2`;

describe('Jira Data Center', () => {
  it.each<[string, (api: DataCenter) => Promise<unknown>, string, string, unknown]>([
    [
      'adds to a group',
      (api) => api.addToGroup({ group: 'a&b', username: 'x y' }, signal()),
      'POST',
      '/group/user?groupname=a%26b',
      { name: 'x y' },
    ],
    [
      'removes from a group',
      (api) => api.removeFromGroup({ group: 'g', username: 'x y' }, signal()),
      'DELETE',
      '/group/user?groupname=g&username=x%20y',
      undefined,
    ],
    [
      'creates a user',
      (api) => api.createUser({ username: 'x', emailAddress: 'x@b.example', displayName: 'X' }, signal()),
      'POST',
      '/user',
      { name: 'x', emailAddress: 'x@b.example', displayName: 'X' },
    ],
    [
      'changes only what is given',
      (api) => api.updateUser('x', { active: false }, signal()),
      'PUT',
      '/user?username=x',
      { active: false },
    ],
  ])('%s, with the token, below the context path', async (_, call, method, path, body) => {
    const mock = mockAtlassian({ status: 200, body: {}, headers: { 'x-arequestid': '1x2' } });

    expect(await call(mock.dataCenter({ baseUrl: `${CENTER}/` }))).toEqual({
      status: 'changed',
      httpStatus: 200,
      traceId: '1x2',
    });

    expect(mock.sent).toMatchObject([{ method, url: REST + path }]);
    expect(mock.sent[0]?.body).toEqual(body);
    expect(mock.sent[0]?.headers.authorization).toBe('Bearer pat-secret');
  });

  it.each([
    ['the user as they were', { active: false }, { name: 'x', active: true }, 'REQUEST_REFUSED'],
    ['the user as they are wanted', { active: false }, { name: 'x', active: false }, 'changed'],
    ['a user whose active was not to change', { emailAddress: 'x@b.example' }, { name: 'x', active: false }, 'changed'],
    ['no user', { active: true }, undefined, 'changed'],
  ])('takes a change that is answered with %s for what it came to', async (_, change, body, expected) => {
    const mock = mockAtlassian({ status: 200, body, headers: { 'x-arequestid': '1x2' } });

    const came = await mock
      .dataCenter()
      .updateUser('x', change, signal())
      .catch((error: unknown) => error);

    expect(came).toMatchObject(
      expected === 'changed'
        ? { status: 'changed' }
        : {
            code: expected,
            httpStatus: 200,
            traceId: '1x2',
            message: expect.stringMatching(/ignores "active".*in the user directory/) as unknown,
          },
    );
  });

  it.each([
    [{ size: 1, items: [{ name: 'g' }] }, ['g']],
    [{ size: 2, items: [{ name: 'g' }] }, undefined],
    [undefined, undefined],
  ])('reads a user with groups %j as %j: a list cut short is none', async (groups, names) => {
    const mock = mockAtlassian({
      status: 200,
      body: { key: 'k', name: 'x', active: false, emailAddress: 'x@b.example', groups },
    });

    expect(await mock.dataCenter().findUser('x', signal())).toEqual({
      username: 'x',
      key: 'k',
      emailAddress: 'x@b.example',
      active: false,
      groups: names,
    });
    expect(mock.sent[0]?.url).toBe(`${REST}/user?username=x&expand=groups`);
  });

  it('takes 404 to a look-up of one user for an answer', async () => {
    const mock = mockAtlassian({ status: 404, body: { errorMessages: ["The user named 'x' does not exist"] } });

    expect(await mock.dataCenter().findUser('x', signal())).toBeUndefined();
  });

  it.each([
    ['is among those found', [{ status: 200, body: { total: 2, groups: [{ name: 'g' }, { name: 'g2' }] } }], true],
    ['is not', [{ status: 200, body: { total: 1, groups: [{ name: 'G' }] } }], false],
    [
      'is beyond the limit, and has a list of members',
      [
        { status: 200, body: { total: 99, groups: [{ name: 'g2' }] } },
        { status: 200, body: { values: [] } },
      ],
      true,
    ],
    [
      'is beyond the limit, and has none',
      [{ status: 200, body: { total: 99, groups: [{ name: 'g2' }] } }, { status: 404 }],
      false,
    ],
  ])('knows whether a group is there when its exact name %s', async (_, replies, there) => {
    expect(
      await mockAtlassian(...replies)
        .dataCenter()
        .groupExists('g', signal()),
    ).toBe(there);
  });

  it.each([401, 403])(
    'says of a group beyond the limit whose members it may not read (%i) that it cannot tell, and nothing about the credentials',
    async (status) => {
      const cut = { status: 200, body: { total: 99, groups: [{ name: 'g2' }] } };

      const asking = mockAtlassian(cut, { status, body: '<html>no</html>' }).dataCenter().groupExists('g', signal());

      await expect(asking).rejects.toMatchObject({
        code: 'FORBIDDEN',
        httpStatus: status,
        message: expect.stringMatching(/the group "g" exists cannot be seen.*administrator/) as unknown,
      });
    },
  );

  it('takes a picker that refuses the token for what it is', async () => {
    const asking = mockAtlassian({ status: 401 }).dataCenter().groupExists('g', signal());

    await expect(asking).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });
});
