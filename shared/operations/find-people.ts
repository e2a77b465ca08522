import type { Cloud, Jira, JiraUser, Organisation, OrganisationUser } from '../atlassian/apis.ts';
import { type Directory, emailMismatch, readDirectory, resolveUser } from './directory.ts';
import { type Finding, found, lookEach, refused } from './finding.ts';
import { quoted, sameEmail } from './read-row.ts';
import { type UserReference, userThing } from './references.ts';

type People = (reference: UserReference) => Finding<OrganisationUser>;

interface Need {
  readonly groups: boolean;
}

/** Who the references of a batch are: through the organisation in a call or two, or one by one through Jira where there are no keys for it. */
export async function findPeople(
  references: readonly UserReference[],
  { organisation, jira }: Cloud,
  need: Need,
  signal: AbortSignal,
): Promise<People> {
  if (!organisation) {
    const lookUp = (reference: UserReference, until: AbortSignal) => findInJira(reference, jira, need, until);
    return lookEach(references, spelling, lookUp, signal);
  }
  const people = await findInOrganisation(references, organisation, need, signal);
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
  return (await readDirectory({ emails, groups: false }, organisation, signal)).holders;
}

/** Asks Jira for the groups of those whose groups the organisation did not give. */
async function withGroups(
  references: readonly UserReference[],
  people: People,
  jira: Jira,
  signal: AbortSignal,
): Promise<People> {
  const bare = references.flatMap((reference) => {
    const person = people(reference);
    return person.kind === 'found' && person.value.groupIds === undefined ? person.value : [];
  });
  const completed = await lookEach(
    bare,
    ({ accountId }) => accountId,
    (person, until) => addGroups(person, jira, until),
    signal,
  );
  return (reference) => {
    const person = people(reference);
    return person.kind === 'found' && person.value.groupIds === undefined ? completed(person.value) : person;
  };
}

async function findInJira(
  reference: UserReference,
  jira: Jira,
  { groups }: Need,
  signal: AbortSignal,
): Promise<Finding<OrganisationUser>> {
  // The groups of an account that is not there are not there either: an id alone needs no call of its own.
  if (reference.accountId !== undefined && reference.email === undefined && groups) {
    return addGroups({ accountId: reference.accountId }, jira, signal);
  }
  const person =
    reference.accountId === undefined
      ? await findAddress(reference.email, jira, signal)
      : await findAccount(reference.accountId, reference.email, jira, signal);
  return groups && person.kind === 'found' ? addGroups(person.value, jira, signal) : person;
}

async function addGroups(
  person: OrganisationUser,
  jira: Jira,
  signal: AbortSignal,
): Promise<Finding<OrganisationUser>> {
  const groups = await jira.findGroupsOfUser(person.accountId, signal);
  if (!groups) return noSuchAccount(person.accountId);
  return found({ ...person, groupIds: groups.map(({ groupId }) => groupId) });
}

async function findAccount(
  accountId: string,
  email: string | undefined,
  jira: Jira,
  signal: AbortSignal,
): Promise<Finding<OrganisationUser>> {
  const user = await jira.findUser(accountId, signal);
  if (!user) return noSuchAccount(accountId);
  if (email === undefined) return found(personOf(user));
  if (user.emailAddress !== undefined) {
    return sameEmail(user.emailAddress, email) ? found(personOf(user)) : emailMismatch(accountId, email);
  }
  const holders = visibleHolders(email, await jira.findUsers(email, signal));
  const isAnothers = holders.some((holder) => holder.accountId !== accountId);
  return isAnothers ? emailMismatch(accountId, email) : found(personOf(user));
}

// Jira's query matches beginnings, and display names too: only an address that it shows proves who somebody is. A single hit
// whose address is hidden may be somebody else, and a change to the wrong person is worse than a row to be mended by hand.
async function findAddress(email: string, jira: Jira, signal: AbortSignal): Promise<Finding<OrganisationUser>> {
  const hits = await jira.findUsers(email, signal);
  const [person, another] = visibleHolders(email, hits);
  if (another) return refused('USER_AMBIGUOUS', `More than one account has the address ${quoted(email)}.`);
  if (person) return found(personOf(person));
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

const visibleHolders = (email: string, hits: readonly JiraUser[]): readonly JiraUser[] => [
  ...new Map(
    hits
      .filter(({ emailAddress }) => emailAddress !== undefined && sameEmail(emailAddress, email))
      .map((hit) => [hit.accountId, hit]),
  ).values(),
];

const personOf = ({ accountId, emailAddress }: JiraUser): OrganisationUser => ({ accountId, email: emailAddress });

const noSuchAccount = (accountId: string): Finding<OrganisationUser> =>
  refused('USER_NOT_FOUND', `Jira has no account ${quoted(accountId)}.`);

// Two rows with one id and different addresses are two questions.
const spelling = (reference: UserReference): string => JSON.stringify([userThing(reference), reference.email]);
