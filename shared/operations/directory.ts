import type { Organisation, OrganisationUser } from '../atlassian/apis.ts';
import { type Finding, found, refused } from './finding.ts';
import { quoted, sameEmail } from './read-row.ts';
import type { UserReference } from './references.ts';

/** What the organisation answered about the people of a batch. */
export interface Directory {
  readonly byId: (accountId: string) => OrganisationUser | undefined;
  /** Everybody who has this address. */
  readonly holders: (email: string) => readonly OrganisationUser[];
}

interface Question {
  readonly accountIds?: readonly string[] | undefined;
  readonly emails?: readonly string[] | undefined;
  readonly groups: boolean;
}

/** Asks the organisation about all ids and all addresses at once: one users/search for each kind that is asked for. */
export async function readDirectory(
  { accountIds = [], emails = [], groups }: Question,
  organisation: Organisation,
  signal: AbortSignal,
): Promise<Directory> {
  const ids = [...new Set(accountIds)];
  const addresses = [...new Set(emails.map((email) => email.toLowerCase()))];
  const [named, addressed] = await Promise.all([
    ids.length > 0 ? organisation.findUsersById(ids, { groups }, signal) : [],
    addresses.length > 0 ? organisation.findUsersByEmail(addresses, { groups }, signal) : [],
  ]);
  const byId = byAccount(named);
  const byEmail = Map.groupBy(byAccount(addressed).values(), ({ email }) => email?.toLowerCase());
  return { byId: (id) => byId.get(id), holders: (email) => byEmail.get(email.toLowerCase()) ?? [] };
}

/** A person in two directories of the organisation is one person; of what the directories do not agree on nothing is known. */
function byAccount(users: readonly OrganisationUser[]): ReadonlyMap<string, OrganisationUser> {
  const accounts = new Map<string, OrganisationUser>();
  for (const user of users) {
    const other = accounts.get(user.accountId);
    accounts.set(user.accountId, other ? inBoth(other, user) : user);
  }
  return accounts;
}

function inBoth(one: OrganisationUser, other: OrganisationUser): OrganisationUser {
  const agreed = <Value>(name: (user: OrganisationUser) => Value): Value | undefined =>
    name(one) === name(other) ? name(one) : undefined;
  return {
    accountId: one.accountId,
    email: one.email ?? other.email,
    accountStatus: agreed(({ accountStatus }) => accountStatus),
    membershipStatus: agreed(({ membershipStatus }) => membershipStatus),
    claimStatus: agreed(({ claimStatus }) => claimStatus),
    managementSource: agreed(({ managementSource }) => managementSource),
    groupIds: one.groupIds && other.groupIds && [...new Set([...one.groupIds, ...other.groupIds])],
  };
}

/** The one person whom a reference means. */
export function resolveUser(reference: UserReference, directory: Directory): Finding<OrganisationUser> {
  return reference.accountId === undefined
    ? resolveEmail(reference.email, directory)
    : resolveAccount(reference.accountId, reference.email, directory);
}

function resolveEmail(email: string, directory: Directory): Finding<OrganisationUser> {
  const [person, another] = directory.holders(email);
  if (!person) return refused('USER_NOT_FOUND', `Nobody in the organisation has the address ${quoted(email)}.`);
  if (another) return refused('USER_AMBIGUOUS', `More than one account has the address ${quoted(email)}.`);
  return found(person);
}

function resolveAccount(accountId: string, email: string | undefined, directory: Directory): Finding<OrganisationUser> {
  const person = directory.byId(accountId);
  if (!person) return refused('USER_NOT_FOUND', `The organisation has no account ${quoted(accountId)}.`);
  const isAnothers =
    email !== undefined &&
    (person.email === undefined
      ? directory.holders(email).some((holder) => holder.accountId !== accountId)
      : !sameEmail(person.email, email));
  return isAnothers ? emailMismatch(accountId, email) : found(person);
}

/** The account is there, with another address than the row says. */
export const emailMismatch = (accountId: string, email: string) =>
  refused(
    'EMAIL_MISMATCH',
    `The address ${quoted(email)} is not that of account ${quoted(accountId)}; nothing was written.`,
  );
