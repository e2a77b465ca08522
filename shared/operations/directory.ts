import type { Cloud, Organisation, OrganisationUser, UserManagement } from '../atlassian/apis.ts';
import { Refusal, TargetUnusable } from '../atlassian/errors.ts';
import type { Target } from '../target.ts';
import { quoted, type UserReference } from './columns.ts';
import { foldCase, sameEmail } from '../folding.ts';
import { type Finding, found, lookUpEach, refused, refusedBy } from './finding.ts';

/** What the organisation answered about the people of a batch. */
export interface Directory {
  readonly byId: (accountId: string) => OrganisationUser | undefined;
  /** Everybody who has this address. */
  readonly holders: (email: string) => readonly OrganisationUser[];
}

interface Question {
  readonly accountIds?: readonly string[] | undefined;
  readonly emails?: readonly string[] | undefined;
  readonly groups?: boolean;
}

/** Asks the organisation about all ids and all addresses at once: one users/search for each kind that is asked for. */
export async function readDirectory(
  { accountIds = [], emails = [], groups = false }: Question,
  organisation: Organisation,
  signal: AbortSignal,
): Promise<Directory> {
  const ids = [...new Set(accountIds)];
  const addresses = [...new Set(emails.map(foldCase))];
  const [named, addressed] = await Promise.all([
    ids.length > 0 ? organisation.findUsersById(ids, { groups }, signal) : [],
    addresses.length > 0 ? organisation.findUsersByEmail(addresses, { groups }, signal) : [],
  ]);
  const byId = byAccount(named);
  const byEmail = Map.groupBy(byAccount(addressed).values(), ({ email }) => email && foldCase(email));
  return { byId: (id) => byId.get(id), holders: (email) => byEmail.get(foldCase(email)) ?? [] };
}

/** A directory of one account, and of those who are known to have the address that a row gives for it. */
export const directoryOf = (user: OrganisationUser, holders: readonly OrganisationUser[] = []): Directory => ({
  byId: () => user,
  holders: () => holders,
});

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
  if (!person)
    return refused('USER_NOT_FOUND', `The organisation has no account ${quoted(accountId)}.${doubtId(email)}`);
  const isAnothers =
    email !== undefined &&
    (person.email === undefined
      ? directory.holders(email).some((holder) => holder.accountId !== accountId)
      : !sameEmail(person.email, email));
  return isAnothers ? refusedBy(emailMismatch(accountId, email)) : found(person);
}

/** What to add where a row's id is nobody's and its address may well be somebody's: other systems number their users, too. */
export const doubtId = (email: string | undefined): string =>
  email === undefined
    ? ''
    : ` If the ids are those of another system, such as an HR system's "User ID", give their column another name: then the address ${quoted(email)} says who is meant.`;

/** The account is there, with another address than the row says. */
export const emailMismatch = (accountId: string, email: string): Refusal =>
  new Refusal(
    'EMAIL_MISMATCH',
    `The address ${quoted(email)} is not that of account ${quoted(accountId)}; nothing was written.`,
  );

/** Accounts that the directory does not list, or not whole, by id: user management knows every managed one, each by a call. */
export const findManaged = (
  accountIds: readonly string[],
  userManagement: UserManagement,
  signal: AbortSignal,
): Promise<(accountId: string) => Finding<OrganisationUser>> =>
  lookUpEach(
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

/** The organisation's APIs; throws TargetUnusable when the target has no keys for them. */
export function organisationOf({ target, organisation, userManagement }: Cloud): {
  readonly organisation: Organisation;
  readonly userManagement: UserManagement;
} {
  if (organisation && userManagement) return { organisation, userManagement };
  throw new TargetUnusable(KEYS_MISSING, `${remedy(target)}, then resume the job.`);
}

/** The Refusal of a row that needs them, in a job whose other rows do not. */
export const keysMissing = (target: Target): Refusal =>
  new Refusal(KEYS_MISSING, `${remedy(target)}, then drop failed.csv in again. Nothing was sent to Atlassian.`);

// Since its remedy is the right one: the credentials that the target has are not enough for this change.
const KEYS_MISSING = 'FORBIDDEN';

const remedy = ({ name, secretName }: Target): string =>
  `The target ${name} has no organisation keys, which this change needs: ` +
  `add orgId and orgApiKey to its secret ${secretName}`;
