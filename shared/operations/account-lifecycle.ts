import type { Cloud, OrganisationUser, UserManagement } from '../atlassian/apis.ts';
import { ACCOUNT_ID, EMAIL } from './columns.ts';
import { defineRecipe } from './define-recipe.ts';
import { findAccounts } from './find-managed.ts';
import { type Finding, refused } from './finding.ts';
import type { Cells, Column, Operation, Sight, Written } from './operation.ts';
import { organisationOf } from './organisation-keys.ts';
import { type Parsed, quoted, readRow } from './read-row.ts';
import { accountThing, readUser, type UserReference, userNaming, userThing } from './references.ts';

/** What differs between deactivating and reactivating. */
export interface LifecycleChange {
  readonly name: string;
  readonly about: string;
  /** The accountStatus that fulfils the wish. */
  readonly wanted: 'inactive' | 'active';
  /** Columns besides the person's. */
  readonly columns: readonly Column[];
  readonly write: (
    userManagement: UserManagement,
    account: { readonly accountId: string; readonly message: string | undefined },
    signal: AbortSignal,
  ) => Promise<Written>;
}

interface Wish {
  readonly user: UserReference;
  readonly message: string | undefined;
}

/** An operation on a managed account's lifecycle. Data Center has no accounts of this kind. */
export const lifecycleOperation = (change: LifecycleChange): Operation => ({
  name: change.name,
  about: change.about,
  cloud: defineRecipe<Wish, Cloud>({
    columns: [ACCOUNT_ID, EMAIL, ...change.columns],
    required: [['accountId', 'email']],
    parse,
    // The message is a note beside the wish: two rows with different ones still ask the same.
    claims: ({ user }) => ({ claims: [{ thing: userThing(user), wish: change.wanted }], naming: userNaming(user) }),
    look: async (wishes, apis, signal) => {
      const { userManagement } = organisationOf(apis);
      const personOf = await findAccounts(
        wishes.map(({ user }) => user),
        apis,
        signal,
      );
      return (wish) => sight(change, wish, personOf(wish.user), userManagement);
    },
  }),
});

function parse(cells: Cells): Parsed<Wish> {
  const row = readRow(cells);
  const user = readUser(row);
  return row.settle(user && { user, message: row.text('message') });
}

function sight(
  change: LifecycleChange,
  { message }: Wish,
  person: Finding<OrganisationUser>,
  userManagement: UserManagement,
): Sight {
  if (person.kind !== 'found') return person;
  const { accountId, accountStatus, claimStatus } = person.value;
  const claims = [{ thing: accountThing(accountId), wish: change.wanted }];
  if (accountStatus === change.wanted) return { kind: 'fulfilled', claims };
  if (claimStatus === 'unmanaged') {
    return refused('USER_NOT_MANAGED', `The organisation does not manage account ${quoted(accountId)}.`);
  }
  // What else forbids it (an identity provider, an admin's protection) the write's own answer says: asking first is a call a row.
  return {
    kind: 'ready',
    claims,
    before: { accountStatus },
    write: (signal) => change.write(userManagement, { accountId, message }, signal),
  };
}
