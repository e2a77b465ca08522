import type { Cloud, DataCenter, DataCenterUser, Group, OrganisationUser } from '../atlassian/apis.ts';
import { ACCOUNT_ID, column, EMAIL, GROUP_ID, GROUP_NAME, USERNAME } from './columns.ts';
import { defineRecipe } from './define-recipe.ts';
import { findGroups } from './find-groups.ts';
import { findPeople } from './find-people.ts';
import { findUsernames } from './find-usernames.ts';
import { type Finding, found, lookEach, refused } from './finding.ts';
import type { Cells, Claim, Operation, Sight } from './operation.ts';
import { type Parsed, quoted, readRow } from './read-row.ts';
import {
  accountThing,
  type GroupReference,
  groupThing,
  readGroup,
  readUser,
  readUsername,
  type UserReference,
  usernameThing,
  userThing,
  groupNaming,
  userNaming,
} from './references.ts';

const ACTIONS = ['add', 'remove'] as const;
const ACTION = column('action', ['operation', 'add/remove'], '`add` or `remove`; `add` where it is empty.');

interface CloudWish {
  readonly user: UserReference;
  readonly group: GroupReference;
  readonly action: (typeof ACTIONS)[number];
}

const cloud = defineRecipe<CloudWish, Cloud>({
  columns: [ACCOUNT_ID, EMAIL, GROUP_ID, GROUP_NAME, ACTION],
  required: [
    ['accountId', 'email'],
    ['groupId', 'groupName'],
  ],
  parse: parseCloud,
  claims: ({ user, group, action }) => ({
    claims: claim(userThing(user), groupThing(group), action),
    naming: `user by ${userNaming(user)}, group by ${groupNaming(group)}`,
  }),
  look: async (wishes, apis, signal) => {
    const [personOf, groupOf] = await Promise.all([
      findPeople(
        wishes.map(({ user }) => user),
        apis,
        { groups: true },
        signal,
      ),
      findGroups(
        wishes.map(({ group }) => group),
        apis,
        signal,
      ),
    ]);
    return (wish) => sightOnCloud(wish, personOf(wish.user), groupOf(wish.group), apis);
  },
});

function parseCloud(cells: Cells): Parsed<CloudWish> {
  const row = readRow(cells);
  const user = readUser(row);
  const group = readGroup(row);
  const action = row.oneOf('action', ACTIONS) ?? 'add';
  return row.settle(user && group && { user, group, action });
}

function sightOnCloud(
  { action }: CloudWish,
  person: Finding<OrganisationUser>,
  group: Finding<Group>,
  { jira }: Cloud,
): Sight {
  if (person.kind !== 'found') return person;
  if (group.kind !== 'found') return group;
  const { accountId, groupIds } = person.value;
  const { groupId, name, external } = group.value;
  const claims = claim(accountThing(accountId), groupThing({ groupId }), action);
  // Unknown is neither in nor out: then the write's own answer tells.
  const member = groupIds?.includes(groupId);
  if (member === (action === 'add')) return { kind: 'fulfilled', claims };
  if (external) return refused('GROUP_EXTERNAL', `An identity provider fills the group ${quoted(name)}.`);
  const write = action === 'add' ? jira.addToGroup : jira.removeFromGroup;
  return { kind: 'ready', claims, before: { member }, write: (signal) => write({ groupId, accountId }, signal) };
}

interface DataCenterWish {
  readonly username: string;
  readonly group: string;
  readonly action: (typeof ACTIONS)[number];
}

const dataCenter = defineRecipe<DataCenterWish, DataCenter>({
  columns: [USERNAME, GROUP_NAME, ACTION],
  required: [['username'], ['groupName']],
  parse: parseDataCenter,
  claims: ({ username, group, action }) => ({
    claims: claim(usernameThing(username), groupThing({ name: group }), action),
  }),
  look: async (wishes, apis, signal) => {
    const [userOf, groupOf] = await Promise.all([
      findUsernames(
        wishes.map(({ username }) => username),
        apis,
        signal,
      ),
      findGroupNames(
        wishes.map(({ group }) => group),
        apis,
        signal,
      ),
    ]);
    return (wish) => sightOnDataCenter(wish, userOf(wish.username), groupOf(wish.group), apis);
  },
});

function parseDataCenter(cells: Cells): Parsed<DataCenterWish> {
  const row = readRow(cells);
  const username = readUsername(row);
  const group = row.text('groupName');
  if (group === undefined) row.wrong('groupName: it is empty; the name of a group is expected.');
  const action = row.oneOf('action', ACTIONS) ?? 'add';
  return row.settle(username !== undefined && group !== undefined ? { username, group, action } : undefined);
}

const findGroupNames = (names: readonly string[], apis: DataCenter, signal: AbortSignal) =>
  lookEach(
    names,
    (name) => name,
    async (name, until) =>
      (await apis.groupExists(name, until))
        ? found(name)
        : refused('GROUP_NOT_FOUND', `There is no group called ${quoted(name)}.`),
    signal,
  );

function sightOnDataCenter(
  { group, action }: DataCenterWish,
  user: Finding<DataCenterUser>,
  named: Finding<string>,
  apis: DataCenter,
): Sight {
  if (user.kind !== 'found') return user;
  const { username, groups } = user.value;
  const claims = claim(usernameThing(username), groupThing({ name: group }), action);
  const member = groups?.includes(group);
  // Whoever is in a group proves that it is there, whatever became of the question.
  if (named.kind !== 'found' && !member) return named;
  if (member === (action === 'add')) return { kind: 'fulfilled', claims };
  const write = action === 'add' ? apis.addToGroup : apis.removeFromGroup;
  return { kind: 'ready', claims, before: { member }, write: (signal) => write({ group, username }, signal) };
}

const claim = (user: string, group: string, action: string): readonly Claim[] => [
  { thing: `${user} in ${group}`, wish: action },
];

/** Adds a person to a group, or takes one out; one who is where the row wants them is unchanged. */
export const membership: Operation = {
  name: 'membership',
  about: 'Adds a person to a group, or takes one out of it.',
  cloud,
  dataCenter,
};
