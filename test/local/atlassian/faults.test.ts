import { describe, expect, it } from 'vitest';

import { createDice } from '../../../local/atlassian/server/faults.ts';
import { defaultBehaviour } from '../../../local/atlassian/server/behaviour.ts';
import { GROUP, useSimulator, WHO } from './use-simulator.ts';

const { ask, behave } = useSimulator();
const add = () =>
  ask('POST', `/rest/api/3/group/user?groupId=${GROUP.guild}`, { as: 'jira', body: { accountId: WHO.dmitri } });

const isMember = async (): Promise<boolean> => {
  await behave(defaultBehaviour());
  const { body } = await ask('GET', `/rest/api/3/user/groups?accountId=${WHO.dmitri}`, { as: 'jira' });
  return (body as { groupId: string }[]).some(({ groupId }) => groupId === GROUP.guild);
};

const listGroups = async () =>
  (await ask('GET', '/rest/api/3/group/bulk', { as: 'jira' })).body as { values: readonly unknown[]; isLast: boolean };

describe('a fault', () => {
  it.each([
    ['rateLimited', 429, false],
    ['serverError', 503, false],
    ['serverErrorAfter', 503, true],
    ['notJson', 201, true],
  ])('%s answers %i and has applied the request: %s', async (fault, status, applied) => {
    await behave({ faults: { [fault]: 1, serverErrorStatuses: [503] } });

    const answer = await add();

    expect(answer.status).toBe(status);
    if (fault !== 'rateLimited') expect(typeof answer.body).toBe('string');
    expect(await isMember()).toBe(applied);
  });

  it.each([
    ['resetBefore', false],
    ['resetAfter', true],
    ['hangBefore', false],
    ['hangAfter', true],
    ['truncated', true],
  ])('%s breaks the connection and has applied the request: %s', async (fault, applied) => {
    await behave({ faults: { [fault]: 1, hangMs: 10 } });

    await expect(add()).rejects.toThrow(/fetch failed|terminated/);

    expect(await isMember()).toBe(applied);
  });

  it.each(['trickled', 'compressed', 'repeated', 'endless'])(
    '%s makes the answer odd and keeps it an answer',
    async (fault) => {
      await add();
      const sound = await listGroups();
      await behave({ faults: { on: 'reads', [fault]: 1 } });

      const odd = await listGroups();

      const { values } = sound;
      expect(odd.values).toEqual(fault === 'repeated' ? [...values, ...values] : values);
      expect(odd.isLast).toBe(fault !== 'endless');
    },
  );

  it.each([
    [7, '7'],
    [null, null],
  ])('429 has Retry-After %s', async (retryAfterSeconds, header) => {
    await behave({ faults: { rateLimited: 1, retryAfterSeconds } });

    expect((await add()).headers.get('retry-after')).toBe(header);
  });

  it.each([
    ['writes', 429, 200],
    ['reads', 201, 429],
  ])('can be confined to %s', async (on, write, read) => {
    await behave({ faults: { on, rateLimited: 1 } });

    const statuses = [await add(), await ask('GET', '/rest/api/3/group/bulk', { as: 'jira' })];

    expect(statuses.map(({ status }) => status)).toEqual([write, read]);
  });

  it('is logged with what it was', async () => {
    await behave({ faults: { resetAfter: 1 } });
    await add().catch(() => undefined);

    const { body } = await ask('GET', '/_simulator/requests');

    expect(body).toMatchObject({ requests: [{ status: 0, fault: 'resetAfter', effective: true }] });
  });
});

it('throws the same faults for the same seed, in the shares that were asked for', () => {
  const faults = { ...defaultBehaviour().faults, rateLimited: 0.1, serverError: 0.2 };
  const thrown = (seed: number) => {
    const thrower = createDice(seed);
    return Array.from({ length: 10_000 }, () => thrower.throwFor(faults, true)?.kind);
  };
  const share = (kind: string) => thrown(7).filter((one) => one === kind).length / 10_000;

  expect(thrown(7)).toEqual(thrown(7));
  expect(thrown(7)).not.toEqual(thrown(8));
  expect(share('rateLimited')).toBeCloseTo(0.1, 1);
  expect(share('serverError')).toBeCloseTo(0.2, 1);
});

describe('a refused write', () => {
  it.each([
    ['an account id', { account: WHO.dmitri }],
    ['an address', { account: 'dmitri.volkov@example.com' }],
    ['a group id', { group: GROUP.guild }],
    ['a group name', { group: 'C++ Guild', method: 'POST', path: '/group/user' }],
  ])('is chosen by %s', async (_what, rule) => {
    await behave({ refusedWrites: [{ ...rule, status: 403, body: { errorMessages: ['no'] } }] });

    expect(await add()).toMatchObject({ status: 403, body: { errorMessages: ['no'] } });
    expect(await isMember()).toBe(false);
  });

  it.each([
    ['another account', { account: WHO.anna }],
    ['another group', { group: GROUP.engineering }],
    ['another method', { account: WHO.dmitri, method: 'DELETE' }],
  ])('leaves %s alone', async (_what, rule) => {
    await behave({ refusedWrites: [{ ...rule, status: 403 }] });

    expect(await add()).toMatchObject({ status: 201 });
  });

  it('is over after so many times', async () => {
    await behave({ refusedWrites: [{ account: WHO.dmitri, status: 500, body: 'broken', times: 1 }] });

    expect(await add()).toMatchObject({ status: 500, body: 'broken' });
    expect(await add()).toMatchObject({ status: 201 });
  });
});
