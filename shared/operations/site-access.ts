import * as z from 'zod';

import type { Cloud, DataCenter, OrganisationUser } from '../atlassian/apis.ts';
import type { TargetFacts } from '../target.ts';
import {
  ACCOUNT_ID,
  EMAIL,
  ORG_ID,
  quoted,
  readRow,
  userKey,
  USERNAME,
  type UsernameReference,
  type UserReference,
} from './columns.ts';
import { defineRecipe, readSubjects } from './define-recipe.ts';
import { organisationOf } from './directory.ts';
import { findPeople, findUsers } from './find-people.ts';
import { found, refusedBy, whenFound } from './finding.ts';
import { refuseInactive, refuseStranger } from './inactive.ts';
import type { Cells, Operation } from './operation.ts';

/** What differs between suspending and restoring. */
export interface AccessOperation {
  readonly name: string;
  readonly about: string;
  readonly desired: 'suspended' | 'active';
}

/** An operation that takes a person's access away or gives it back: their membership of the organisation's directory, or `active` on Data Center. */
export const accessOperation = ({ name, about, desired: access }: AccessOperation): Operation => ({
  name,
  about,
  cloud: defineRecipe({
    columns: [ACCOUNT_ID, EMAIL, ORG_ID],
    required: [['accountId', 'email']],
    change: { ...CHANGE, subject: z.object({ accountId: z.string() }) },
    parse: parseCloud,
    keys: (user, desired) => [{ subject: userKey(user), desired: desired.access }],
    resolve: async (users, apis: Cloud, signal) => {
      const personOf = await findMembers(users, apis, signal);
      return (user) => whenFound(personOf(user), access === 'active' ? toRestore : toSuspend);
    },
    read: readSubjects(async (subjects, apis: Cloud, signal) => {
      const personOf = await findMembers(subjects, apis, signal);
      return (subject) => whenFound(personOf(subject), (person) => found({ state: stateOf(person) }));
    }),
    desired: () => ({ access }),
    // Whoever was never let in, or was taken out, has no access that could be taken away.
    isAsDesired: (state, desired) =>
      state.access === desired.access || (desired.access === 'suspended' && state.access === 'no_membership'),
    effect: (desired) => (desired.access === 'suspended' ? 'takes' : 'gives'),
    reversible: true,
    write: ({ subject, after }, apis, signal) => {
      const { suspend, restore } = organisationOf(apis).organisation;
      return (after.access === 'suspended' ? suspend : restore)(subject.accountId, signal);
    },
  }),
  dataCenter: defineRecipe({
    columns: [USERNAME],
    required: [['username']],
    change: { ...CHANGE, subject: z.object({ username: z.string() }) },
    parse: parseDataCenter,
    keys: (user, desired) => [{ subject: userKey(user), desired: desired.access }],
    resolve: findOnDataCenter,
    read: readSubjects(findOnDataCenter),
    desired: () => ({ access }),
    isAsDesired: (state, desired) => state.access === desired.access,
    effect: (desired) => (desired.access === 'suspended' ? 'takes' : 'gives'),
    reversible: true,
    write: ({ subject, after }, apis, signal) =>
      apis.updateUser(subject.username, { active: after.access === 'active' }, signal),
  }),
});

const CHANGE = {
  /** As Atlassian names it, which has more than these two; absent where directories do not agree. */
  before: z.object({ access: z.string().optional() }),
  after: z.object({ access: z.enum(['suspended', 'active']) }),
};

function parseCloud(cells: Cells, target: TargetFacts) {
  const reader = readRow(cells);
  const user = reader.user();
  reader.organisation(target);
  return reader.settle(user);
}

async function findMembers(users: readonly UserReference[], apis: Cloud, signal: AbortSignal) {
  organisationOf(apis); // Jira alone does not show who is suspended
  return findPeople(users, apis, { groups: false }, signal);
}

const stateOf = ({ membershipStatus }: OrganisationUser) => ({ access: membershipStatus });

function toSuspend(person: OrganisationUser) {
  const { accountId, membershipStatus } = person;
  const message = `The account ${quoted(accountId)} is no member of the organisation's directory: there is no access to take away.`;
  const isMember = membershipStatus !== 'no_membership';
  return found({ subject: { accountId }, state: stateOf(person), message: isMember ? undefined : message });
}

/** A membership is no access as long as the account is deactivated, so that even an active one is not as the row asks. */
function toRestore(person: OrganisationUser) {
  const { accountId, membershipStatus } = person;
  const stillOut = refuseInactive({ ...person, membershipStatus: 'active' });
  if (stillOut) return refusedBy(stillOut);
  if (membershipStatus !== 'no_membership') return found({ subject: { accountId }, state: stateOf(person) });
  return refusedBy(refuseStranger(person));
}

function parseDataCenter(cells: Cells) {
  const reader = readRow(cells);
  return reader.settle(reader.username());
}

async function findOnDataCenter(users: readonly UsernameReference[], apis: DataCenter, signal: AbortSignal) {
  const userOf = await findUsers(users, apis, signal);
  return (user: UsernameReference) =>
    whenFound(userOf(user), ({ username, active }) =>
      found({ subject: { username }, state: { access: active ? 'active' : 'suspended' } }),
    );
}
