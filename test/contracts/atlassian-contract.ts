import { describe, expect, it } from 'vitest';

import type { Cloud, DataCenter } from '../../shared/atlassian/apis.ts';
import { GROUP, WHO } from '../local/atlassian/use-simulator.ts';

/** The ports to the default people of the simulator. */
export interface AtlassianUnderTest {
  readonly cloud: Cloud;
  readonly dataCenter: DataCenter;
}

export interface AtlassianOptions {
  /** An older Data Center, which changes everything but `active`. */
  readonly ignoresActive?: boolean;
}

const signal = new AbortController().signal;

/** What the ports do, whether the simulator's server or a fake is behind them; each test gets new people. */
export function atlassianContract(
  name: string,
  make: (options?: AtlassianOptions) => Promise<AtlassianUnderTest> | AtlassianUnderTest,
): void {
  describe(name, () => {
    // Both have organisation keys.
    describe('Jira Cloud', () => {
      jiraContract(async () => (await make()).cloud.jira);
    });
    describe('the organisation', () => {
      organisationContract(async () => (await make()).cloud.organisation!);
    });
    describe('user management', () => {
      userManagementContract(async () => (await make()).cloud.userManagement!);
    });
    describe('Data Center', () => {
      dataCenterContract(async (options) => (await make(options)).dataCenter);
    });
  });
}

function jiraContract(make: () => Promise<Cloud['jira']>): void {
  it('finds active people by their addresses, and people and groups by what names them', async () => {
    const jira = await make();

    expect(await jira.findUsers('anna.schmidt@example.com', signal)).toMatchObject([{ accountId: WHO.anna }]);
    expect(await jira.findUsers('susan.suspended@example.com', signal)).toEqual([]);
    expect(await jira.findUser(WHO.guest, signal)).toMatchObject({ active: true, products: ['jira-software'] });
    expect(await jira.findUser(WHO.guest, signal)).not.toHaveProperty('emailAddress');
    expect(await jira.findUser(WHO.newcomer, signal)).toBeUndefined();
    expect(await jira.findUser('nobody', signal)).toBeUndefined();
    expect(await jira.findGroupsByName(['R&D', 'Team #1', 'r&d'], signal)).toHaveLength(2);
    expect(await jira.findGroupsById([GROUP.guild, 'none'], signal)).toMatchObject([{ name: 'C++ Guild' }]);
  });

  it('lists everybody and the members of a group, and tells whose token it is', async () => {
    const jira = await make();

    const everybody = await jira.listUsers(0, signal);
    const byId = await jira.findUsersById([WHO.deactivated, 'nobody', WHO.newcomer], signal);

    expect(everybody).toContainEqual(expect.objectContaining({ accountId: WHO.suspended, active: false }));
    expect(everybody.map(({ accountId }) => accountId)).not.toContain(WHO.newcomer);
    expect(await jira.listUsers(everybody.length - 1, signal)).toEqual(everybody.slice(-1));
    expect(byId).toMatchObject([{ accountId: WHO.deactivated, active: false }]);
    expect(await jira.findMyself(signal)).toMatchObject({ accountId: WHO.admin });
    expect(await jira.listMembers(GROUP.engineering, 2, signal)).toMatchObject({
      members: { length: 1 },
      total: 3,
      isLast: true,
    });
    expect(await jira.listMembers('none', 0, signal)).toBeUndefined();
  });

  it('leaves whoever is suspended out of the members of a group', async () => {
    const jira = await make();
    for (const accountId of [WHO.suspended, WHO.deactivated]) {
      await jira.addToGroup({ groupId: GROUP.guild, accountId }, signal);
    }

    expect(await jira.listMembers(GROUP.guild, 0, signal)).toMatchObject({ members: [WHO.deactivated], total: 1 });
    expect(await jira.findGroupsOfUser(WHO.suspended, signal)).toMatchObject([{ groupId: GROUP.guild }]);
  });

  it('puts a user in a group once and takes them out once', async () => {
    const jira = await make();
    const member = { groupId: GROUP.guild, accountId: WHO.guest };

    expect(await jira.addToGroup(member, signal)).toMatchObject({ status: 'changed', httpStatus: 201 });
    expect(await jira.addToGroup(member, signal)).toMatchObject({ status: 'unchanged', httpStatus: 400 });
    expect(await jira.findGroupsOfUser(WHO.guest, signal)).toMatchObject([{ groupId: GROUP.guild }]);
    expect(await jira.removeFromGroup(member, signal)).toMatchObject({ status: 'changed', httpStatus: 200 });
    expect(await jira.removeFromGroup(member, signal)).toMatchObject({ status: 'unchanged', httpStatus: 400 });
    expect(await jira.findGroupsOfUser(WHO.guest, signal)).toEqual([]);
  });

  it.each([
    ['an unknown group', { groupId: 'none', accountId: WHO.anna }, 'GROUP_NOT_FOUND'],
    ['an unknown user', { groupId: GROUP.guild, accountId: 'nobody' }, 'USER_NOT_FOUND'],
    ['one who was never invited', { groupId: GROUP.guild, accountId: WHO.newcomer }, 'USER_NOT_FOUND'],
    ['a product without a free seat', { groupId: GROUP.discovery, accountId: WHO.anna }, 'LICENCE_LIMIT'],
  ])('refuses to add %s', async (_, member, code) => {
    const jira = await make();

    await expect(jira.addToGroup(member, signal)).rejects.toMatchObject({ code });
  });

  it('lets somebody in, and answers so again for one who has access', async () => {
    const jira = await make();
    const user = { emailAddress: 'new@example.com', products: ['jira-software'] };

    const answers = [await jira.createUser(user, signal), await jira.createUser(user, signal)];

    expect(answers).toMatchObject(Array(2).fill({ status: 'changed', httpStatus: 201, traceId: expect.any(String) }));
    expect(await jira.findUsers('new@example.com', signal)).toHaveLength(1);
  });
}

function organisationContract(make: () => Promise<NonNullable<Cloud['organisation']>>): void {
  it('finds people by addresses in any case and by ids, with their groups when they are asked for', async () => {
    const organisation = await make();

    const byEmail = await organisation.findUsersByEmail(['BEN.okafor@example.com', 'no@one'], { groups: true }, signal);
    const byId = await organisation.findUsersById([WHO.suspended, 'nobody'], { groups: false }, signal);

    expect(byEmail).toMatchObject([{ accountId: WHO.ben, groupIds: expect.arrayContaining([GROUP.engineering]) }]);
    expect(byId).toMatchObject([{ accountId: WHO.suspended, membershipStatus: 'suspended' }]);
    expect(byId[0]?.groupIds).toBeUndefined();
  });

  it('finds groups by names and ids, and verified domains alone', async () => {
    const organisation = await make();

    expect(await organisation.findGroupsByName(['idp-everyone'], signal)).toMatchObject([{ external: true }]);
    expect(await organisation.findGroupsById([GROUP.guild], signal)).toMatchObject([{ external: false }]);
    expect(await organisation.listVerifiedDomains(signal)).toEqual(['example.com']);
  });

  it('tells who administers it, by which groups, who is in a group, and how many are active', async () => {
    const organisation = await make();
    const active = await organisation.countActiveUsers(signal);

    await organisation.suspend(WHO.ben, signal);

    expect(await organisation.findAdmins(signal)).toMatchObject([{ accountId: WHO.admin }]);
    expect(await organisation.findAdminGroups(signal)).toMatchObject([{ groupId: GROUP.admins }]);
    expect(await organisation.findUsersByGroup(GROUP.admins, signal)).toMatchObject([
      { accountId: WHO.admin },
      { accountId: WHO.emil },
    ]);
    expect(await organisation.countActiveUsers(signal)).toBe(active - 1);
  });

  it('suspends and restores once each', async () => {
    const organisation = await make();

    expect(await organisation.suspend(WHO.ben, signal)).toMatchObject({ status: 'changed', httpStatus: 204 });
    expect(await organisation.suspend(WHO.ben, signal)).toMatchObject({ status: 'unchanged' });
    expect(await organisation.restore(WHO.ben, signal)).toMatchObject({ status: 'changed' });
    expect(await organisation.restore(WHO.ben, signal)).toMatchObject({ status: 'unchanged' });
    await expect(organisation.suspend('nobody', signal)).rejects.toMatchObject({ code: 'USER_NOT_FOUND' });
  });

  it('invites to a product, and says who has it', async () => {
    const organisation = await make();

    const answer = await organisation.invite({ email: 'invited@example.com', products: ['confluence'] }, signal);
    const [invited] = await organisation.findUsersByEmail(['invited@example.com'], { groups: false }, signal);
    const asked = ['INVITED@example.com', 'nora.newcomer@example.com'];

    expect(answer).toMatchObject({ status: 'changed' });
    expect(await organisation.findUsersByProduct('confluence', asked, signal)).toMatchObject([
      { accountId: invited?.accountId },
    ]);
  });

  it.each([
    ['one who is deactivated', 'dan.deactivated@example.com', 'confluence', 'REQUEST_REFUSED'],
    ['anybody without a free seat', 'x@example.com', 'jira-product-discovery', 'LICENCE_LIMIT'],
  ])('does not invite %s', async (_, email, product, code) => {
    const organisation = await make();

    await expect(organisation.invite({ email, products: [product] }, signal)).rejects.toMatchObject({ code });
  });
}

function userManagementContract(make: () => Promise<NonNullable<Cloud['userManagement']>>): void {
  it('changes an address', async () => {
    const userManagement = await make();

    expect(await userManagement.setEmail(WHO.ben, 'ben.new@example.com', signal)).toMatchObject({ httpStatus: 204 });
    expect(await userManagement.findProfile(WHO.ben, signal)).toMatchObject({ email: 'ben.new@example.com' });
    expect(await userManagement.findProfile('nobody', signal)).toBeUndefined();
  });

  it.each([
    ["another's address", WHO.ben, 'anna.schmidt@example.com', 'EMAIL_IN_USE'],
    ['a domain that is not verified', WHO.ben, 'ben@example.net', 'DOMAIN_NOT_VERIFIED'],
    ["an identity provider's account", WHO.scim, 'sofia@example.com', 'SCIM_MANAGED'],
    ['an unknown account', 'nobody', 'x@example.com', 'USER_NOT_FOUND'],
  ])('refuses %s', async (_, accountId, email, code) => {
    const userManagement = await make();

    await expect(userManagement.setEmail(accountId, email, signal)).rejects.toMatchObject({ code });
  });

  it('deactivates and activates once each', async () => {
    const userManagement = await make();

    expect(await userManagement.disable(WHO.ben, 'bye', signal)).toMatchObject({ status: 'changed', httpStatus: 204 });
    expect(await userManagement.disable(WHO.ben, undefined, signal)).toMatchObject({ status: 'unchanged' });
    expect(await userManagement.findProfile(WHO.ben, signal)).toMatchObject({ accountStatus: 'inactive' });
    expect(await userManagement.enable(WHO.ben, signal)).toMatchObject({ status: 'changed', httpStatus: 204 });
    expect(await userManagement.enable(WHO.ben, signal)).toMatchObject({ status: 'unchanged' });
  });
}

function dataCenterContract(make: (options?: AtlassianOptions) => Promise<DataCenter>): void {
  const member = { group: 'Release Managers', username: 'Anna' };

  it('shows users with their groups, inactive ones too, and which groups there are', async () => {
    const dataCenter = await make();

    expect(await dataCenter.findUser('CARLA', signal)).toMatchObject({
      groups: ['jira-software-users', 'Release Managers'],
    });
    expect(await dataCenter.findUser('eva', signal)).toMatchObject({ username: 'eva', active: false });
    expect(await dataCenter.findUser('nobody', signal)).toBeUndefined();
    expect(await dataCenter.pickGroups('release m', signal)).toEqual({ names: ['Release Managers'], isWhole: true });
    expect(await dataCenter.hasGroup('release MANAGERS', signal)).toBe(true);
    expect(await dataCenter.hasGroup('Release', signal)).toBe(false);
  });

  it('lists everybody and the members of a group, and tells whose token it is', async () => {
    const dataCenter = await make();

    const everybody = await dataCenter.listUsers(undefined, signal);

    expect(everybody?.users).toContainEqual(expect.objectContaining({ username: 'eva', active: false }));
    expect(everybody?.next).toBeUndefined();
    expect(await dataCenter.findUsers('GRACE', 0, signal)).toMatchObject([{ username: 'grace.kim@example.com' }]);
    expect(await dataCenter.findMyself(signal)).toMatchObject({ username: 'admin' });
    expect(await dataCenter.listMembers('jira-software-users', 4, signal)).toMatchObject({
      members: ['dmitri'],
      total: 5,
      isLast: true,
    });
    expect(await dataCenter.listMembers('none', 0, signal)).toBeUndefined();
  });

  it('puts a user in a group once and takes them out once', async () => {
    const dataCenter = await make();

    expect(await dataCenter.addToGroup(member, signal)).toMatchObject({ status: 'changed', httpStatus: 201 });
    expect(await dataCenter.addToGroup(member, signal)).toMatchObject({ status: 'unchanged', httpStatus: 400 });
    expect(await dataCenter.removeFromGroup(member, signal)).toMatchObject({ status: 'changed', httpStatus: 200 });
    expect(await dataCenter.removeFromGroup(member, signal)).toMatchObject({ status: 'unchanged', httpStatus: 400 });
  });

  it.each([
    ['an unknown group', { group: 'nothing' }, 'GROUP_NOT_FOUND'],
    ['an unknown user', { username: 'nobody' }, 'USER_NOT_FOUND'],
    ['a group of a read-only directory', { group: 'ldap-staff' }, 'GROUP_EXTERNAL'],
  ])('refuses to add to a group: %s', async (_, change, code) => {
    const dataCenter = await make();

    await expect(dataCenter.addToGroup({ ...member, ...change }, signal)).rejects.toMatchObject({ code });
  });

  it('creates a user once, and changes what is given of them', async () => {
    const dataCenter = await make();
    const user = { username: 'new', emailAddress: 'new@dc.example.com', displayName: 'New' };

    expect(await dataCenter.createUser(user, signal)).toMatchObject({ status: 'changed', httpStatus: 201 });
    await expect(dataCenter.createUser(user, signal)).rejects.toMatchObject({ code: 'CHANGED_SINCE_PLAN' });
    expect(await dataCenter.updateUser('new', { active: false }, signal)).toMatchObject({ status: 'changed' });
    expect(await dataCenter.findUser('new', signal)).toMatchObject({
      emailAddress: 'new@dc.example.com',
      active: false,
    });
    await expect(dataCenter.updateUser('ldap.lena', { active: false }, signal)).rejects.toMatchObject({
      code: 'SCIM_MANAGED',
    });
  });

  it('tells a server that ignores active', async () => {
    const dataCenter = await make({ ignoresActive: true });

    await expect(dataCenter.updateUser('anna', { active: false }, signal)).rejects.toMatchObject({
      code: 'REQUEST_REFUSED',
      httpStatus: 200,
    });
  });
}
