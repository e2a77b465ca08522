import { describe, expect, it } from 'vitest';

import { parseTarget } from '../../../shared/aws/targets.ts';
import { GROUP, useSimulator, WHO } from './use-simulator.ts';

const { ask, behave, server } = useSimulator();
const add = (accountId: string) =>
  ask('POST', `/rest/api/3/group/user?groupId=${GROUP.guild}`, { as: 'jira', body: { accountId } });

it('gives targets that are good secrets', () => {
  const { cloud, 'data-center': dataCenter } = server().targets;

  expect(parseTarget('cloud', JSON.stringify(cloud))).toMatchObject({ type: 'cloud', siteUrl: server().url });
  expect(parseTarget('data-center', JSON.stringify(dataCenter))).toMatchObject({ baseUrl: `${server().url}/jira` });
});

describe('the state', () => {
  it('comes out as it was put in', async () => {
    await add(WHO.dmitri);
    const { body: before } = await ask('GET', '/_simulator/state');

    const put = await ask('PUT', '/_simulator/state', { body: before });

    expect(put.status).toBe(204);
    expect((await ask('GET', '/_simulator/state')).body).toEqual(before);
  });

  it('is made from a seed, the same every time', async () => {
    const seeded = async () => {
      await ask('PUT', '/_simulator/state', { body: { seed: { users: 1000, groups: 20, dataCenterUsers: 3 } } });
      return (await ask('GET', '/_simulator/state')).body as {
        cloud: { users: { email: string }[]; groups: { members: string[] }[] };
        dataCenter: { users: object[] };
      };
    };

    const state = await seeded();

    expect(state.cloud.users).toHaveLength(1001);
    expect(state.cloud.users[1]?.email).toBe('user00001@example.com');
    expect(state.cloud.groups.map(({ members }) => members.length)).toEqual(Array<number>(20).fill(50));
    expect(state.dataCenter.users).toHaveLength(4); // and the token's owner
    expect(await seeded()).toEqual(state);
  });

  it.each([
    ['an unknown seed', { seed: 'big' }],
    ['a seed without users', { seed: { groups: 3 } }],
    ['half a state', { cloud: {} }],
  ])('refuses %s and says what is wrong', async (_what, body) => {
    const answer = await ask('PUT', '/_simulator/state', { body });

    expect(answer).toMatchObject({ status: 400, body: { problems: expect.arrayContaining([expect.any(String)]) } });
  });
});

describe('the behaviour', () => {
  it('is changed where a patch says so and stays where it does not', async () => {
    await behave({ latencyMs: 5, faults: { notJson: 0.5 } });
    await behave({ faults: { truncated: 0.25 } });

    expect((await ask('PATCH', '/_simulator/behaviour', { body: {} })).body).toMatchObject({
      latencyMs: 5,
      faults: { notJson: 0.5, truncated: 0.25, resetAfter: 0 },
    });
  });

  it.each([
    { latency: 5 },
    { faults: { notJson: 2 } },
    { switches: { reSuspend: 'maybe' } },
    { switches: { nothing: 'x' } },
  ])('refuses %j', async (patch) => {
    expect(await ask('PATCH', '/_simulator/behaviour', { body: patch })).toMatchObject({ status: 400 });
  });

  it('refuses what is no JSON', async () => {
    expect(await ask('PATCH', '/_simulator/behaviour', { raw: '{' })).toMatchObject({ status: 400 });
  });
});

describe('the log of requests', () => {
  const summary = async () => (await ask('GET', '/_simulator/requests?summary=1')).body;

  it('tells which requests changed something, and what', async () => {
    await add(WHO.dmitri);
    await add(WHO.dmitri);
    const thing = `membership/${GROUP.guild}/${WHO.dmitri}`;

    const { body } = await ask('GET', '/_simulator/requests');

    expect(body).toMatchObject({
      last: 2,
      requests: [
        { n: 1, method: 'POST', status: 201, effective: true, things: [thing] },
        { n: 2, status: 400, effective: false, things: [thing] },
      ],
    });
    expect((await ask('GET', '/_simulator/requests?effective=1')).body).toEqual({ things: { [thing]: 1 } });
  });

  it('counts all of them, and names what was changed twice', async () => {
    await add(WHO.dmitri);
    await ask('DELETE', `/rest/api/3/group/user?groupId=${GROUP.guild}&accountId=${WHO.dmitri}`, { as: 'jira' });
    await ask('GET', '/nothing');

    expect(await summary()).toEqual({
      requests: 3,
      reads: 1,
      writes: 2,
      statuses: { 200: 1, 201: 1, 404: 1 },
      methods: { POST: 1, DELETE: 1, GET: 1 },
      endpoints: {
        'POST /rest/api/{version}/group/user': { 201: 1 },
        'DELETE /rest/api/{version}/group/user': { 200: 1 },
        unknown: { 404: 1 },
      },
      faults: {},
      effective: { writes: 2, things: 1, repeated: { [`membership/${GROUP.guild}/${WHO.dmitri}`]: 2 } },
    });
  });

  it('goes on after a number, counts and all', async () => {
    await add(WHO.dmitri);
    await add(WHO.anna);

    const { body } = await ask('GET', '/_simulator/requests?after=1');
    const counted = await ask('GET', '/_simulator/requests?after=1&summary=1');
    const changed = await ask('GET', '/_simulator/requests?after=1&effective=1');

    expect(body).toMatchObject({ last: 2, requests: [{ n: 2 }] });
    expect(counted.body).toMatchObject({ requests: 1, effective: { writes: 1 } });
    expect(changed.body).toEqual({ things: { [`membership/${GROUP.guild}/${WHO.anna}`]: 1 } });
  });
});

it.each([
  ['GET', 'nothing'],
  ['GET', 'behaviour'],
  ['DELETE', 'requests'],
])('knows no control request %s %s', async (method, name) => {
  expect(await ask(method, `/_simulator/${name}`)).toMatchObject({ status: 404 });
});
