import { describe, expect, it } from 'vitest';

import { CLOUD_ID, DIRECTORY, GROUP, ORG, useSimulator, WHO } from './use-simulator.ts';

const { ask, behave } = useSimulator();
const post = (path: string, body: unknown) => ask('POST', path, { as: 'organisation', body });
const get = (path: string) => ask('GET', path, { as: 'organisation' });
const code = (text: string) => ({ errors: [expect.objectContaining({ code: text })] });

describe('users/search of v2', () => {
  const search = (body: unknown) => post(`${DIRECTORY}/users/search`, body);

  it('finds by exact addresses, suspended and deactivated people too', async () => {
    const emails = ['Anna.Schmidt@example.com', 'susan.suspended@example.com', 'dan.deactivated@example.com', 'no@one'];

    const { body } = await search({ emails });

    expect(body).toMatchObject({
      data: [
        { accountId: WHO.anna, membershipStatus: 'active', claimStatus: 'managed', managementSource: 'invited' },
        { accountId: WHO.suspended, membershipStatus: 'suspended', status: 'suspended' },
        { accountId: WHO.deactivated, accountStatus: 'inactive', status: 'deactivated' },
      ],
    });
    expect((body as { data: object[] }).data[0]).not.toHaveProperty('groups');
  });

  it('shows the groups when it is asked to', async () => {
    const { body } = await search({ accountIds: [WHO.anna], expand: ['groups'] });

    expect(body).toMatchObject({ data: [{ groups: [{ id: GROUP.engineering, name: 'engineering' }, {}] }] });
  });

  const RESOURCE = `ari:cloud:confluence::site/${CLOUD_ID}`;
  it.each([
    ['a product', { resourceIds: [RESOURCE] }, ['confluence']],
    [
      'a product in a role',
      { resourceIds: [RESOURCE], roleIds: ['atlassian/user', 'atlassian/admin'] },
      ['confluence'],
    ],
    [
      'either product',
      { resourceIds: [RESOURCE, RESOURCE.replace('confluence', 'jira-core')] },
      ['confluence', 'core'],
    ],
    ['another role', { resourceIds: [RESOURCE], roleIds: ['atlassian/guest'] }, []],
    ["another site's product", { resourceIds: ['ari:cloud:confluence::site/other'] }, []],
    ['any product', { roleIds: ['atlassian/user'] }, ['confluence', 'core']],
  ])('narrows by %s', async (_, filters, names) => {
    const addresses = ['confluence', 'core', 'nothing'].map((name) => `has-${name}@example.com`);
    const permissionRules = [{ resource: RESOURCE, role: 'atlassian/user' }];
    await post(`/admin/v2/orgs/${ORG}/users/invite`, { emails: addresses.slice(0, 1), permissionRules });
    await ask('POST', '/rest/api/3/user', {
      as: 'jira',
      body: { emailAddress: addresses[1], products: ['jira-core'] },
    });
    await ask('POST', '/rest/api/3/user', { as: 'jira', body: { emailAddress: addresses[2], products: [] } });

    const { body } = await search({ emails: addresses, ...filters });

    expect(body).toMatchObject({ data: names.map((name) => ({ email: `has-${name}@example.com` })) });
  });

  it.each([
    [{ resourceIds: ['confluence'] }, 400],
    [{ roleIds: ['user'] }, 400],
    [{ searchTerm: 'a', emails: ['a@example.com'] }, 400],
    [{ email: ['a@example.com'] }, 400],
    [{ emails: 'a@example.com' }, 400],
    [{ limit: 101 }, 400],
    [{ limit: 0 }, 400],
    [{ cursor: 'mine' }, 400],
    [{ emails: Array.from({ length: 101 }, (_, n) => `${n}@example.com`) }, 400],
    [{}, 200],
    [{ groupIds: [GROUP.engineering] }, 200],
  ])('answers %j with %i', async (body, status) => {
    expect(await search(body)).toMatchObject({ status });
  });

  it('leads through the pages by opaque cursors, everybody once', async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const { body } = await search({ limit: 15, ...(cursor === undefined ? {} : { cursor }) });
      const page = body as { data: { accountId: string }[]; links: { next?: string } };
      seen.push(...page.data.map(({ accountId }) => accountId));
      cursor = page.links.next;
      expect(cursor ?? '').not.toMatch(/^http|[^\w-]/);
    } while (cursor !== undefined);

    expect(seen).toHaveLength(40);
    expect(new Set(seen).size).toBe(40);
  });

  it('answers 415 without a JSON content type', async () => {
    const answer = await ask('POST', `${DIRECTORY}/users/search`, { as: 'organisation', raw: '{}' });

    expect(answer).toMatchObject({ status: 415, body: code('ADMIN-UAM-415-1') });
  });
});

describe('the directories', () => {
  it.each([
    [`/admin/v2/orgs/${ORG}/directories`, { data: [{ name: 'example' }] }],
    [`/admin/v2/orgs/${ORG}/directories?searchTerm=other`, { data: [] }],
  ])('are listed by GET %s', async (path, body) => {
    expect(await get(path)).toMatchObject({ status: 200, body });
  });

  it('are not those of another organisation', async () => {
    expect(await get(`/admin/v2/orgs/other/directories`)).toMatchObject({ status: 404, body: code('ADMIN-404-2') });
  });

  it('are searched by their own id, or all at once by a dash', async () => {
    const search = (directoryId: string) =>
      post(`/admin/v2/orgs/${ORG}/directories/${directoryId}/users/search`, { accountIds: [WHO.scim] });

    expect(await search('-')).toMatchObject({ body: { data: [{ managementSource: 'synced' }] } });
    expect(await search('other')).toMatchObject({ status: 404, body: code('ADMIN-404-1') });
  });

  it('are not there for an organisation on the original user management', async () => {
    await behave({ switches: { v2Directory: 'absent' } });

    expect(await post(`${DIRECTORY}/users/search`, {})).toMatchObject({ status: 404 });
  });
});

it('finds groups by exact names in any case', async () => {
  const { body } = await post(`${DIRECTORY}/groups/search`, { groupNames: ['r&d', 'IDP-everyone', 'engineer'] });

  expect(body).toMatchObject({ data: [{ name: 'R&D', externalSynced: false }, { managedBy: 'external' }] });
});

describe('suspend and restore', () => {
  const v2 = (who: string, verb: string) => post(`${DIRECTORY}/users/${who}/${verb}`, {});

  it('answers 204 with an empty body and keeps the groups', async () => {
    const suspended = await v2(WHO.anna, 'suspend');
    const shown = await post(`${DIRECTORY}/users/search`, { accountIds: [WHO.anna], expand: ['groups'] });
    const restored = await v2(WHO.anna, 'restore');

    expect(suspended).toMatchObject({ status: 204, body: '' });
    expect(shown.body).toMatchObject({ data: [{ membershipStatus: 'suspended', groups: { length: 2 } }] });
    expect(restored).toMatchObject({ status: 204, body: '' });
  });

  it.each([
    ['200', 200],
    ['202', 202],
  ])('answers a v2 write with the status that the switch says: %s', async (v2WriteStatus, status) => {
    await behave({ switches: { v2WriteStatus } });

    expect(await v2(WHO.anna, 'suspend')).toMatchObject({ status, body: {} });
  });

  it.each([
    ['without a body', {}],
    ['with a body of another type', { raw: '{}', headers: { 'content-type': 'text/plain' } }],
  ])('answers v2 %s with 415', async (_what, asked) => {
    const answer = await ask('POST', `${DIRECTORY}/users/${WHO.anna}/suspend`, { as: 'organisation', ...asked });

    expect(answer).toMatchObject({ status: 415, body: code('ADMIN-UAM-415-1') });
  });

  it.each([
    ['reSuspend', '400', WHO.suspended, 'suspend', 400],
    ['reSuspend', '409', WHO.suspended, 'suspend', 409],
    ['reSuspend', 'success', WHO.suspended, 'suspend', 204],
    ['reRestore', '400', WHO.anna, 'restore', 400],
    ['reRestore', 'success', WHO.anna, 'restore', 204],
  ])('answers what is so already as the switch %s=%s says', async (name, value, who, verb, status) => {
    await behave({ switches: { [name]: value } });

    expect(await v2(who, verb)).toMatchObject({ status });
  });

  it.each(['nobody', WHO.newcomer])('does not find %s', async (who) => {
    expect(await v2(who, 'suspend')).toMatchObject({ status: 404, body: code('ADMIN-404-8') });
  });

  it('refuses an account id that is none', async () => {
    expect(await v2('a%20b', 'suspend')).toMatchObject({ status: 400 });
  });

  it('does not restore beyond the licence', async () => {
    const { body } = await ask('GET', '/_simulator/state');
    const state = body as { cloud: { licences: Record<string, number> } };
    const licences = { ...state.cloud.licences, confluence: 0 };
    await ask('PUT', '/_simulator/state', { body: { ...state, cloud: { ...state.cloud, licences } } });

    expect(await v2(WHO.suspended, 'restore')).toMatchObject({ status: 409, body: code('ADMIN-409-3') });
  });
});

describe('invitations', () => {
  const resource = `ari:cloud:confluence::site/${CLOUD_ID}`;
  const invite = (body: unknown) => post(`/admin/v2/orgs/${ORG}/users/invite`, body);

  it('may fail for one within a success', async () => {
    const permissionRules = [{ resource, role: 'atlassian/user' }];
    const emails = ['new@example.com', 'dan.deactivated@example.com'];

    expect(await invite({ emails, permissionRules })).toMatchObject({
      status: 206,
      body: {
        data: [
          { email: 'new@example.com', results: [{ roleAssignmentResult: [{ resource, status: 'INVITED' }] }] },
          {
            email: 'dan.deactivated@example.com',
            results: [{ roleAssignmentResult: [{ status: 'ERROR', statusReason: 'INACTIVE_USER' }] }],
          },
        ],
      },
    });
  });

  it.each([
    ['no addresses', { permissionRules: [] }, 'ADMIN-400-24'],
    ['v1’s single address', { email: 'a@example.com' }, 'ADMIN-400-24'],
    [
      'another site',
      { emails: ['a@example.com'], permissionRules: [{ resource: 'x', role: 'atlassian/user' }] },
      'ADMIN-UAM-400-1',
    ],
    [
      'a role that is none',
      { emails: ['a@example.com'], permissionRules: [{ resource, role: 'user' }] },
      'ADMIN-UAM-400-3',
    ],
  ])('are refused for %s', async (_what, body, error) => {
    expect(await invite(body)).toMatchObject({ status: 400, body: code(error) });
  });
});

describe('the domains', () => {
  it('lead from page to page by whole URLs', async () => {
    const { body } = await ask('GET', '/_simulator/state');
    const state = body as { cloud: { organisation: { domains: object[] } } };
    const domains = Array.from({ length: 150 }, (_, n) => ({ name: `d${n}.example`, type: 'dns', status: 'verified' }));
    const organisation = { ...state.cloud.organisation, domains };
    await ask('PUT', '/_simulator/state', { body: { ...state, cloud: { ...state.cloud, organisation } } });

    const first = await get(`/admin/v1/orgs/${ORG}/domains`);
    const { next } = (first.body as { links: { next: string } }).links;
    const second = await get(next.replace(/^http:\/\/127\.0\.0\.1:\d+/, ''));

    expect(next).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/admin\/v1\/orgs\//);
    expect(first.body).toMatchObject({ data: { length: 100 } });
    expect(second.body).toMatchObject({ data: { length: 50 }, links: { self: expect.any(String) } });
    expect((second.body as { links: object }).links).not.toHaveProperty('next');
  });

  it('tell which domains are verified', async () => {
    expect(await get(`/admin/v1/orgs/${ORG}/domains`)).toMatchObject({
      body: {
        data: [
          { type: 'domains', attributes: { name: 'example.com', claim: { status: 'verified' } } },
          { attributes: { name: 'example.net', claim: { status: 'unverified' } } },
        ],
      },
    });
  });

  it('refuse a cursor that is none', async () => {
    expect(await get(`/admin/v1/orgs/${ORG}/domains?cursor=x`)).toMatchObject({
      status: 400,
      body: code('ADMIN-400-1'),
    });
  });
});
