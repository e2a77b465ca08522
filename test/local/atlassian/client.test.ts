import { afterAll, beforeAll, expect, it } from 'vitest';

import { type Simulator, startSimulator } from '../../../local/atlassian/server/simulator.ts';
import type { Cloud, DataCenter } from '../../../shared/atlassian/apis.ts';
import { type Atlassian, createAtlassian } from '../../../shared/atlassian/atlassian.ts';
import { parseTarget } from '../../../shared/aws/target-secret.ts';
import { GROUP, WHO } from './use-simulator.ts';

let server: Simulator;
let atlassian: Atlassian;
let cloud: Cloud;
let dataCenter: DataCenter;
const signal = new AbortController().signal;

beforeAll(async () => {
  server = await startSimulator();
  atlassian = createAtlassian({
    clock: { now: () => new Date() },
    chance: { uuid: () => crypto.randomUUID(), random: () => 0.5 },
    workers: 1,
    responseLimitBytes: 1_000_000,
  });
  const open = (name: 'cloud' | 'data-center') =>
    atlassian.open(parseTarget(name, JSON.stringify(server.targets[name]))).apis;
  // Each target opens the APIs of its own type.
  cloud = open('cloud') as Cloud;
  dataCenter = open('data-center') as DataCenter;
});

afterAll(async () => {
  await atlassian.close();
  await server.close();
});

it('is understood by the Jira client', async () => {
  const { jira } = cloud;
  const member = { groupId: GROUP.guild, accountId: WHO.guest };

  expect(await jira.findUsers('anna.schmidt@example.com', signal)).toMatchObject([{ accountId: WHO.anna }]);
  expect(await jira.findUser(WHO.guest, signal)).toMatchObject({ active: true, products: ['jira-software'] });
  expect(await jira.findUser('nobody', signal)).toBeUndefined();
  expect(await jira.findGroupsByName(['R&D', 'Team #1'], signal)).toHaveLength(2);
  expect(await jira.addToGroup(member, signal)).toMatchObject({ status: 'changed', httpStatus: 201 });
  expect(await jira.addToGroup(member, signal)).toMatchObject({ status: 'unchanged', httpStatus: 400 });
  expect(await jira.findGroupsOfUser(WHO.guest, signal)).toMatchObject([{ groupId: GROUP.guild }]);
  expect(await jira.removeFromGroup(member, signal)).toMatchObject({ status: 'changed', httpStatus: 200 });
  expect(await jira.createUser({ emailAddress: 'new@example.com', products: ['jira-software'] }, signal)).toMatchObject(
    { status: 'changed', traceId: expect.any(String) },
  );
});

it('is understood by the organisation client', async () => {
  const { organisation } = cloud;

  expect(
    await organisation?.findUsersByEmail(['ben.okafor@example.com', 'no@one'], { groups: true }, signal),
  ).toMatchObject([{ accountId: WHO.ben, groupIds: expect.arrayContaining([GROUP.engineering]) }]);
  expect(await organisation?.findGroupsByName(['idp-everyone'], signal)).toMatchObject([{ external: true }]);
  expect(await organisation?.listVerifiedDomains(signal)).toEqual(['example.com']);
  expect(await organisation?.suspend(WHO.ben, signal)).toMatchObject({ status: 'changed', httpStatus: 204 });
  expect(await organisation?.suspend(WHO.ben, signal)).toMatchObject({ status: 'unchanged' });
  expect(await organisation?.restore(WHO.ben, signal)).toMatchObject({ status: 'changed' });
  expect(await organisation?.invite({ email: 'invited@example.com', products: ['confluence'] }, signal)).toMatchObject({
    status: 'changed',
  });
  const [invited] = (await organisation?.findUsersByEmail(['invited@example.com'], { groups: false }, signal)) ?? [];
  const ids = [invited?.accountId ?? '', WHO.newcomer];
  expect(await organisation?.findUsersByProduct('confluence', ids, signal)).toMatchObject([{ accountId: ids[0] }]);
});

it('is understood by the user-management client', async () => {
  const { userManagement } = cloud;

  expect(await userManagement?.setEmail(WHO.ben, 'ben.new@example.com', signal)).toMatchObject({ httpStatus: 204 });
  expect(await userManagement?.findProfile(WHO.ben, signal)).toMatchObject({ email: 'ben.new@example.com' });
  await expect(userManagement?.setEmail(WHO.ben, 'anna.schmidt@example.com', signal)).rejects.toMatchObject({
    code: 'EMAIL_IN_USE',
  });
  await expect(userManagement?.setEmail(WHO.ben, 'ben@example.net', signal)).rejects.toMatchObject({
    code: 'DOMAIN_NOT_VERIFIED',
  });
  expect(await userManagement?.disable(WHO.ben, 'bye', signal)).toMatchObject({ status: 'changed' });
  expect(await userManagement?.disable(WHO.ben, undefined, signal)).toMatchObject({ status: 'unchanged' });
  expect(await userManagement?.enable(WHO.ben, signal)).toMatchObject({ status: 'changed' });
});

it('is understood by the Data Center client', async () => {
  const member = { group: 'Release Managers', username: 'anna' };

  expect(await dataCenter.findUser('carla', signal)).toMatchObject({
    groups: ['jira-software-users', 'Release Managers'],
  });
  expect(await dataCenter.groupExists('Release Managers', signal)).toBe(true);
  expect(await dataCenter.findUser('eva', signal)).toMatchObject({ username: 'eva', active: false });
  expect(await dataCenter.addToGroup(member, signal)).toMatchObject({ status: 'changed', httpStatus: 201 });
  expect(await dataCenter.addToGroup(member, signal)).toMatchObject({ status: 'unchanged', httpStatus: 400 });
  expect(await dataCenter.updateUser('anna', { active: false }, signal)).toMatchObject({ status: 'changed' });
  await expect(dataCenter.addToGroup({ ...member, group: 'ldap-staff' }, signal)).rejects.toMatchObject({
    code: 'GROUP_EXTERNAL',
  });
  await behave(server.url, { switches: { dataCenterActive: 'ignored' } });
  await expect(dataCenter.updateUser('anna', { active: true }, signal)).rejects.toMatchObject({
    code: 'REQUEST_REFUSED',
    httpStatus: 200,
  });
});

async function behave(url: string, patch: object): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const { ok } = await fetch(`${url}/_simulator/behaviour`, { method: 'PATCH', headers, body: JSON.stringify(patch) });
  if (!ok) throw new Error('the behaviour was refused');
}
