import type { Cloud, DataCenter, DataCenterUser, OrganisationUser, UserManagement } from '../atlassian/apis.ts';
import { ACCOUNT_ID, EMAIL, NEW_EMAIL, OLD_EMAIL, USERNAME } from './columns.ts';
import { type Claims, defineRecipe } from './define-recipe.ts';
import { type Directory, emailMismatch, readDirectory, resolveUser } from './directory.ts';
import { findManaged } from './find-managed.ts';
import { findUsernames } from './find-usernames.ts';
import { type Finding, refused } from './finding.ts';
import { organisationOf } from './organisation-keys.ts';
import type { Cells, Claim, Operation, Sight } from './operation.ts';
import { type Parsed, quoted, readRow, type RowReader, sameEmail } from './read-row.ts';
import { accountThing, readUsername, type UserReference, usernameThing, userNaming, userThing } from './references.ts';

const EITHER_EMAIL = {
  ...EMAIL,
  about: 'The new e-mail address where there is no newEmail column; beside one, the present address.',
};

interface CloudWish {
  /** `email` is the address that the account must have now. */
  readonly user: UserReference;
  readonly newEmail: string;
}

const cloud = defineRecipe<CloudWish, Cloud>({
  columns: [ACCOUNT_ID, OLD_EMAIL, NEW_EMAIL, EITHER_EMAIL],
  required: [
    ['newEmail', 'email'],
    ['accountId', 'oldEmail'],
  ],
  readHeader: settleEmailColumn,
  parse: parseCloud,
  claims: claimsOnCloud,
  look: async (wishes, apis, signal) => {
    const { organisation, userManagement } = organisationOf(apis);
    const [directory, domains] = await Promise.all([
      readDirectory(questionOf(wishes), organisation, signal),
      organisation.listVerifiedDomains(signal),
    ]);
    const personOf = await withProfiles(wishes, directory, userManagement, signal);
    return (wish) => sightOnCloud(wish, { person: personOf(wish), directory, domains, userManagement });
  },
});

/** Whether `email` is the old or the new address is the header's to say: an empty new_email must not make the old one new. */
function settleEmailColumn(columns: readonly (string | null)[]): readonly (string | null)[] {
  const meaning = !columns.includes('newEmail') ? 'newEmail' : columns.includes('oldEmail') ? null : 'oldEmail';
  return columns.map((column) => (column === 'email' ? meaning : column));
}

function parseCloud(cells: Cells): Parsed<CloudWish> {
  const row = readRow(cells);
  const accountId = row.accountId();
  const { oldEmail, newEmail } = readEmails(row, cells);
  if (cells['accountId'] === undefined && oldEmail === undefined && cells['oldEmail'] === undefined) {
    row.wrong('accountId, oldEmail: both are empty; one of them must say whose address changes.');
  }
  if (newEmail === undefined) return row.settle<CloudWish>(undefined);
  if (accountId !== undefined) return row.settle({ user: { accountId, email: oldEmail }, newEmail });
  return row.settle(oldEmail === undefined ? undefined : { user: { email: oldEmail }, newEmail });
}

function readEmails(
  row: RowReader,
  cells: Cells,
): { readonly oldEmail: string | undefined; readonly newEmail: string | undefined } {
  const hasNew = cells['newEmail'] !== undefined;
  const newColumn = hasNew ? 'newEmail' : 'email';
  const oldColumn = hasNew && cells['oldEmail'] === undefined ? 'email' : 'oldEmail';
  if (cells[newColumn] === undefined) row.wrong('newEmail: it is empty; the new e-mail address is expected.');
  return { newEmail: row.email(newColumn), oldEmail: row.email(oldColumn) };
}

function claimsOnCloud({ user, newEmail }: CloudWish): Claims {
  const takes = newEmail.toLowerCase();
  const frees = user.email?.toLowerCase();
  const claims = claimsOf(userThing(user), newEmail);
  const naming = userNaming(user);
  return frees === undefined || frees === takes ? { claims, naming, takes } : { claims, naming, frees, takes };
}

// The address is a thing as the account is: two accounts cannot both have it.
const claimsOf = (account: string, newEmail: string): readonly Claim[] => [
  { thing: account, wish: newEmail.toLowerCase() },
  { thing: `address:${newEmail.toLowerCase()}`, wish: account },
];

// Old and new addresses are asked for together: one call finds the people and those who have what the rows want.
const questionOf = (wishes: readonly CloudWish[]) => ({
  accountIds: wishes.flatMap(({ user }) => user.accountId ?? []),
  emails: wishes.flatMap(({ user, newEmail }) => (user.accountId === undefined ? [user.email, newEmail] : [newEmail])),
  groups: false,
});

/** The person of each wish, with their present address: from the directory, or from user management where that is silent. */
async function withProfiles(
  wishes: readonly CloudWish[],
  directory: Directory,
  userManagement: UserManagement,
  signal: AbortSignal,
): Promise<(wish: CloudWish) => Finding<OrganisationUser>> {
  const isSilent = (accountId: string) => directory.byId(accountId)?.email === undefined;
  const silent = wishes.flatMap(({ user }) => user.accountId ?? []).filter(isSilent);
  const profileOf = await findManaged(silent, userManagement, signal);
  return ({ user }) => {
    if (user.accountId === undefined) return resolveUser(user, directory);
    if (!isSilent(user.accountId)) return resolveUser({ accountId: user.accountId }, directory);
    const profile = profileOf(user.accountId);
    if (profile.kind !== 'found') return profile;
    return { kind: 'found', value: { ...directory.byId(user.accountId), ...profile.value } };
  };
}

interface CloudView {
  readonly person: Finding<OrganisationUser>;
  readonly directory: Directory;
  readonly domains: readonly string[];
  readonly userManagement: UserManagement;
}

function sightOnCloud(wish: CloudWish, view: CloudView): Sight {
  const { person, directory, userManagement } = view;
  if (person.kind !== 'found') return doneBefore(wish, directory) ?? person;
  const { accountId, email: present } = person.value;
  const claims = claimsOf(accountThing(accountId), wish.newEmail);
  if (present !== undefined && sameEmail(present, wish.newEmail)) return { kind: 'fulfilled', claims };
  const obstacle = mismatch(wish, person.value) ?? obstacleTo(wish, person.value, view);
  if (obstacle) return obstacle;
  return {
    kind: 'ready',
    claims,
    before: { accountId, email: present },
    write: (signal) => userManagement.setEmail(accountId, wish.newEmail, signal),
  };
}

/** A row that names its person by the old address alone finds nobody once it has been applied: then its wish is fulfilled. */
function doneBefore({ user, newEmail }: CloudWish, directory: Directory): Sight | undefined {
  if (user.accountId !== undefined || directory.holders(user.email).length > 0) return undefined;
  const [holder, another] = directory.holders(newEmail);
  if (!holder || another) return undefined;
  return {
    kind: 'fulfilled',
    claims: claimsOf(accountThing(holder.accountId), newEmail),
    message: 'Nobody has the old address any more and one account has the new one: taken for done.',
  };
}

function mismatch({ user }: CloudWish, { accountId, email: present }: OrganisationUser): Sight | undefined {
  if (user.email === undefined || (present !== undefined && sameEmail(present, user.email))) return undefined;
  return emailMismatch(accountId, user.email);
}

function obstacleTo(
  { newEmail }: CloudWish,
  person: OrganisationUser,
  { directory, domains }: CloudView,
): Sight | undefined {
  const account = quoted(person.accountId);
  if (directory.holders(newEmail).some(({ accountId }) => accountId !== person.accountId)) {
    return refused('EMAIL_IN_USE', `Another account has the address ${quoted(newEmail)}.`);
  }
  if (person.claimStatus === 'unmanaged') {
    return refused('USER_NOT_MANAGED', `The organisation does not manage account ${account}.`);
  }
  if (person.managementSource === 'synced') {
    return refused('SCIM_MANAGED', `An identity provider manages account ${account}; nothing was written.`);
  }
  const domain = newEmail.slice(newEmail.indexOf('@') + 1).toLowerCase();
  if (!domains.includes(domain)) {
    return refused(
      'DOMAIN_NOT_VERIFIED',
      `The domain ${quoted(domain)} is not among the organisation's verified ones.`,
    );
  }
  return undefined;
}

interface DataCenterWish {
  readonly username: string;
  readonly oldEmail: string | undefined;
  readonly newEmail: string;
}

const dataCenter = defineRecipe<DataCenterWish, DataCenter>({
  columns: [USERNAME, OLD_EMAIL, NEW_EMAIL, EITHER_EMAIL],
  required: [['username'], ['newEmail', 'email']],
  readHeader: settleEmailColumn,
  parse: parseDataCenter,
  // Data Center lets two people have one address, so rows claim the person only.
  claims: (wish) => ({ claims: claimsOnDataCenter(wish) }),
  look: async (wishes, apis, signal) => {
    const userOf = await findUsernames(
      wishes.map(({ username }) => username),
      apis,
      signal,
    );
    return (wish) => sightOnDataCenter(wish, userOf(wish.username), apis);
  },
});

function parseDataCenter(cells: Cells): Parsed<DataCenterWish> {
  const row = readRow(cells);
  const username = readUsername(row);
  const { oldEmail, newEmail } = readEmails(row, cells);
  return row.settle(username !== undefined && newEmail !== undefined ? { username, oldEmail, newEmail } : undefined);
}

const claimsOnDataCenter = ({ username, newEmail }: DataCenterWish): readonly Claim[] => [
  { thing: usernameThing(username), wish: newEmail.toLowerCase() },
];

function sightOnDataCenter(wish: DataCenterWish, user: Finding<DataCenterUser>, apis: DataCenter): Sight {
  if (user.kind !== 'found') return user;
  const { username, emailAddress: present } = user.value;
  const claims = claimsOnDataCenter(wish);
  if (present !== undefined && sameEmail(present, wish.newEmail)) return { kind: 'fulfilled', claims };
  if (wish.oldEmail !== undefined && (present === undefined || !sameEmail(present, wish.oldEmail))) {
    return emailMismatch(username, wish.oldEmail);
  }
  return {
    kind: 'ready',
    claims,
    before: { email: present },
    write: (signal) => apis.updateUser(username, { emailAddress: wish.newEmail }, signal),
  };
}

/** Gives an account another e-mail address. */
export const emailChange: Operation = {
  name: 'email-change',
  about: 'Gives an account another e-mail address.',
  cloud,
  dataCenter,
};
