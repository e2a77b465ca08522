import type { Cloud, DataCenter, DataCenterUser, Organisation, OrganisationUser } from '../atlassian/apis.ts';
import { ACCOUNT_ID, EMAIL, ORG_ID, USERNAME } from './columns.ts';
import { defineRecipe } from './define-recipe.ts';
import { findPeople } from './find-people.ts';
import { findUsernames } from './find-usernames.ts';
import type { Finding } from './finding.ts';
import type { Cells, Operation, Recipe, Sight } from './operation.ts';
import { organisationOf } from './organisation-keys.ts';
import { type Parsed, quoted, readRow } from './read-row.ts';
import {
  accountThing,
  readUser,
  readUsername,
  type UserReference,
  usernameThing,
  userNaming,
  userThing,
} from './references.ts';
import type { Target } from '../target.ts';

/** What differs between suspending and restoring. */
export interface AccessChange {
  readonly name: string;
  readonly about: string;
  /** The membershipStatus that fulfils the wish. */
  readonly wanted: 'suspended' | 'active';
  readonly write: (organisation: Organisation) => Organisation['suspend'];
}

/** An operation that takes a person's access away or gives it back: their membership of the organisation's directory, or `active` on Data Center. */
export const accessOperation = (change: AccessChange): Operation => ({
  name: change.name,
  about: change.about,
  cloud: cloudRecipe(change),
  dataCenter: dataCenterRecipe(change),
});

const cloudRecipe = (change: AccessChange): Recipe<Cloud> =>
  defineRecipe<UserReference, Cloud>({
    columns: [ACCOUNT_ID, EMAIL, ORG_ID],
    required: [['accountId', 'email']],
    parse: parseCloud,
    claims: (user) => ({ claims: [{ thing: userThing(user), wish: change.wanted }], naming: userNaming(user) }),
    look: async (users, apis, signal) => {
      const { organisation } = organisationOf(apis);
      const personOf = await findPeople(users, apis, { groups: false }, signal);
      return (user) => sightOnCloud(change, personOf(user), organisation);
    },
  });

function parseCloud(cells: Cells, target: Target): Parsed<UserReference> {
  const row = readRow(cells);
  const user = readUser(row);
  const orgId = row.text('orgId');
  const expected = target.type === 'cloud' ? target.orgId : undefined;
  if (orgId !== undefined && orgId.toLowerCase() !== expected?.toLowerCase()) {
    row.wrong(
      `orgId: ${quoted(orgId)} is not the organisation of the target ${target.name}; ${expected ?? 'an empty cell'} is expected.`,
    );
  }
  return row.settle(user);
}

function sightOnCloud(change: AccessChange, person: Finding<OrganisationUser>, organisation: Organisation): Sight {
  if (person.kind !== 'found') return person;
  const { accountId, membershipStatus } = person.value;
  const claims = [{ thing: accountThing(accountId), wish: change.wanted }];
  if (membershipStatus === change.wanted) return { kind: 'fulfilled', claims };
  const write = change.write(organisation);
  return { kind: 'ready', claims, before: { membershipStatus }, write: (signal) => write(accountId, signal) };
}

const dataCenterRecipe = (change: AccessChange): Recipe<DataCenter> =>
  defineRecipe<string, DataCenter>({
    columns: [USERNAME],
    required: [['username']],
    parse: (cells) => {
      const row = readRow(cells);
      return row.settle(readUsername(row));
    },
    claims: (username) => ({ claims: [{ thing: usernameThing(username), wish: change.wanted }] }),
    look: async (usernames, apis, signal) => {
      const userOf = await findUsernames(usernames, apis, signal);
      return (username) => sightOnDataCenter(change, userOf(username), apis);
    },
  });

function sightOnDataCenter(change: AccessChange, user: Finding<DataCenterUser>, apis: DataCenter): Sight {
  if (user.kind !== 'found') return user;
  const { username } = user.value;
  const active = change.wanted === 'active';
  const claims = [{ thing: usernameThing(username), wish: change.wanted }];
  if (user.value.active === active) return { kind: 'fulfilled', claims };
  return {
    kind: 'ready',
    claims,
    before: { active: user.value.active },
    write: (signal) => apis.updateUser(username, { active }, signal),
  };
}
