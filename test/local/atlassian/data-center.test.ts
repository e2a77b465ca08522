import { describe, expect, it } from 'vitest';

import { useSimulator } from './use-simulator.ts';

const { ask, behave } = useSimulator();
const dc = (method: string, path: string, body?: unknown) =>
  ask(method, `/jira/rest/api/2/${path}`, { as: 'dataCenter', ...(body === undefined ? {} : { body }) });
const message = (text: string) => ({ errorMessages: [text], errors: {} });

describe('group/user', () => {
  it('adds with 201 and takes away with 200, below latest as well', async () => {
    expect(await dc('POST', 'group/user?groupname=Release%20Managers', { name: 'anna' })).toMatchObject({
      status: 201,
      body: { name: 'Release Managers', users: { size: 2 } },
    });
    const removed = await ask('DELETE', '/jira/rest/api/latest/group/user?groupname=Release%20Managers&username=Anna', {
      as: 'dataCenter',
    });
    expect(removed).toMatchObject({ status: 200 });
  });

  it.each([
    [
      'a member',
      'Release%20Managers',
      { name: 'carla' },
      400,
      message("Cannot add user. 'carla' is already a member of 'Release Managers'"),
    ],
    [
      'an unknown user',
      'Release%20Managers',
      { name: 'nobody' },
      404,
      message("The user named 'nobody' does not exist"),
    ],
    ['an unknown group', 'nothing', { name: 'anna' }, 404, message("The group named 'nothing' does not exist.")],
    ['an empty group name', '', { name: 'anna' }, 400, message('Group name is empty.')],
    ['a read-only directory', 'ldap-staff', { name: 'anna' }, 403, message('The directory is read-only.')],
    ['Cloud’s field', 'Release%20Managers', { accountId: 'anna' }, 400, expect.anything()],
  ])('refuses %s', async (_what, group, body, status, error) => {
    expect(await dc('POST', `group/user?groupname=${group}`, body)).toMatchObject({ status, body: error });
  });
});

describe('user', () => {
  it('shows groups when it is asked to', async () => {
    expect(await dc('GET', 'user?username=carla&expand=groups')).toMatchObject({
      body: {
        name: 'carla',
        active: true,
        groups: { size: 2, items: [{ name: 'jira-software-users' }, { name: 'Release Managers' }] },
      },
    });
  });

  it.each([
    ['GET', 'user?username=nobody', undefined, 404],
    ['GET', 'user', undefined, 400],
    ['POST', 'user', { name: 'new', emailAddress: 'new@example.com', displayName: 'New' }, 201],
    ['POST', 'user', { name: 'ANNA', emailAddress: 'a@example.com', displayName: 'Anna' }, 400],
    ['POST', 'user', { name: 'new', emailAddress: 'none', displayName: 'New' }, 400],
    ['POST', 'user', { name: 'new', emailAddress: 'new@example.com' }, 400],
    ['PUT', 'user?username=anna', { emailAddress: 'anna.new@example.com' }, 200],
    ['PUT', 'user?username=ldap.lena', { active: false }, 403],
    ['DELETE', 'user?username=anna', undefined, 405],
  ])('answers %s %s %j with %i', async (method, path, body, status) => {
    expect(await dc(method, path, body)).toMatchObject({ status });
  });

  it('changes only what is given', async () => {
    const { body } = await dc('PUT', 'user?username=anna', { active: false });

    expect(body).toMatchObject({ active: false, emailAddress: 'anna@dc.example.com', displayName: 'Anna Schmidt' });
  });

  it('ignores active as older servers do when the switch says so', async () => {
    await behave({ switches: { dataCenterActive: 'ignored' } });

    expect(await dc('PUT', 'user?username=anna', { active: false })).toMatchObject({
      status: 200,
      body: { active: true },
    });
  });
});

it('pages the members and picks groups without ids', async () => {
  expect(await dc('GET', 'group/member?groupname=jira-software-users&maxResults=2&startAt=4')).toMatchObject({
    body: { startAt: 4, total: 5, isLast: true, values: [{ name: 'dmitri' }] },
  });
  expect((await dc('GET', 'groups/picker?query=release')).body).toMatchObject({
    total: 1,
    groups: [{ name: 'Release Managers', html: 'Release Managers', labels: [] }],
  });
});
