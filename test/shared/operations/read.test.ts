import { expect, it } from 'vitest';

import { OPERATIONS } from '../../../shared/operations/index.ts';
import type { Cells, PlannedRow, Recipe } from '../../../shared/operations/operation.ts';
import { fakeCloud } from '../../fakes/atlassian-cloud.ts';
import { fakeDataCenter } from '../../fakes/atlassian-data-center.ts';
import { asSent, plan } from './apply-tasks.ts';

const CLOUD = {
  users: [
    { accountId: 'ann', email: 'Ann@acme.example', groupIds: ['g-dev'], products: ['jira-core', 'confluence'] },
    { accountId: 'bob', email: 'bob@acme.example', accountStatus: 'inactive' },
    { accountId: 'sue', email: 'sue@acme.example', membershipStatus: 'suspended' },
  ],
  groups: [{ groupId: 'g-dev', name: 'developers' }],
};

const DATA_CENTER = {
  users: [
    { username: 'ann', emailAddress: 'Ann@acme.example', groups: ['developers'] },
    { username: 'bob', emailAddress: 'bob@acme.example', active: false },
  ],
  groups: ['developers'],
};

/** A row of each person and one of nobody, in the columns of every operation; each takes what it knows. */
const rowsBy = (id: 'email' | 'username'): readonly Cells[] =>
  ['ann', 'bob', 'sue', 'new'].map((name) => ({
    [id]: id === 'email' ? `${name}@acme.example` : name,
    email: `${name}@acme.example`,
    oldEmail: `${name}@acme.example`,
    newEmail: `${name}.new@acme.example`,
    groupName: 'developers',
    displayName: name,
    products: 'jira-core,jira-software',
  }));

it.each(OPERATIONS.flatMap(({ name, cloud }) => (cloud ? [[name, cloud] as const] : [])))(
  'reads for %s on Cloud by changes alone the states that their plan found',
  async (_, recipe) => {
    const { read, planned } = await readAgain(recipe, rowsBy('email'), fakeCloud(CLOUD).apis);

    expect(planned.length).toBeGreaterThan(0);
    expect(read).toEqual(planned);
  },
);

it.each(OPERATIONS.flatMap(({ name, dataCenter }) => (dataCenter ? [[name, dataCenter] as const] : [])))(
  'reads for %s on Data Center by changes alone the states that their plan found',
  async (_, recipe) => {
    const { read, planned } = await readAgain(recipe, rowsBy('username'), fakeDataCenter(DATA_CENTER).apis);

    expect(planned.length).toBeGreaterThan(0);
    expect(read).toEqual(planned);
  },
);

it('reads nothing of a subject that is not there any more', async () => {
  const [membership] = OPERATIONS.filter(({ name }) => name === 'membership');
  const { apis } = fakeCloud(CLOUD);

  const read = await membership!.cloud!.read(
    [{ subject: { accountId: 'gone', groupId: 'g-dev' }, after: { member: true } }],
    apis,
    NEVER,
  );

  expect(read).toMatchObject([{ kind: 'refused', refusal: { code: 'USER_NOT_FOUND' } }]);
});

/** The states of the rows that would change, as planned and as read by the changes, which came out of a message. */
async function readAgain<Apis>(recipe: Recipe<Apis>, rows: readonly Cells[], apis: Apis) {
  const changes = (await plan(recipe, rows, apis)).filter(isChange);
  const read = await recipe.read(asSent(changes), apis, NEVER);
  return { read, planned: changes.map(({ before }) => ({ kind: 'found', value: before })) };
}

const isChange = (planned: PlannedRow): planned is Extract<PlannedRow, { readonly kind: 'change' }> =>
  planned.kind === 'change';

const NEVER = new AbortController().signal;
