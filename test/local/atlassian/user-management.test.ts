import { describe, expect, it } from 'vitest';

import { useSimulator, WHO } from './use-simulator.ts';

const { ask, behave } = useSimulator();
const manage = (method: string, who: string, path: string, body?: unknown) =>
  ask(method, `/users/${encodeURIComponent(who)}/manage${path}`, {
    as: 'organisation',
    ...(body === undefined ? {} : { body }),
  });

const locked = (key: string) => ({ key: 'forbidden.action', context: { allowed: false, reason: { key } } });
const violated = (key: string) => ({
  key: 'fieldConstraintsViolated',
  context: { fieldViolations: [{ field: 'email', violations: [{ key }] }] },
});

describe('PUT email', () => {
  it('answers 204 with an empty body, and the address is another', async () => {
    const answer = await manage('PUT', WHO.ben, '/email', { email: 'ben.new@example.com' });

    expect(answer).toMatchObject({ status: 204, body: '' });
    expect(await manage('GET', WHO.ben, '/profile')).toMatchObject({
      body: { account: { email: 'ben.new@example.com' } },
    });
  });

  it.each([
    ['a SCIM account', WHO.scim, 'x@example.com', 403, locked('externalDirectory.scim')],
    ['a SAML account', WHO.saml, 'x@example.com', 403, locked('authPolicy.saml')],
    ['an unmanaged account', WHO.guest, 'x@example.com', 403, { key: 'forbidden' }],
    ['an unknown account', 'nobody', 'x@example.com', 404, { key: 'accountNotFound' }],
    [
      'an unverified domain',
      WHO.ben,
      'x@example.net',
      403,
      { key: 'forbidden.unclaimedDomain', context: { domain: 'example.net' } },
    ],
    ['no address', WHO.ben, 'x', 400, violated('validCharacters')],
    ['a very long address', WHO.ben, `${'x'.repeat(256)}@example.com`, 400, violated('partMaxLength')],
  ])('refuses %s', async (_what, who, email, status, body) => {
    expect(await manage('PUT', who, '/email', { email })).toMatchObject({ status, body });
  });

  it('says everything twice in a 403', async () => {
    expect(await manage('PUT', WHO.scim, '/email', { email: 'x@example.com' })).toMatchObject({
      body: { errorKey: 'forbidden.action', errorDetail: { reason: { key: 'externalDirectory.scim' } } },
    });
  });

  it.each([
    ['emailInUse', '400', 'anna.schmidt@example.com', 400],
    ['emailInUse', '403', 'anna.schmidt@example.com', 403],
    ['emailInUse', '409', 'ANNA.schmidt@example.com', 409],
    ['sameEmail', '400', 'ben.okafor@example.com', 400],
    ['sameEmail', 'success', 'ben.okafor@example.com', 204],
  ])('answers as the switch %s=%s says', async (name, value, email, status) => {
    await behave({ switches: { [name]: value } });

    expect(await manage('PUT', WHO.ben, '/email', { email })).toMatchObject({ status });
  });

  it.each([
    [
      'a body that is no JSON',
      { raw: '{', headers: { 'content-type': 'application/json' } },
      { key: 'bodyParseFailure' },
    ],
    ['no body', {}, { key: 'bodyParseFailure' }],
    ['another field', { body: { emailAddress: 'x@example.com' } }, { key: 'fieldConstraintsViolated' }],
  ])('refuses %s with 400', async (_what, asked, body) => {
    const answer = await ask('PUT', `/users/${WHO.ben}/manage/email`, { as: 'organisation', ...asked });

    expect(answer).toMatchObject({ status: 400, body });
  });
});

describe('lifecycle', () => {
  it('deactivates with 204 and activates again', async () => {
    expect(await manage('POST', WHO.ben, '/lifecycle/disable', { message: 'bye' })).toMatchObject({
      status: 204,
      body: '',
    });
    expect(await manage('GET', WHO.ben, '/profile')).toMatchObject({
      body: { account: { account_status: 'inactive' } },
    });
    expect(await manage('POST', WHO.ben, '/lifecycle/enable')).toMatchObject({ status: 204 });
  });

  it.each([
    ['reDisable', '409', WHO.deactivated, '/lifecycle/disable', 409],
    ['reDisable', 'success', WHO.deactivated, '/lifecycle/disable', 204],
    ['reEnable', '409', WHO.ben, '/lifecycle/enable', 409],
    ['reEnable', 'success', WHO.ben, '/lifecycle/enable', 204],
  ])('answers what is so already as the switch %s=%s says', async (name, value, who, path, status) => {
    await behave({ switches: { [name]: value } });

    expect(await manage('POST', who, path, {})).toMatchObject({ status });
  });

  it('wants an object to deactivate', async () => {
    expect(await manage('POST', WHO.ben, '/lifecycle/disable', [])).toMatchObject({ status: 400 });
    expect(await manage('POST', WHO.ben, '/lifecycle/disable')).toMatchObject({ status: 400 });
  });
});

describe('an account that the organisation has not claimed', () => {
  it.each([
    ['forbidden', 403],
    ['targetUnverified', 403],
    ['notFound', 404],
  ])('is refused as the switch says: %s', async (unmanagedAccount, status) => {
    await behave({ switches: { unmanagedAccount } });

    expect(await manage('GET', WHO.guest, '/profile')).toMatchObject({ status });
  });
});
