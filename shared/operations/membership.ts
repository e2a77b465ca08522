import * as z from 'zod';

import type { Cloud, DataCenter, OrganisationUser } from '../atlassian/apis.ts';
import { Refusal } from '../atlassian/errors.ts';
import { ACTION, ACTIONS, watchActions } from './action-column.ts';
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
import { defineRecipe, readSubjects } from './define-recipe.ts';
import { findMembers, findUsersInGroups } from './find-members.ts';
import { findGroupNames, findGroups, type FoundGroup, type GroupReference } from './find-groups.ts';
import { findPeople } from './find-people.ts';
import { found, valueOf, whenFound } from './finding.ts';
import { noteInactive, refuseStranger } from './inactive.ts';
import type { Cells, Column, Effect, Operation, SubjectKey } from './operation.ts';

const GROUP_ID = telling(
  column(
    'groupId',
    ['groupid', 'Group id'],
    "The group's id; where a name is given too, the id decides and the name must be this group's.",
  ),
);

const GROUP_NAME: Column = {
  ...telling(column('groupName', ['group', 'Group name', 'groupname'], "The group's name, exactly as in Jira.")),
  resembles: /group|grupp|groupe|grupo|\bteam|\brole/i,
  plural:
    "lists all groups of a person in one cell, as Atlassian's export does, and a row names one group; export again with one row a group, or write a row for each group, and call the column group",
};

type Named = UserReference & GroupReference;
type Row<Reference> = Reference & { readonly action: (typeof ACTIONS)[number] };

/** Unknown is neither in nor out: then the write's own answer tells. */
const BEFORE = z.object({ member: z.boolean().optional() });
const AFTER = z.object({ member: z.boolean() });

const effectOf = ({ member }: { readonly member: boolean }): Effect => (member ? 'gives' : 'takes');

const keysOf = (user: string, group: string, member: boolean): readonly SubjectKey[] => [
  { subject: `${user} in ${group}`, desired: member ? 'add' : 'remove' },
];

const cloud = defineRecipe({
  columns: [ACCOUNT_ID, EMAIL, GROUP_ID, GROUP_NAME, ACTION],
  required: [
    ['accountId', 'email'],
    ['groupId', 'groupName'],
  ],
  change: { subject: z.object({ groupId: z.string(), accountId: z.string() }), before: BEFORE, after: AFTER },
  watch: watchActions,
  parse: parseCloud,
  keys: (subject, { member }) => keysOf(userKey(subject), `group:${subject.groupId}`, member),
  resolve: async (rows, apis: Cloud, signal) => {
    const [personOf, groupOf] = await Promise.all([
      findPeople(rows, apis, { groups: true }, signal),
      findGroups(rows, apis, signal),
    ]);
    const pairOf = (row: Row<Named>) =>
      whenFound(personOf(row), (person) =>
        whenFound(groupOf(row), (group) => found({ person, group, removes: row.action === 'remove' })),
      );
    const memberOf = await findMembers(rows.map(pairOf).flatMap(valueOf), apis, signal);
    return (row) =>
      whenFound(pairOf(row), (pair) =>
        whenFound(memberOf(pair), (member) =>
          found({
            subject: { accountId: pair.person.accountId, groupId: pair.group.groupId },
            state: { member },
            refusal: refusalOf(pair),
            message: joined(pair.group.message, noteInactive(pair.person)),
          }),
        ),
      );
  },
  read: async (aims, apis, signal) => {
    const personOf = await findPeople(
      aims.map(({ subject }) => subject),
      apis,
      { groups: true },
      signal,
    );
    const pairOf = ({ subject, after }: (typeof aims)[number]) =>
      whenFound(personOf(subject), (person) => found({ person, group: subject, removes: !after.member }));
    const memberOf = await findMembers(aims.map(pairOf).flatMap(valueOf), apis, signal);
    return (aim) => whenFound(whenFound(pairOf(aim), memberOf), (member) => found({ state: { member } }));
  },
  desired: ({ action }) => ({ member: action === 'add' }),
  isAsDesired: (state, { member }) => state.member === member,
  effect: effectOf,
  reversible: true,
  write: ({ subject, after }, { jira }, signal) =>
    after.member ? jira.addToGroup(subject, signal) : jira.removeFromGroup(subject, signal),
});

const joined = (...notes: readonly (string | undefined)[]): string | undefined =>
  notes.filter((note) => note !== undefined).join(' ') || undefined;

function parseCloud(cells: Cells): Parsed<Row<Named>> {
  const reader = readRow(cells);
  const user = reader.user();
  const group = readGroup(reader);
  const action = reader.oneOf('action', ACTIONS) ?? 'add';
  return reader.settle(user && group && { ...user, ...group, action });
}

function refusalOf({
  person,
  group: { name, external },
}: {
  readonly person: OrganisationUser;
  readonly group: FoundGroup;
}) {
  if (external) return new Refusal('GROUP_EXTERNAL', `An identity provider fills the group ${quoted(name)}.`);
  return person.membershipStatus === 'no_membership' ? refuseStranger(person) : undefined;
}

/** The group of a row, by groupId or by groupName; a row with neither has a problem. */
function readGroup(reader: RowReader): GroupReference | undefined {
  const groupId = reader.uuid('groupId');
  const groupName = reader.text('groupName');
  if (groupId !== undefined) return { groupId, groupName };
  if (groupName !== undefined) return { groupName };
  reader.wrong('groupId, groupName: both are empty; one of them must say which group the row is about.');
  return undefined;
}

type NamedOnDataCenter = UsernameReference & { readonly group: string };

const dataCenter = defineRecipe({
  columns: [USERNAME, GROUP_NAME, ACTION],
  required: [['username'], ['groupName']],
  change: { subject: z.object({ group: z.string(), username: z.string() }), before: BEFORE, after: AFTER },
  watch: watchActions,
  parse: parseDataCenter,
  keys: (subject, { member }) => keysOf(userKey(subject), `group-name:${subject.group.toLowerCase()}`, member),
  resolve: async (rows, apis: DataCenter, signal) => {
    const groupOf = await findGroupNames(rows, apis, signal);
    const named = (row: Row<NamedOnDataCenter>) => {
      const [group] = valueOf(groupOf(row));
      return group ? { ...row, group: group.name } : row;
    };
    const memberOf = await findUsersInGroups(rows.map(named), apis, signal);
    return (row) =>
      whenFound(memberOf(named(row)), ({ user, member }) => {
        const { username } = user;
        const group = groupOf(row);
        // Whoever is in a group proves that it is there, whatever became of the question.
        if (group.kind !== 'found' && !member) return group;
        const { name, message } = group.kind === 'found' ? group.value : { name: row.group, message: undefined };
        return found({
          subject: { username, group: name },
          state: { member },
          message: joined(message, noteInactive(user)),
        });
      });
  },
  read: readSubjects(async (subjects, apis: DataCenter, signal) => {
    const memberOf = await findUsersInGroups(subjects, apis, signal);
    return (subject) => whenFound(memberOf(subject), ({ member }) => found({ state: { member } }));
  }),
  desired: ({ action }) => ({ member: action === 'add' }),
  isAsDesired: (state, { member }) => state.member === member,
  effect: effectOf,
  reversible: true,
  write: ({ subject, after }, apis, signal) =>
    after.member ? apis.addToGroup(subject, signal) : apis.removeFromGroup(subject, signal),
});

function parseDataCenter(cells: Cells): Parsed<Row<NamedOnDataCenter>> {
  const reader = readRow(cells);
  const user = reader.username();
  const group = reader.filled('groupName', 'the name of a group');
  const action = reader.oneOf('action', ACTIONS) ?? 'add';
  return reader.settle(user && group !== undefined ? { ...user, group, action } : undefined);
}

/** Adds a person to a group, or takes one out; one who is where the row wants them is unchanged. */
export const membership: Operation = {
  name: 'membership',
  about: 'Adds a person to a group, or takes one out of it.',
  cloud,
  dataCenter,
};
