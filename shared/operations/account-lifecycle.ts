import * as z from 'zod';

import type { Cloud, OrganisationUser } from '../atlassian/apis.ts';
import { Refusal } from '../atlassian/errors.ts';
import { ACCOUNT_ID, EMAIL, type Parsed, quoted, readRow, userKey, type UserReference } from './columns.ts';
import { directoryOf, findManaged, organisationOf, resolveUser } from './directory.ts';
import { findPeople } from './find-people.ts';
import { type Finding, found, whenFound } from './finding.ts';
import { type Cells, type Column, defineRecipe, type Operation } from './operation.ts';

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
    columns: [ACCOUNT_ID, EMAIL, ...columns],
    required: [['accountId', 'email']],
    change: {
      subject: z.object({ accountId: z.string() }),
      before: z.object({ accountStatus: z.string().optional() }),
      after: z.object({ accountStatus: z.enum(['inactive', 'active']), message: z.string().optional() }),
    },
    parse,
    // The message is a note beside the state: two rows with different ones still desire the same.
    keys: (user: UserReference, { accountStatus }) => [{ subject: userKey(user), desired: accountStatus }],
    resolve: findOnCloud,
    read: findOnCloud,
    desired: ({ message }) => ({ accountStatus: desired, message }),
    isAsDesired: (state, { accountStatus }) => state.accountStatus === accountStatus,
    write: ({ subject: { accountId }, after }, apis, signal) => {
      const { userManagement } = organisationOf(apis);
      return after.accountStatus === 'inactive'
        ? userManagement.disable(accountId, after.message, signal)
        : userManagement.enable(accountId, signal);
    },
  }),
});

function parse(cells: Cells): Parsed<Row> {
  const reader = readRow(cells);
  const user = reader.user();
  return reader.settle(user && { ...user, message: reader.text('message') });
}

async function findOnCloud(users: readonly UserReference[], apis: Cloud, signal: AbortSignal) {
  const { userManagement } = organisationOf(apis);
  const personOf = await findPeople(users, apis, { groups: false }, signal);
  // User management knows accounts that the directory does not list.
  const isUnlisted = (user: UserReference): boolean => {
    const person = personOf(user);
    return person.kind === 'refused' && person.refusal.code === 'USER_NOT_FOUND';
  };
  const unlisted = users.filter(isUnlisted).flatMap(({ accountId }) => accountId ?? []);
  const accountOf = await findManaged(unlisted, userManagement, signal);
  const findOne = (user: UserReference): Finding<OrganisationUser> =>
    user.accountId !== undefined && isUnlisted(user)
      ? whenFound(accountOf(user.accountId), (account) => resolveUser(user, directoryOf(account)))
      : personOf(user);
  return (user: UserReference) =>
    whenFound(findOne(user), ({ accountId, accountStatus, claimStatus }) => {
      // What else forbids it (an identity provider, an admin's protection) the write's own answer says: asking first is a call a row.
      const message = `The organisation does not manage account ${quoted(accountId)}.`;
      const refusal = claimStatus === 'unmanaged' ? new Refusal('USER_NOT_MANAGED', message) : undefined;
      return found({ subject: { accountId }, state: { accountStatus }, refusal });
    });
}
