import { afterEach, describe, expect, it } from 'vitest';

import { GROUP, ORG, useSimulator, WHO } from './use-simulator.ts';

const START = Date.parse('2026-01-01T01:01:01Z');
let nowMs = START;
const { ask, behave } = useSimulator({ clock: { now: () => new Date(nowMs) } });
afterEach(() => {
  // Later than all windows, so that every bucket is full for the next test.
  nowMs += 86_400_000;
});

const USER = `/rest/api/3/user?accountId=${WHO.anna}`;
const readUser = () => ask('GET', USER, { as: 'jira' });
const add = (accountId: string) =>
  ask('POST', `/rest/api/3/group/user?groupId=${GROUP.guild}`, { as: 'jira', body: { accountId } });

describe('Jira’s burst limit', () => {
  it('counts down in its headers', async () => {
    await behave({ limits: { jira: { GET: 100 } } });

    const { headers } = await readUser();

    expect(Object.fromEntries(headers)).toMatchObject({
      'x-ratelimit-limit': '100',
      'x-ratelimit-remaining': '99',
      'beta-ratelimit-policy': '"jira-burst-based";q=100;w=1',
      'beta-ratelimit': '"jira-burst-based";r=99;t=1',
    });
    expect(headers.has('retry-after')).toBe(false);
    expect(headers.has('x-ratelimit-nearlimit')).toBe(false);
  });

  it('answers 429 when the bucket is empty, and changes nothing', async () => {
    await behave({ limits: { jira: { POST: 2 } } });

    await add(WHO.anna);
    await add(WHO.ben);
    const { status, headers } = await add(WHO.dmitri);

    expect(status).toBe(429);
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-ratelimit-remaining': '0',
      'retry-after': '1',
      'ratelimit-reason': 'jira-burst-based',
      'x-ratelimit-reset': expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
    expect(await ask('GET', '/_simulator/requests?summary=1')).toMatchObject({ body: { effective: { writes: 2 } } });
  });

  it('fills the bucket by the second and not above its size', async () => {
    await behave({ limits: { jira: { GET: 2 } } });
    const statuses = async () => [(await readUser()).status, (await readUser()).status, (await readUser()).status];

    const first = await statuses();
    nowMs += 500;
    const half = await statuses();
    nowMs += 60_000;
    const full = await statuses();

    expect([first, half, full]).toEqual([
      [200, 200, 429],
      [200, 429, 429],
      [200, 200, 429],
    ]);
  });

  it('is of each endpoint and method for itself, whatever version is called', async () => {
    await behave({ limits: { jira: { GET: 1, POST: 1 } } });

    const statuses = [
      (await readUser()).status,
      (await ask('GET', USER.replace('/3/', '/2/'), { as: 'jira' })).status,
      (await ask('GET', '/rest/api/3/group/bulk', { as: 'jira' })).status,
      (await add(WHO.anna)).status,
    ];

    expect(statuses).toEqual([200, 429, 200, 201]);
  });

  it.each([
    ['GET', USER, '150'],
    ['GET', '/rest/api/3/group/bulk', '100'],
    ['POST', '/rest/api/3/group/user', '100'],
    ['DELETE', '/rest/api/3/group/user', '50'],
  ])('is the published one of %s %s when it is to be', async (method, path, limit) => {
    await behave({ limits: { jira: 'published' } });

    expect((await ask(method, path, { as: 'jira' })).headers.get('x-ratelimit-limit')).toBe(limit);
  });

  it('does not count requests without good credentials', async () => {
    await behave({ limits: { jira: { GET: 1 } } });

    await ask('GET', USER, { as: 'wrong' });

    expect(await readUser()).toMatchObject({ status: 200 });
  });
});

it('shares one bucket among Jira’s user searches', async () => {
  await behave({ limits: { userSearch: 1 } });

  const statuses = [
    (await ask('GET', '/rest/api/3/user/search?query=anna', { as: 'jira' })).status,
    (await ask('GET', '/rest/api/3/user/search?query=ben', { as: 'jira' })).status,
    (await readUser()).status,
  ];

  expect(statuses).toEqual([200, 429, 200]);
});

it('says NearLimit below a fifth of the quota, and when it starts again', async () => {
  nowMs = Date.parse('2026-03-02T10:59:00Z');
  await behave({ limits: { jiraQuota: { requests: 10, windowSeconds: 3600 } } });

  const answers = [];
  for (let n = 0; n < 11; n += 1) answers.push(await readUser());

  const near = answers.map(({ headers }) => headers.get('x-ratelimit-nearlimit'));
  expect(near).toEqual([...Array<null>(8).fill(null), 'true', 'true', 'true']);
  expect(answers.at(-1)?.status).toBe(429);
  expect(Object.fromEntries(answers.at(-1)?.headers ?? [])).toMatchObject({
    'retry-after': '60',
    'x-ratelimit-reset': '2026-03-02T11:00:00Z',
    'ratelimit-reason': 'jira-quota-tenant-based',
  });
});

it('limits the organisation by window, with Reset and without Retry-After', async () => {
  nowMs = Date.parse('2026-04-01T00:00:10Z');
  await behave({ limits: { organisation: { requests: 1, windowSeconds: 60 } } });
  const domains = () => ask('GET', `/admin/v1/orgs/${ORG}/domains`, { as: 'organisation' });

  const first = await domains();
  const second = await domains();

  expect(first.status).toBe(200);
  expect(second).toMatchObject({ status: 429, body: { code: 429, message: expect.any(String) } });
  expect(second.headers.get('x-ratelimit-reset')).toBe('2026-04-01T00:01:00Z');
  expect(second.headers.has('retry-after')).toBe(false);
});

it('adds Retry-After to the organisation’s 429 when the switch says so', async () => {
  await behave({
    limits: { organisation: { requests: 1, windowSeconds: 60 } },
    switches: { organisationRetryAfter: 'on' },
  });
  const domains = () => ask('GET', `/admin/v1/orgs/${ORG}/domains`, { as: 'organisation' });

  await domains();

  expect((await domains()).headers.get('retry-after')).toMatch(/^\d+$/);
});

it('has Data Center’s bucket headers on every answer, retry-after 0 while tokens remain', async () => {
  await behave({ limits: { dataCenter: { size: 2, fillRate: 1, intervalSeconds: 2 } } });
  const user = () => ask('GET', '/jira/rest/api/2/user?username=anna', { as: 'dataCenter' });

  const [first, , third] = [await user(), await user(), await user()];

  expect(Object.fromEntries(first?.headers ?? [])).toMatchObject({
    'x-ratelimit-limit': '2',
    'x-ratelimit-remaining': '1',
    'x-ratelimit-interval-seconds': '2',
    'x-ratelimit-fillrate': '1',
    'retry-after': '0',
  });
  expect(third?.status).toBe(429);
  expect(third?.headers.get('retry-after')).toBe('2');
});

it('limits writes alone by one setting', async () => {
  await behave({ limits: { writesPerSecond: 1 } });
  const addToDataCenter = () =>
    ask('POST', '/jira/rest/api/2/group/user?groupname=ldap-staff', { as: 'dataCenter', body: { name: 'anna' } });

  const statuses = [
    await add(WHO.anna),
    await add(WHO.ben),
    await readUser(),
    await addToDataCenter(),
    await addToDataCenter(),
  ];

  expect(statuses.map(({ status }) => status)).toEqual([201, 429, 200, 403, 429]);
});

it('has no limit and no limit headers by default', async () => {
  expect((await readUser()).headers.has('x-ratelimit-limit')).toBe(false);
});
