import { describe, expect, it } from 'vitest';

import type { DataCenter } from '../../../shared/atlassian/apis.ts';
import { CENTER } from './targets.ts';
import { mockAtlassian, signal } from './mock-atlassian.ts';

const REST = `${CENTER}/rest/api/2`;
const WRITABLE = { status: 200, body: { enabled: false } };

describe('Jira Data Center', () => {
  it.each<[string, (api: DataCenter) => Promise<unknown>, string, string, unknown, number]>([
    [
      'adds to a group',
      (api) => api.addToGroup({ group: 'a&b', username: 'x y' }, signal()),
      'POST',
      '/group/user?groupname=a%26b',
      { name: 'x y' },
      201,
    ],
    [
      'removes from a group',
      (api) => api.removeFromGroup({ group: 'g', username: 'x y' }, signal()),
      'DELETE',
      '/group/user?groupname=g&username=x%20y',
      undefined,
      200,
    ],
    [
      'creates a user',
      (api) => api.createUser({ username: 'x', emailAddress: 'x@b.example', displayName: 'X' }, signal()),
      'POST',
      '/user',
      { name: 'x', emailAddress: 'x@b.example', displayName: 'X' },
      201,
    ],
    [
      'changes only what is given',
      (api) => api.updateUser('x', { active: false }, signal()),
      'PUT',
      '/user?username=x',
      { active: false },
      200,
    ],
  ])('%s, with the token, below the context path', async (_, call, method, path, body, status) => {
    const mock = mockAtlassian(WRITABLE, { status, body: {}, headers: { 'x-arequestid': '1x2' } });

    expect(await call(mock.dataCenter({ baseUrl: `${CENTER}/` }))).toEqual({
      status: 'changed',
      httpStatus: status,
      traceId: '1x2',
    });

    expect(mock.sent).toMatchObject([{ url: `${REST}/readonly-mode` }, { method, url: REST + path }]);
    expect(mock.sent[1]?.body).toEqual(body);
    expect(mock.sent[1]?.headers.authorization).toBe('Bearer pat-secret');
  });

  it.each([
    ['the user as they were', { active: false }, { name: 'x', active: true }, 'REQUEST_REFUSED'],
    ['the user as they are wanted', { active: false }, { name: 'x', active: false }, 'changed'],
    ['a user whose active was not to change', { emailAddress: 'x@b.example' }, { name: 'x', active: false }, 'changed'],
    ['JSON that tells nothing', { active: true }, {}, 'changed'],
  ])('takes a change that is answered with %s for what it came to', async (_, change, body, expected) => {
    const mock = mockAtlassian(WRITABLE, { status: 200, body, headers: { 'x-arequestid': '1x2' } });

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

  it('holds writes back while Jira is in read-only mode, and asks about it once a minute', async () => {
    const mock = mockAtlassian({ status: 200, body: { enabled: true } });
    const api = mock.dataCenter();

    for (const active of [true, false])
      await expect(api.updateUser('x', { active }, signal())).rejects.toMatchObject({
        code: 'RATE_LIMITED',
        sent: false,
      });

    expect(mock.sent).toHaveLength(1);
  });

  it.each([
    ['older servers do not know the mode', { status: 404, body: { message: 'null for uri', 'status-code': 404 } }],
    ['nobody may ask about it', { status: 403, body: { errorMessages: ['no'], errors: {} } }],
  ])('writes where %s', async (_, reply) => {
    const mock = mockAtlassian(reply, { status: 200, body: {} });

    expect(await mock.dataCenter().updateUser('x', { active: true }, signal())).toMatchObject({ status: 'changed' });
  });

  it('takes 404 to a look-up of one user for an answer', async () => {
    const mock = mockAtlassian({ status: 404, body: { errorMessages: ["The user named 'x' does not exist"] } });

    expect(await mock.dataCenter().findUser('x', signal())).toBeUndefined();
  });

  it.each([
    [
      { total: 2, groups: [{ name: 'g' }, { name: 'g2' }] },
      { names: ['g', 'g2'], isWhole: true },
    ],
    [
      { total: 99, groups: [{ name: 'g2' }] },
      { names: ['g2'], isWhole: false },
    ],
    [{ groups: [] }, { names: [], isWhole: true }],
  ])('reads what the picker finds as %j: a list that stops at its limit is not whole', async (body, picked) => {
    expect(await mockAtlassian({ status: 200, body }).dataCenter().pickGroups('g', signal())).toEqual(picked);
  });

  it.each([
    [{ status: 200, body: { values: [] } }, true],
    [{ status: 404, body: { errorMessages: ["The group named 'g' does not exist."], errors: {} } }, false],
  ])('knows by its members whether a group is there: %j', async (reply, there) => {
    expect(await mockAtlassian(reply).dataCenter().hasGroup('g', signal())).toBe(there);
  });

  it.each([401, 403])(
    'says of a group beyond the limit whose members it may not read (%i) that it cannot tell, and nothing about the credentials',
    async (status) => {
      const asking = mockAtlassian({ status, body: { errorMessages: ['no'] } })
        .dataCenter()
        .hasGroup('g', signal());

      await expect(asking).rejects.toMatchObject({
        code: 'FORBIDDEN',
        httpStatus: status,
        message: expect.stringMatching(/the group "g" exists cannot be seen.*administrator/) as unknown,
      });
    },
  );

  it('takes a picker that refuses the token for what it is', async () => {
    const asking = mockAtlassian({ status: 401 }).dataCenter().pickGroups('g', signal());

    await expect(asking).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });
});
