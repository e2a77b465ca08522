import type { Cloud, DataCenter, Jira, JiraUser, Organisation, OrganisationUser } from '../atlassian/apis.ts';
import { quoted, sameEmail, userKey, type UsernameReference, type UserReference } from './columns.ts';
import { type Directory, directoryOf, readDirectory, resolveUser } from './directory.ts';
import { type Finding, found, lookUpEach, refused } from './finding.ts';

type People = (reference: UserReference) => Finding<OrganisationUser>;

type Need = Readonly<{ groups: boolean }>;

/**
 * Who the references of a batch are: through the organisation in a call or two, or one by one through Jira where there are no
 * keys for it. Groups that the organisation does not give are Jira's to tell, one person a call.
 */
export async function findPeople(
  references: readonly UserReference[],
  { organisation, jira }: Cloud,
  need: Need,
  signal: AbortSignal,
): Promise<People> {
  const people = organisation
    ? await findInOrganisation(references, organisation, need, signal)
    : await lookUpEach(references, spelling, (reference, until) => findInJira(reference, jira, need, until), signal);
  return need.groups ? withGroups(references, people, jira, signal) : people;
}

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

async function withGroups(
  references: readonly UserReference[],
  people: People,
  jira: Jira,
  signal: AbortSignal,
): Promise<People> {
  const bare = references.map(people).flatMap((person) => (isBare(person) ? [person.value] : []));
  const completed = await lookUpEach(
    bare,
    ({ accountId }) => accountId,
    async (person, until) => {
      const groups = await jira.findGroupsOfUser(person.accountId, until);
      if (!groups) return noSuchAccount(person.accountId);
      return found({ ...person, groupIds: groups.map(({ groupId }) => groupId) });
    },
    signal,
  );
  return (reference) => {
    const person = people(reference);
    return isBare(person) ? completed(person.value) : person;
  };
}

const isBare = (person: Finding<OrganisationUser>): person is Extract<typeof person, { readonly kind: 'found' }> =>
  person.kind === 'found' && person.value.groupIds === undefined;

async function findInJira(
  reference: UserReference,
  jira: Jira,
  { groups }: Need,
  signal: AbortSignal,
): Promise<Finding<OrganisationUser>> {
  const { accountId, email } = reference;
  if (accountId === undefined) return findAddress(reference.email, jira, signal);
  // The groups of an account that is not there are not there either: an id alone needs no call of its own.
  return groups && email === undefined ? found({ accountId }) : findAccount(accountId, email, jira, signal);
}

async function findAccount(
  accountId: string,
  email: string | undefined,
  jira: Jira,
  signal: AbortSignal,
): Promise<Finding<OrganisationUser>> {
  const user = await jira.findUser(accountId, signal);
  if (!user) return noSuchAccount(accountId);
  const isHidden = email !== undefined && user.emailAddress === undefined;
  const holders = isHidden ? visibleHolders(email, await jira.findUsers(email, signal)) : [];
  return resolveUser({ accountId, email }, directoryOf(personOf(user), holders));
}

// Jira's query matches beginnings, and display names too: only an address that it shows proves who somebody is. A single hit
// whose address is hidden may be somebody else, and a change to the wrong person is worse than a row to be fixed by hand.
async function findAddress(email: string, jira: Jira, signal: AbortSignal): Promise<Finding<OrganisationUser>> {
  const hits = await jira.findUsers(email, signal);
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

const personOf = ({ accountId, emailAddress }: JiraUser): OrganisationUser => ({ accountId, email: emailAddress });

const noSuchAccount = (accountId: string): Finding<OrganisationUser> =>
  refused('USER_NOT_FOUND', `Jira has no account ${quoted(accountId)}.`);

// Two rows with one id and different addresses are two questions.
const spelling = (reference: UserReference): string => JSON.stringify([userKey(reference), reference.email]);

/** The people of a Data Center batch, each distinct username by a call: its API has no bulk look-up. */
export const findUsers = (users: readonly UsernameReference[], apis: DataCenter, signal: AbortSignal) =>
  lookUpEach(
    users,
    ({ username }) => username.toLowerCase(),
    async ({ username }, until) => {
      const user = await apis.findUser(username, until);
      return user ? found(user) : refused('USER_NOT_FOUND', `Jira has nobody with the username ${quoted(username)}.`);
    },
    signal,
  );
