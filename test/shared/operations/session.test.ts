import { describe, expect, it } from 'vitest';

import type { Cloud } from '../../../shared/atlassian/apis.ts';
import { Refusal } from '../../../shared/atlassian/errors.ts';
import { openSession } from '../../../shared/operations/session.ts';
import { suspend } from '../../../shared/operations/suspend.ts';
import type { Target } from '../../../shared/target.ts';
import { fakeCloud, type FakeCloudOptions } from '../../fakes/atlassian-cloud.ts';
import { memoryObjectStore } from '../../fakes/memory-object-store.ts';

const { signal } = new AbortController();

const SITE = {
  target: { email: 'ann@acme.example' },
  users: [
    { accountId: 'ann', email: 'ann@acme.example', groupIds: ['g-dev'] },
    { accountId: 'bob', email: 'bob@acme.example' },
    { accountId: 'sue', email: 'sue@acme.example', membershipStatus: 'suspended' },
  ],
  groups: [{ groupId: 'g-dev', name: 'developers' }],
} satisfies FakeCloudOptions;

/** A session with the site, whose secret had another token until it was read again, when `replaced`. */
async function open({ replaced = false, ...options }: FakeCloudOptions & { readonly replaced?: boolean } = {}) {
  const { apis } = fakeCloud({ ...SITE, ...options });
  const old: Cloud = fakeCloud({
    ...SITE,
    intercept: async () => {
      throw new Refusal('UNAUTHORIZED', 'the token has ended');
    },
  }).apis;
  const former: Target = { ...apis.target, apiToken: 'former' };
  return openSession(
    {
      targets: {
        secretNameOf: (name) => `rollcall/${name}`,
        find: async (_name, { fresh = false } = {}) => (replaced && !fresh ? former : apis.target),
      },
      atlassian: {
        open: (target) => ({
          type: 'cloud',
          apis: target === former ? old : apis,
          countCalls: () => ({ sent: 1, rateLimited: 0 }),
        }),
      },
    },
    { targetName: 'acme', operation: suspend },
  );
}

describe.each([[false], [true]])('a session whose secret was replaced meanwhile: %s', (replaced) => {
  it('plans, and refuses what would change somebody who is protected', async () => {
    const session = await open({ replaced });

    expect(await session.plan([{ accountId: 'bob' }, { accountId: 'ann' }], signal)).toMatchObject([
      { kind: 'change' },
      { kind: 'refused', refusal: { code: 'PROTECTED' } },
    ]);
  });

  it('plans changes whose subjects are known, and refuses those of somebody who is protected', async () => {
    const session = await open({ replaced });
    const changes = ['bob', 'ann'].map((accountId) => ({
      subject: { accountId },
      before: { access: 'active' },
      after: { access: 'suspended' },
    }));

    expect(await session.planChanges(changes, signal)).toMatchObject([
      { kind: 'change' },
      { kind: 'refused', refusal: { code: 'PROTECTED' } },
    ]);
  });

  it('reads states', async () => {
    const session = await open({ replaced });
    const changes = ['ann', 'sue'].map((accountId) => ({ subject: { accountId }, after: { access: 'suspended' } }));

    expect(await session.read(changes, signal)).toMatchObject([
      { kind: 'found', value: { access: 'active' } },
      { kind: 'found', value: { access: 'suspended' } },
    ]);
  });

  it('tells what is protected, and how many people there are', async () => {
    const session = await open({ replaced });

    const protection = await session.protection(signal);

    expect(protection.refusalOf('takes', { subject: { accountId: 'ann' } })).toMatchObject({ code: 'PROTECTED' });
    expect(await session.countActivePeople(signal)).toBe(2);
    expect(await session.countMembers('g-dev', signal)).toBe(1);
    expect(await session.countMembers('none', signal)).toBeUndefined();
  });
});

describe('how many people are active without organisation keys', () => {
  it('is told by the list of users that the job reads', async () => {
    const listings = { store: memoryObjectStore(), rows: 100, prefix: 'plan/job/1/lists/' };
    const session = await open({ organisation: false, listings });

    expect(await session.countActivePeople(signal)).toBe(2);
  });

  it('is not known where none is read', async () => {
    const session = await open({ organisation: false });

    expect(await session.countActivePeople(signal)).toBeUndefined();
  });
});
