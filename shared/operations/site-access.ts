import * as z from 'zod';

import type { Cloud, DataCenter } from '../atlassian/apis.ts';
import type { Target } from '../target.ts';
import {
  ACCOUNT_ID,
  column,
  EMAIL,
  quoted,
  readRow,
  userKey,
  USERNAME,
  type UsernameReference,
  type UserReference,
} from './columns.ts';
import { organisationOf } from './directory.ts';
import { findPeople, findUsers } from './find-people.ts';
import { found, whenFound } from './finding.ts';
import { type Cells, defineRecipe, type Operation } from './operation.ts';

const ORG_ID = column('orgId', ['org_id'], "The organisation's id; where given, it must be the target's.");

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
    keys: (user: UserReference, desired) => [{ subject: userKey(user), desired: desired.access }],
    resolve: findOnCloud,
    read: findOnCloud,
    desired: () => ({ access }),
    isAsDesired: (state, desired) => state.access === desired.access,
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
    keys: (user: UsernameReference, desired) => [{ subject: userKey(user), desired: desired.access }],
    resolve: findOnDataCenter,
    read: findOnDataCenter,
    desired: () => ({ access }),
    isAsDesired: (state, desired) => state.access === desired.access,
    write: ({ subject, after }, apis, signal) =>
      apis.updateUser(subject.username, { active: after.access === 'active' }, signal),
  }),
});

const CHANGE = {
  /** As Atlassian names it, which has more than these two; absent where directories do not agree. */
  before: z.object({ access: z.string().optional() }),
  after: z.object({ access: z.enum(['suspended', 'active']) }),
};

function parseCloud(cells: Cells, target: Target) {
  const reader = readRow(cells);
  const user = reader.user();
  const orgId = reader.text('orgId');
  const expected = target.type === 'cloud' ? target.orgId : undefined;
  if (orgId !== undefined && orgId.toLowerCase() !== expected?.toLowerCase()) {
    reader.wrong(
      `orgId: ${quoted(orgId)} is not the organisation of the target ${target.name}; ${expected ?? 'an empty cell'} is expected.`,
    );
  }
  return reader.settle(user);
}

async function findOnCloud(users: readonly UserReference[], apis: Cloud, signal: AbortSignal) {
  organisationOf(apis); // Jira alone does not show who is suspended
  const personOf = await findPeople(users, apis, { groups: false }, signal);
  return (user: UserReference) =>
    whenFound(personOf(user), ({ accountId, membershipStatus }) =>
      found({ subject: { accountId }, state: { access: membershipStatus } }),
    );
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
