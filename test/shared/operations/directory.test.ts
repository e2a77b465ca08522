import { expect, it } from 'vitest';

import type { Organisation, OrganisationUser } from '../../../shared/atlassian/apis.ts';
import { readDirectory } from '../../../shared/operations/directory.ts';

const ANN = { accountId: 'ann', email: 'ann@acme.example', claimStatus: 'managed' };

it.each(['accountIds', 'emails'] as const)(
  'takes a person in two directories for one, in the groups of both, and knows nothing of what they do not agree on (by %s)',
  async (by) => {
    const { byId, holders } = await directoryOf(by, [
      { ...ANN, membershipStatus: 'active', groupIds: ['g-1', 'g-2'] },
      { ...ANN, membershipStatus: 'suspended', groupIds: ['g-2', 'g-3'] },
    ]);

    const person = by === 'emails' ? holders(ANN.email)[0] : byId('ann');
    expect(person).toEqual({
      ...ANN,
      accountStatus: undefined,
      membershipStatus: undefined,
      managementSource: undefined,
      groupIds: ['g-1', 'g-2', 'g-3'],
    });
    if (by === 'emails') expect(holders(ANN.email)).toHaveLength(1);
  },
);

it('knows the groups of nobody of whom one directory does not give them', async () => {
  const { byId } = await directoryOf('accountIds', [{ ...ANN, groupIds: ['g-1'] }, ANN]);

  expect(byId('ann')?.groupIds).toBeUndefined();
});

function directoryOf(by: 'accountIds' | 'emails', users: readonly OrganisationUser[]) {
  const organisation = {
    findUsersById: async () => users,
    findUsersByEmail: async () => users,
  } as unknown as Organisation; // all that is asked
  const question = by === 'emails' ? { emails: [ANN.email] } : { accountIds: ['ann'] };
  return readDirectory({ ...question, groups: true }, organisation, new AbortController().signal);
}
