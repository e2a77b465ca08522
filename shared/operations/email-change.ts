import * as z from 'zod';

import type { Cloud, DataCenter, OrganisationUser, UserManagement } from '../atlassian/apis.ts';
import { Refusal } from '../atlassian/errors.ts';
import {
  ACCOUNT_ID,
  column,
  EMAIL,
  type Parsed,
  quoted,
  readRow,
  type RowReader,
  telling,
  userKey,
  USERNAME,
  type UsernameReference,
  type UserReference,
} from './columns.ts';
import { foldCase, sameEmail } from '../folding.ts';
import { defineRecipe, readSubjects } from './define-recipe.ts';
import { type Directory, emailMismatch, findManaged, organisationOf, readDirectory, resolveUser } from './directory.ts';
import { findUsers } from './find-people.ts';
import { type Finding, found, refusedBy, whenFound } from './finding.ts';
import type { Blocked, Cells, Operation } from './operation.ts';

const NEW_EMAIL = telling(column('newEmail', ['new_email'], 'The new e-mail address.'));

const OLD_EMAIL = telling(
  column('oldEmail', ['old_email'], 'The present e-mail address; the account must have it, or nothing is written.'),
);

const EITHER_EMAIL = {
  ...EMAIL,
  about: 'The new e-mail address where there is no newEmail column; beside one, the present address.',
};

const BEFORE = z.object({ email: z.string().optional() });
const AFTER = z.object({ email: z.string() });

/** `email` is the address that the account must have now. */
type CloudRow = UserReference & { readonly newEmail: string };

const cloud = defineRecipe({
  columns: [ACCOUNT_ID, OLD_EMAIL, NEW_EMAIL, EITHER_EMAIL],
  required: [
    ['newEmail', 'email'],
    ['accountId', 'oldEmail'],
  ],
  readHeader: settleEmailColumn,
  change: { subject: z.object({ accountId: z.string() }), before: BEFORE, after: AFTER },
  parse: parseCloud,
  // The address is a subject as the account is: two accounts cannot both have it.
  keys: (user, { email }) => [
    { subject: userKey(user), desired: foldCase(email) },
    { subject: `address:${foldCase(email)}`, desired: userKey(user) },
  ],
  resolve: async (rows, apis: Cloud, signal) => {
    const { organisation, userManagement } = organisationOf(apis);
    const [directory, domains] = await Promise.all([
      readDirectory(questionOf(rows), organisation, signal),
      organisation.listVerifiedDomains(signal),
    ]);
    const personOf = await withProfiles(rows, directory, userManagement, signal);
    return (row) => {
      const done = looksDone(row, directory);
      if (done) return refusedBy(done);
      return whenFound(personOf(row), (person) =>
        found({
          subject: { accountId: person.accountId },
          state: { email: person.email },
          refusal: refusalOf(row, person, domains),
          blocked: blockedBy(person.accountId, row.newEmail, directory),
        }),
      );
    };
  },
  read: readSubjects(async (subjects, apis: Cloud, signal) => {
    const { organisation, userManagement } = organisationOf(apis);
    const accountIds = subjects.map(({ accountId }) => accountId);
    const directory = await readDirectory({ accountIds }, organisation, signal);
    const personOf = await withProfiles(subjects, directory, userManagement, signal);
    return (subject) => whenFound(personOf(subject), ({ email }) => found({ state: { email } }));
  }),
  findBlocked: async (aims, apis, signal) => {
    const emails = aims.map(({ after }) => after.email);
    const directory = await readDirectory({ emails }, organisationOf(apis).organisation, signal);
    return ({ subject, after }) => blockedBy(subject.accountId, after.email, directory);
  },
  desired: ({ newEmail }) => ({ email: newEmail }),
  isAsDesired: (state, { email }) => !isAnother(state.email, email),
  effect: () => 'renames',
  reversible: true,
  readsFirst: true,
  write: ({ subject, after }, apis, signal) =>
    organisationOf(apis).userManagement.setEmail(subject.accountId, after.email, signal),
});

/** Whether `email` is the old or the new address is the header's to say: an empty new_email must not make the old one new. */
function settleEmailColumn(columns: readonly (string | null)[]): readonly (string | null)[] {
  const meaning = !columns.includes('newEmail') ? 'newEmail' : columns.includes('oldEmail') ? null : 'oldEmail';
  return columns.map((name) => (name === 'email' ? meaning : name));
}

function parseCloud(cells: Cells): Parsed<CloudRow> {
  const reader = readRow(cells);
  const accountId = reader.accountId();
  const { oldEmail, newEmail } = readEmails(reader, cells);
  if (cells['accountId'] === undefined && oldEmail === undefined && cells['oldEmail'] === undefined) {
    reader.wrong('accountId, oldEmail: both are empty; one of them must say whose address changes.');
  }
  if (newEmail === undefined) return reader.settle<CloudRow>(undefined);
  if (accountId !== undefined) return reader.settle({ accountId, email: oldEmail, newEmail });
  return reader.settle(oldEmail === undefined ? undefined : { email: oldEmail, newEmail });
}

function readEmails(reader: RowReader, cells: Cells) {
  const hasNew = cells['newEmail'] !== undefined;
  const newColumn = hasNew ? 'newEmail' : 'email';
  const oldColumn = hasNew && cells['oldEmail'] === undefined ? 'email' : 'oldEmail';
  if (cells[newColumn] === undefined) reader.wrong('newEmail: it is empty; the new e-mail address is expected.');
  return { newEmail: reader.email(newColumn), oldEmail: reader.email(oldColumn) };
}

// Old and new addresses are asked for together: one call finds the people and those who have what the rows want.
const questionOf = (rows: readonly CloudRow[]) => ({
  accountIds: rows.flatMap(({ accountId }) => accountId ?? []),
  emails: rows.flatMap(({ accountId, email, newEmail }) => (accountId === undefined ? [email, newEmail] : [newEmail])),
});

/** The person of each reference, with their present address: from the directory, or from user management where that is silent. */
async function withProfiles(
  references: readonly UserReference[],
  directory: Directory,
  userManagement: UserManagement,
  signal: AbortSignal,
): Promise<(reference: UserReference) => Finding<OrganisationUser>> {
  const isSilent = (accountId: string) => directory.byId(accountId)?.email === undefined;
  const silent = references.flatMap(({ accountId }) => accountId ?? []).filter(isSilent);
  const profileOf = await findManaged(silent, userManagement, signal);
  return (reference) => {
    const { accountId } = reference;
    if (accountId === undefined) return resolveUser(reference, directory);
    if (!isSilent(accountId)) return resolveUser({ accountId }, directory);
    return whenFound(profileOf(accountId), (profile) => found({ ...directory.byId(accountId), ...profile }));
  };
}

const isAnother = (present: string | undefined, email: string | undefined): email is string =>
  email !== undefined && (present === undefined || !sameEmail(present, email));

/** Nobody has the old address and somebody the new one: that need not be the person whom the row means. */
function looksDone({ accountId, email, newEmail }: CloudRow, { holders }: Directory): Refusal | undefined {
  if (accountId !== undefined || holders(email).length > 0) return undefined;
  const [holder] = holders(newEmail);
  if (!holder) return undefined;
  return new Refusal(
    'USER_NOT_FOUND',
    `Nobody in the organisation has the address ${quoted(email)}, and ${quoted(newEmail)} is that of account ` +
      `${quoted(holder.accountId)} already. If that is the person, nothing is left to do; if not, put the account id in the row.`,
  );
}

function refusalOf(
  { email, newEmail }: CloudRow,
  person: OrganisationUser,
  domains: readonly string[],
): Refusal | undefined {
  const { accountId } = person;
  const account = quoted(accountId);
  if (isAnother(person.email, email)) return emailMismatch(accountId, email);
  if (person.claimStatus === 'unmanaged') {
    return new Refusal('USER_NOT_MANAGED', `The organisation does not manage account ${account}.`);
  }
  if (person.managementSource === 'synced') {
    return new Refusal('SCIM_MANAGED', `An identity provider manages account ${account}; nothing was written.`);
  }
  const domain = newEmail.slice(newEmail.indexOf('@') + 1).toLowerCase();
  if (domains.includes(domain)) return undefined;
  return new Refusal(
    'DOMAIN_NOT_VERIFIED',
    `The domain ${quoted(domain)} is not among the organisation's verified ones.`,
  );
}

/** Whoever else has an address must give it up before an account can take it. */
function blockedBy(accountId: string, email: string, directory: Directory): Blocked | undefined {
  const holder = directory.holders(email).find((other) => other.accountId !== accountId);
  if (!holder) return undefined;
  const refusal = new Refusal('EMAIL_IN_USE', `Another account has the address ${quoted(email)}.`);
  return { by: userKey({ accountId: holder.accountId }), refusal };
}

type DataCenterRow = UsernameReference & { readonly oldEmail: string | undefined; readonly newEmail: string };

const dataCenter = defineRecipe({
  columns: [USERNAME, OLD_EMAIL, NEW_EMAIL, EITHER_EMAIL],
  required: [['username'], ['newEmail', 'email']],
  readHeader: settleEmailColumn,
  change: { subject: z.object({ username: z.string() }), before: BEFORE, after: AFTER },
  parse: parseDataCenter,
  // Data Center lets two people have one address, so the person alone is the subject.
  keys: (user, { email }) => [{ subject: userKey(user), desired: foldCase(email) }],
  resolve: async (rows, apis: DataCenter, signal) => {
    const userOf = await findUsers(rows, apis, signal);
    return (row) =>
      whenFound(userOf(row), ({ username, emailAddress: email }) => {
        const refusal = isAnother(email, row.oldEmail) ? emailMismatch(username, row.oldEmail) : undefined;
        return found({ subject: { username }, state: { email }, refusal });
      });
  },
  read: readSubjects(async (subjects, apis: DataCenter, signal) => {
    const userOf = await findUsers(subjects, apis, signal);
    return (subject) => whenFound(userOf(subject), ({ emailAddress: email }) => found({ state: { email } }));
  }),
  desired: ({ newEmail }) => ({ email: newEmail }),
  isAsDesired: (state, { email }) => !isAnother(state.email, email),
  effect: () => 'renames',
  reversible: true,
  readsFirst: true,
  write: ({ subject, after }, apis, signal) => apis.updateUser(subject.username, { emailAddress: after.email }, signal),
});

function parseDataCenter(cells: Cells): Parsed<DataCenterRow> {
  const reader = readRow(cells);
  const user = reader.username();
  const { oldEmail, newEmail } = readEmails(reader, cells);
  return reader.settle(user && newEmail !== undefined ? { ...user, oldEmail, newEmail } : undefined);
}

/** Gives an account another e-mail address. */
export const emailChange: Operation = {
  name: 'email-change',
  about: 'Gives an account another e-mail address.',
  cloud,
  dataCenter,
};
