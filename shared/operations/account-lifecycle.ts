import * as z from 'zod';

import type { Cloud, OrganisationUser } from '../atlassian/apis.ts';
import { Refusal } from '../atlassian/errors.ts';
import type { TargetFacts } from '../target.ts';
import { ACCOUNT_ID, EMAIL, ORG_ID, type Parsed, quoted, readRow, userKey, type UserReference } from './columns.ts';
import { defineRecipe, readSubjects } from './define-recipe.ts';
import { directoryOf, findManaged, organisationOf, resolveUser } from './directory.ts';
import { findPeople } from './find-people.ts';
import { type Finding, found, refusedBy, whenFound } from './finding.ts';
import { noteInactive, refuseInactive } from './inactive.ts';
import type { Cells, Column, Operation } from './operation.ts';

/** What differs between deactivating and reactivating. */
export interface LifecycleOperation {
  readonly name: string;
  readonly about: string;
  readonly desired: 'inactive' | 'active';
  /** Columns besides the person's. */
  readonly columns: readonly Column[];
}

type Row = UserReference & { readonly message: string | undefined };

/** An operation on a managed account's lifecycle. Data Center has no accounts of this kind. */
export const lifecycleOperation = ({ name, about, desired, columns }: LifecycleOperation): Operation => ({
  name,
  about,
  cloud: defineRecipe({
    columns: [ACCOUNT_ID, EMAIL, ORG_ID, ...columns],
    required: [['accountId', 'email']],
    change: {
      subject: z.object({ accountId: z.string() }),
      before: z.object({ accountStatus: z.string().optional() }),
      after: z.object({ accountStatus: z.enum(['inactive', 'active']), message: z.string().optional() }),
    },
    parse,
    // The message is a note beside the state: two rows with different ones still desire the same.
    keys: (user, { accountStatus }) => [{ subject: userKey(user), desired: accountStatus }],
    resolve: async (users, apis: Cloud, signal) => {
      const accountOf = await findAccounts(users, apis, signal);
      return (user) => whenFound(accountOf(user), (account) => resolveAccount(account, desired));
    },
    read: readSubjects(async (subjects, apis: Cloud, signal) => {
      const accountOf = await findAccounts(subjects, apis, signal);
      return (subject) => whenFound(accountOf(subject), (account) => found({ state: stateOf(account) }));
    }),
    desired: ({ message }) => ({ accountStatus: desired, message }),
    isAsDesired: (state, { accountStatus }) => state.accountStatus === accountStatus,
    effect: ({ accountStatus }) => (accountStatus === 'inactive' ? 'takes' : 'gives'),
    reversible: true,
    write: ({ subject: { accountId }, after }, apis, signal) => {
      const { userManagement } = organisationOf(apis);
      return after.accountStatus === 'inactive'
        ? userManagement.disable(accountId, after.message, signal)
        : userManagement.enable(accountId, signal);
    },
  }),
});

function parse(cells: Cells, target: TargetFacts): Parsed<Row> {
  const reader = readRow(cells);
  const user = reader.user();
  reader.organisation(target);
  return reader.settle(user && { ...user, message: reader.text('message') });
}

async function findAccounts(users: readonly UserReference[], apis: Cloud, signal: AbortSignal) {
  const { userManagement } = organisationOf(apis);
  const personOf = await findPeople(users, apis, { groups: false }, signal);
  // User management knows accounts that the directory does not list.
  const isUnlisted = (user: UserReference): boolean => {
    const person = personOf(user);
    return person.kind === 'refused' && person.refusal.code === 'USER_NOT_FOUND';
  };
  const unlisted = users.filter(isUnlisted).flatMap(({ accountId }) => accountId ?? []);
  const accountOf = await findManaged(unlisted, userManagement, signal);
  return (user: UserReference): Finding<OrganisationUser> =>
    user.accountId !== undefined && isUnlisted(user)
      ? whenFound(accountOf(user.accountId), (account) => resolveUser(user, directoryOf(account)))
      : personOf(user);
}

const stateOf = ({ accountStatus }: OrganisationUser) => ({ accountStatus });

/** Reactivating helps nobody whose account is active and who has no access, since they are suspended. */
function resolveAccount(account: OrganisationUser, desired: LifecycleOperation['desired']) {
  const { accountId, accountStatus, claimStatus } = account;
  const reactivated = desired === 'active' ? { ...account, accountStatus: desired } : undefined;
  const stillOut = reactivated && refuseInactive(reactivated);
  if (stillOut && accountStatus === desired) return refusedBy(stillOut);
  // What else forbids it (an identity provider, an admin's protection) the write's own answer says: asking first is a call a row.
  const unmanaged = `The organisation does not manage account ${quoted(accountId)}.`;
  return found({
    subject: { accountId },
    state: stateOf(account),
    refusal: claimStatus === 'unmanaged' ? new Refusal('USER_NOT_MANAGED', unmanaged) : undefined,
    message: reactivated && noteInactive(reactivated),
  });
}
