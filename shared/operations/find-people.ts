import type {
  Cloud,
  DataCenter,
  Jira,
  JiraUser,
  Organisation,
  OrganisationUser,
  UserListing,
} from '../atlassian/apis.ts';
import { quoted, userKey, type UsernameReference, type UserReference } from './columns.ts';
import { sameEmail } from '../folding.ts';
import { type Directory, directoryOf, doubtId, readDirectory, resolveUser } from './directory.ts';
import { type Finding, found, lookUpEach, refused, type Stopped } from './finding.ts';

type People = (reference: UserReference) => Finding<OrganisationUser>;

type Need = Readonly<{ groups: boolean }>;

/**
 * Who the references of a batch are: through the organisation, in a call for a hundred addresses or ten ids; where there are no
 * keys for it through Jira, ids in a call for two hundred, addresses by the list of all users or one by one. With the groups that
 * the organisation lists of them, when `groups`.
 */
export const findPeople = (
  references: readonly UserReference[],
  apis: Cloud,
  need: Need,
  signal: AbortSignal,
): Promise<People> =>
  apis.organisation
    ? findInOrganisation(references, apis.organisation, need, signal)
    : findInJira(references, apis, need, signal);

async function findInOrganisation(
  references: readonly UserReference[],
  organisation: Organisation,
  { groups }: Need,
  signal: AbortSignal,
): Promise<People> {
  const accountIds = references.flatMap(({ accountId }) => accountId ?? []);
  const emails = references.flatMap(({ accountId, email }) => (accountId === undefined ? email : []));
  const directory = await readDirectory({ accountIds, emails, groups }, organisation, signal);
  const holders = await holdersOfHidden(references, directory, organisation, signal);
  return (reference) =>
    resolveUser(reference, reference.accountId === undefined ? directory : { ...directory, holders });
}

// An account whose address is hidden cannot be compared with the row's, but the row's address may show itself to be another's.
async function holdersOfHidden(
  references: readonly UserReference[],
  directory: Directory,
  organisation: Organisation,
  signal: AbortSignal,
): Promise<Directory['holders']> {
  const emails = references.flatMap(({ accountId, email }) => {
    const person = accountId === undefined ? undefined : directory.byId(accountId);
    return person && person.email === undefined && email !== undefined ? email : [];
  });
  return (await readDirectory({ emails }, organisation, signal)).holders;
}

async function findInJira(
  references: readonly UserReference[],
  { jira, listings }: Cloud,
  { groups }: Need,
  signal: AbortSignal,
): Promise<People> {
  const isAddress = ({ accountId }: UserReference): boolean => accountId === undefined;
  const [listing, accounts] = await Promise.all([
    references.some(isAddress) ? listings?.findUsers(signal) : undefined,
    findAccounts(references, jira, signal),
  ]);
  return lookUpEach(
    references,
    spelling,
    async (reference, until) => {
      const { accountId, email } = reference;
      if (accountId === undefined) return findAddress(reference.email, { jira, listing }, until);
      // The groups of an account that is not there are not there either: a single id needs no call of its own.
      if (!accounts && groups && email === undefined) return found({ accountId });
      const user = accounts ? accounts.get(accountId) : await jira.findUser(accountId, until);
      return user ? checkAddress(user, email, jira, until) : noSuchAccount(accountId, email);
    },
    signal,
  );
}

/** Several accounts in few calls; `undefined` for a single one, which Jira tells more about when it is asked alone. */
async function findAccounts(
  references: readonly UserReference[],
  jira: Jira,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, JiraUser> | undefined> {
  const accountIds = [...new Set(references.flatMap(({ accountId }) => accountId ?? []))];
  if (accountIds.length < 2) return undefined;
  return new Map((await jira.findUsersById(accountIds, signal)).map((user) => [user.accountId, user]));
}

async function checkAddress(
  user: JiraUser,
  email: string | undefined,
  jira: Jira,
  signal: AbortSignal,
): Promise<Finding<OrganisationUser>> {
  const isHidden = email !== undefined && user.emailAddress === undefined;
  const holders = isHidden ? visibleHolders(email, await jira.findUsers(email, signal)) : [];
  return resolveUser({ accountId: user.accountId, email }, directoryOf(personOf(user), holders));
}

interface AddressBook {
  readonly jira: Jira;
  readonly listing: UserListing<JiraUser> | undefined;
}

// Jira's query matches beginnings, and display names too: only an address that it shows proves who somebody is. A single hit
// whose address is hidden may be somebody else, and a change to the wrong person is worse than a row to be fixed by hand.
async function findAddress(
  email: string,
  { jira, listing }: AddressBook,
  signal: AbortSignal,
): Promise<Finding<OrganisationUser>> {
  const listed = listing?.withEmail(email).filter(({ active }) => active) ?? [];
  const isAnswered = listed.length > 0 || listing?.hidden === 0;
  const hits = isAnswered ? listed : await jira.findUsers(email, signal);
  const [person, another] = visibleHolders(email, hits);
  if (another) return refused('USER_AMBIGUOUS', `More than one account has the address ${quoted(email)}.`);
  if (person) return found(person);
  if (hits.some(({ emailAddress }) => emailAddress === undefined)) {
    return refused(
      'USER_AMBIGUOUS',
      `Jira finds somebody for ${quoted(email)} and hides their address; ` +
        "put the account id in the row, or give the target's secret orgId and orgApiKey.",
    );
  }
  return refused(
    'USER_NOT_FOUND',
    `Jira finds nobody active with the address ${quoted(email)}; ` +
      "people who are suspended are found by account id, or when the target's secret has orgId and orgApiKey.",
  );
}

function visibleHolders(email: string, hits: readonly JiraUser[]): readonly OrganisationUser[] {
  const visible = hits.filter(({ emailAddress }) => emailAddress !== undefined && sameEmail(emailAddress, email));
  return [...new Map(visible.map((hit) => [hit.accountId, personOf(hit)])).values()];
}

const personOf = ({ accountId, emailAddress, active }: JiraUser): OrganisationUser => ({
  accountId,
  email: emailAddress,
  active,
});

const noSuchAccount = (accountId: string, email: string | undefined): Finding<OrganisationUser> =>
  refused('USER_NOT_FOUND', `Jira has no account ${quoted(accountId)}.${doubtId(email)}`);

// Two rows with one id and different addresses are two questions.
const spelling = (reference: UserReference): string => JSON.stringify([userKey(reference), reference.email]);

/** The users of a Data Center batch, without their groups: by the list of all of them, or each distinct username by a call. */
export async function findUsers(users: readonly UsernameReference[], apis: DataCenter, signal: AbortSignal) {
  const listing = await apis.listings?.findUsers(signal);
  return lookUpEach(
    users,
    ({ username }) => username.toLowerCase(),
    async (reference, until) => {
      const { username } = reference;
      const user = listing?.find(username) ?? (listing?.isWhole ? undefined : await apis.findUser(username, until));
      return user ? found(user) : noSuchUser(reference);
    },
    signal,
  );
}

export const noSuchUser = ({ username }: UsernameReference): Stopped =>
  refused('USER_NOT_FOUND', `Jira has nobody with the username ${quoted(username)}.`);
