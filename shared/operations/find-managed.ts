import type { Cloud, OrganisationUser, UserManagement } from '../atlassian/apis.ts';
import { emailMismatch } from './directory.ts';
import { findPeople } from './find-people.ts';
import { type Finding, found, lookEach, refused } from './finding.ts';
import { organisationOf } from './organisation-keys.ts';
import { quoted, sameEmail } from './read-row.ts';
import type { UserReference } from './references.ts';

/** Accounts that the directory does not list, or not whole, by id: user management knows every managed one, each by a call. */
export const findManaged = (
  accountIds: readonly string[],
  userManagement: UserManagement,
  signal: AbortSignal,
): Promise<(accountId: string) => Finding<OrganisationUser>> =>
  lookEach(
    accountIds,
    (accountId) => accountId,
    async (accountId, until) => {
      const profile = await userManagement.findProfile(accountId, until);
      return profile
        ? found({ accountId, ...profile })
        : refused('USER_NOT_FOUND', `The organisation has no account ${quoted(accountId)}.`);
    },
    signal,
  );

/** The accounts of a batch: as the directory lists them, and by user management where it lists none of this id. */
export async function findAccounts(
  references: readonly UserReference[],
  apis: Cloud,
  signal: AbortSignal,
): Promise<(reference: UserReference) => Finding<OrganisationUser>> {
  const personOf = await findPeople(references, apis, { groups: false }, signal);
  const isUnlisted = (reference: UserReference): boolean => {
    const person = personOf(reference);
    return person.kind === 'refused' && person.refusal.code === 'USER_NOT_FOUND';
  };
  const unlisted = references.flatMap((reference) => (isUnlisted(reference) ? (reference.accountId ?? []) : []));
  const accountOf = await findManaged(unlisted, organisationOf(apis).userManagement, signal);
  return (reference) =>
    reference.accountId !== undefined && isUnlisted(reference)
      ? withAddress(accountOf(reference.accountId), reference.email)
      : personOf(reference);
}

function withAddress(account: Finding<OrganisationUser>, email: string | undefined): Finding<OrganisationUser> {
  if (account.kind !== 'found' || email === undefined || account.value.email === undefined) return account;
  return sameEmail(account.value.email, email) ? account : emailMismatch(account.value.accountId, email);
}
