import { beforeEach, expect, it } from 'vitest';

import { DIRECTORY, GROUP, useSimulator, WHO } from './use-simulator.ts';

let nowMs = Date.parse('2026-01-01T00:00:00Z');
const { ask, behave } = useSimulator({ clock: { now: () => new Date(nowMs) } });
beforeEach(() => behave({ propagationMs: { organisation: 5000 } }));

const add = (accountId: string) =>
  ask('POST', `/rest/api/3/group/user?groupId=${GROUP.guild}`, { as: 'jira', body: { accountId } });
const search = async (body: object): Promise<readonly Record<string, unknown>[]> => {
  const answer = await ask('POST', `${DIRECTORY}/users/search`, { as: 'organisation', body });
  return (answer.body as { data: Record<string, unknown>[] }).data;
};
const inGuild = async (): Promise<readonly unknown[]> =>
  (await search({ groupIds: [GROUP.guild] })).map(({ accountId }) => accountId);

it('shows a write to the lagging side only once its time has passed, to the other at once', async () => {
  await add(WHO.dmitri);

  const groups = await ask('GET', `/rest/api/3/user/groups?accountId=${WHO.dmitri}`, { as: 'jira' });
  const before = await inGuild();
  nowMs += 5001;

  expect(groups.body).toContainEqual(expect.objectContaining({ groupId: GROUP.guild }));
  expect(before).toEqual([]);
  expect(await inGuild()).toEqual([WHO.dmitri]);
});

it('goes on showing a member who was taken out', async () => {
  const path = `/rest/api/3/group/user?groupId=${GROUP.engineering}&accountId=${WHO.anna}`;
  await ask('DELETE', path, { as: 'jira' });
  const groups = async () =>
    ((await search({ accountIds: [WHO.anna], expand: ['groups'] }))[0]?.['groups'] as object[] | undefined)?.length;

  const before = await groups();
  nowMs += 5001;

  expect(before).toBe(2);
  expect(await groups()).toBe(1);
});

it('finds a changed address under the old one, and a suspended person active', async () => {
  const as = 'organisation';
  await ask('PUT', `/users/${WHO.ben}/manage/email`, { as, body: { email: 'ben.new@example.com' } });
  await ask('POST', `${DIRECTORY}/users/${WHO.ben}/suspend`, { as, body: {} });
  const emails = ['ben.okafor@example.com', 'ben.new@example.com'];

  const before = await search({ emails });
  nowMs += 5001;
  const after = await search({ emails });

  expect(before).toMatchObject([{ email: 'ben.okafor@example.com', membershipStatus: 'active' }]);
  expect(after).toMatchObject([{ email: 'ben.new@example.com', membershipStatus: 'suspended' }]);
});

it('keeps somebody new from being found or added where Jira lags', async () => {
  await behave({ propagationMs: { jira: 3000 } });
  const created = await ask('POST', '/rest/api/3/user', {
    as: 'jira',
    body: { emailAddress: 'new@example.com', products: ['jira-software'] },
  });
  const { accountId } = created.body as { accountId: string };

  const tooEarly = await add(accountId);
  nowMs += 3001;

  expect(tooEarly.status).toBe(404);
  expect(await add(accountId)).toMatchObject({ status: 201 });
});

it('goes by the present in writes, so that nothing is applied twice', async () => {
  await behave({ propagationMs: { jira: 5000 } });

  await add(WHO.dmitri);

  expect(await add(WHO.dmitri)).toMatchObject({ status: 400 });
});
