import { expect, it } from 'vitest';

import { CLOUD_ID, type Credential, DIRECTORY, GROUP, ORG, useSimulator, WHO } from './use-simulator.ts';

const { ask, behave } = useSimulator();
const TEXT = 'Client must be authenticated to access this resource.';
const USER = `/rest/api/3/user?accountId=${WHO.anna}`;
const GATEWAY_USER = `/ex/jira/${CLOUD_ID}${USER}`;
const MANAGE = `/users/${WHO.anna}/manage/profile`;
const DOMAINS = `/admin/v1/orgs/${ORG}/domains`;
const DC_USER = '/jira/rest/api/2/user?username=anna';

const as = (name: Credential) => name;

it.each([
  ['Jira', as('jira'), USER, 200],
  ['Jira at the gateway', as('scoped'), GATEWAY_USER, 200],
  ['the organisation', as('organisation'), DOMAINS, 200],
  ['the organisation with scopes', as('scopedOrganisation'), DOMAINS, 200],
  ['user management', as('organisation'), MANAGE, 200],
  ['Data Center', as('dataCenter'), DC_USER, 200],
  ['Data Center with a password', as('dataCenterBasic'), DC_USER, 200],
  ['the site’s cloudId', as('nobody'), '/_edge/tenant_info', 200],
])('lets through to %s the credentials that belong there', async (_what, who, path, status) => {
  expect(await ask('GET', path, { as: who })).toMatchObject({ status });
});

it.each([
  ['nobody at Jira', as('nobody'), USER, 401, TEXT],
  ['a wrong token at Jira', as('wrong'), USER, 401, TEXT],
  ['an organisation key at Jira', as('organisation'), USER, 401, TEXT],
  ['a scoped token at the site', as('scoped'), USER, 401, TEXT],
  ['an unscoped token at the gateway', as('jira'), GATEWAY_USER, 401, TEXT],
  ['another site', as('scoped'), `/ex/jira/other${USER}`, 404, { code: 404, message: 'Not Found' }],
  ['a Jira token at the organisation', as('jira'), DOMAINS, 401, { code: 401, message: 'Unauthorized' }],
  ['nobody at user management', as('nobody'), MANAGE, 401, { key: 'unauthorized' }],
  ['a scoped key at user management', as('scopedOrganisation'), MANAGE, 403, { key: 'forbidden.insufficientScope' }],
  ['nobody at Data Center', as('nobody'), DC_USER, 401, TEXT],
])('refuses %s', async (_what, who, path, status, body) => {
  const answer = await ask('GET', path, { as: who });

  expect(answer.status).toBe(status);
  if (typeof body === 'string') expect(answer.body).toBe(body);
  else expect(answer.body).toMatchObject(body);
});

it('answers Jira’s 401 in JSON when the switch says so', async () => {
  await behave({ switches: { unauthorizedBody: 'json' } });

  expect(await ask('GET', USER)).toMatchObject({ status: 401, body: { errorMessages: [TEXT], errors: {} } });
});

it('lets an unscoped token through the gateway when the switch says so', async () => {
  await behave({ switches: { unscopedTokenAtGateway: 'accepted' } });

  expect(await ask('GET', GATEWAY_USER, { as: 'jira' })).toMatchObject({ status: 200 });
});

it('refuses a write to a token that may only read', async () => {
  const path = `/ex/jira/${CLOUD_ID}/rest/api/3/group/user?groupId=${GROUP.guild}`;

  const answer = await ask('POST', path, { as: 'reader', body: { accountId: WHO.anna } });

  expect(answer).toMatchObject({ status: 401, body: { code: 401, message: 'Unauthorized; scope does not match' } });
});

it('refuses an organisation key that lacks the scope', async () => {
  const { body } = await ask('GET', '/_simulator/state');
  const { cloud, dataCenter } = body as { cloud: { credentials: object }; dataCenter: object };
  const organisation = [{ key: 'simulator-scoped-org-api-key', scopes: ['read:domains:admin'] }];
  const credentials = { ...cloud.credentials, organisation };
  await ask('PUT', '/_simulator/state', { body: { cloud: { ...cloud, credentials }, dataCenter } });

  const domains = await ask('GET', DOMAINS, { as: 'scopedOrganisation' });
  const users = await ask('POST', `${DIRECTORY}/users/search`, { as: 'scopedOrganisation', body: {} });

  expect(domains.status).toBe(200);
  expect(users).toMatchObject({ status: 401, body: { code: 401, message: 'Unauthorized; scope does not match' } });
});

it.each([
  ['404', 404],
  ['403', 403],
])('reports a missing privilege as the switch says: %s', async (missingPrivilege, status) => {
  await behave({ switches: { missingPrivilege } });
  const path = `/rest/api/3/group/user?groupId=${GROUP.guild}`;

  expect(await ask('POST', path, { as: 'plain', body: { accountId: WHO.anna } })).toMatchObject({ status });
});

it('shows nobody, and forbids nothing, to a searcher without permission', async () => {
  expect(await ask('GET', '/rest/api/3/user/search?query=anna', { as: 'plain' })).toMatchObject({
    status: 200,
    body: [],
  });
  expect(await ask('GET', '/rest/api/3/group/bulk?groupName=engineering', { as: 'plain' })).toMatchObject({
    status: 403,
    body: { errorMessages: ['Browse users and groups permission is required to view groups.'], errors: {} },
  });
});

it('refuses Data Center’s administration to one who is no administrator', async () => {
  const path = '/jira/rest/api/2/group/user?groupname=Release%20Managers';

  expect(await ask('POST', path, { as: 'plainDataCenter', body: { name: 'anna' } })).toMatchObject({ status: 403 });
});

it('refuses a token whose owner has been suspended', async () => {
  await ask('POST', `${DIRECTORY}/users/${WHO.admin}/suspend`, { as: 'organisation', body: {} });

  expect(await ask('GET', USER, { as: 'jira' })).toMatchObject({ status: 401 });
});
