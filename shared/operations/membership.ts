import * as z from 'zod';

import type { Cloud, DataCenter, Group } from '../atlassian/apis.ts';
import { Refusal } from '../atlassian/errors.ts';
import {
  ACCOUNT_ID,
  column,
  EMAIL,
  type Parsed,
  quoted,
  readRow,
  type RowReader,
  userKey,
  USERNAME,
  type UsernameReference,
  type UserReference,
} from './columns.ts';
import { findPeople, findUsers } from './find-people.ts';
import { type Finding, found, lookUpEach, refused, whenFound } from './finding.ts';
import { type Cells, defineRecipe, type Operation, type SubjectKey } from './operation.ts';

const GROUP_ID = column(
  'groupId',
  ['groupid', 'Group id'],
  "The group's id; where a name is given too, the id decides and the name must be this group's.",
);

const GROUP_NAME = column('groupName', ['group', 'Group name', 'groupname'], "The group's name, exactly as in Jira.");

const ACTIONS = ['add', 'remove'] as const;
const ACTION = column('action', ['operation', 'add/remove'], '`add` or `remove`; `add` where it is empty.');

/** A group as a row names it, or by id alone; where both are given, the id decides. */
type GroupReference =
  | { readonly groupId: string; readonly groupName?: string | undefined }
  | { readonly groupId?: undefined; readonly groupName: string };

const groupKey = ({ groupId, groupName }: GroupReference): string =>
  groupId === undefined ? `group-name:${groupName}` : `group:${groupId}`;

type Named = UserReference & GroupReference;
type Row<Reference> = Reference & { readonly action: (typeof ACTIONS)[number] };

/** Unknown is neither in nor out: then the write's own answer tells. */
const BEFORE = z.object({ member: z.boolean().optional() });
const AFTER = z.object({ member: z.boolean() });

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
  parse: parseCloud,
  keys: (named: Named, { member }) => keysOf(userKey(named), groupKey(named), member),
  resolve: async (rows, apis: Cloud, signal) => {
    const [memberOf, groupOf] = await Promise.all([
      findPeople(rows, apis, { groups: true }, signal),
      findGroups(rows, apis, signal),
    ]);
    return (row) =>
      whenFound(memberOf(row), ({ accountId, groupIds }) =>
        whenFound(groupOf(row), ({ groupId, name, external }) =>
          found({
            subject: { accountId, groupId },
            state: { member: groupIds?.includes(groupId) },
            refusal: external
              ? new Refusal('GROUP_EXTERNAL', `An identity provider fills the group ${quoted(name)}.`)
              : undefined,
          }),
        ),
      );
  },
  read: async (subjects, apis, signal) => {
    const personOf = await findPeople(subjects, apis, { groups: true }, signal);
    return (subject) =>
      whenFound(personOf(subject), ({ groupIds }) => found({ state: { member: groupIds?.includes(subject.groupId) } }));
  },
  desired: ({ action }) => ({ member: action === 'add' }),
  isAsDesired: (state, { member }) => state.member === member,
  write: ({ subject, after }, { jira }, signal) =>
    after.member ? jira.addToGroup(subject, signal) : jira.removeFromGroup(subject, signal),
});

function parseCloud(cells: Cells): Parsed<Row<Named>> {
  const reader = readRow(cells);
  const user = reader.user();
  const group = readGroup(reader);
  const action = reader.oneOf('action', ACTIONS) ?? 'add';
  return reader.settle(user && group && { ...user, ...group, action });
}

/** The group of a row, by groupId or by groupName; a row with neither has a problem. */
function readGroup(reader: RowReader): GroupReference | undefined {
  const groupId = reader.text('groupId');
  const groupName = reader.text('groupName');
  if (groupId !== undefined) return { groupId, groupName };
  if (groupName !== undefined) return { groupName };
  reader.wrong('groupId, groupName: both are empty; one of them must say which group the row is about.');
  return undefined;
}

/**
 * Which groups the references of a batch are. Names are the Jira site's (group/bulk matches them exactly); the organisation,
 * where there are keys for it, knows the ids and which groups an identity provider fills.
 */
async function findGroups(
  references: readonly GroupReference[],
  { jira, organisation }: Cloud,
  signal: AbortSignal,
): Promise<(reference: GroupReference) => Finding<Group>> {
  const groupIds = unique(references.flatMap(({ groupId }) => groupId ?? []));
  const names = unique(references.flatMap(({ groupId, groupName }) => (groupId === undefined ? groupName : [])));
  const [identified, named, known] = await Promise.all([
    groupIds.length > 0 ? (organisation ?? jira).findGroupsById(groupIds, signal) : [],
    names.length > 0 ? jira.findGroupsByName(names, signal) : [],
    names.length > 0 && organisation ? organisation.findGroupsByName(names, signal) : [],
  ]);
  const byId = new Map(identified.map((group) => [group.groupId, group]));
  const external = new Map(known.map((group) => [group.groupId, group.external]));
  const byName = Map.groupBy(new Map(named.map((group) => [group.groupId, group])).values(), ({ name }) => name);
  return (reference) =>
    reference.groupId === undefined
      ? whenFound(resolveName(reference.groupName, byName), (group) =>
          found({ ...group, external: external.get(group.groupId) }),
        )
      : resolveId(reference.groupId, reference.groupName, byId);
}

function resolveId(groupId: string, name: string | undefined, byId: ReadonlyMap<string, Group>): Finding<Group> {
  const group = byId.get(groupId);
  if (!group) return refused('GROUP_NOT_FOUND', `There is no group with the id ${quoted(groupId)}.`);
  if (name === undefined || name === group.name) return found(group);
  return refused('GROUP_MISMATCH', `The group ${quoted(groupId)} is not called ${quoted(name)}; nothing was written.`);
}

function resolveName(name: string, byName: ReadonlyMap<string, readonly Group[]>): Finding<Group> {
  const [group, another] = byName.get(name) ?? [];
  if (!group) return refused('GROUP_NOT_FOUND', `There is no group called ${quoted(name)}.`);
  if (another)
    return refused('GROUP_NOT_FOUND', `More than one group is called ${quoted(name)}; put the group id in the row.`);
  return found(group);
}

const unique = (values: readonly string[]): readonly string[] => [...new Set(values)];

type NamedOnDataCenter = UsernameReference & { readonly group: string };

const dataCenter = defineRecipe({
  columns: [USERNAME, GROUP_NAME, ACTION],
  required: [['username'], ['groupName']],
  change: { subject: z.object({ group: z.string(), username: z.string() }), before: BEFORE, after: AFTER },
  parse: parseDataCenter,
  keys: (named: NamedOnDataCenter, { member }) => keysOf(userKey(named), groupKey({ groupName: named.group }), member),
  resolve: async (rows, apis: DataCenter, signal) => {
    const [userOf, groupOf] = await Promise.all([findUsers(rows, apis, signal), findGroupNames(rows, apis, signal)]);
    return (row) =>
      whenFound(userOf(row), ({ username, groups }) => {
        const group = groupOf(row);
        const member = groups?.includes(row.group);
        // Whoever is in a group proves that it is there, whatever became of the question.
        if (group.kind !== 'found' && !member) return group;
        return found({ subject: { username, group: row.group }, state: { member } });
      });
  },
  read: async (subjects, apis, signal) => {
    const userOf = await findUsers(subjects, apis, signal);
    return (subject) =>
      whenFound(userOf(subject), ({ groups }) => found({ state: { member: groups?.includes(subject.group) } }));
  },
  desired: ({ action }) => ({ member: action === 'add' }),
  isAsDesired: (state, { member }) => state.member === member,
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

const findGroupNames = (rows: readonly NamedOnDataCenter[], apis: DataCenter, signal: AbortSignal) =>
  lookUpEach(
    rows,
    ({ group }) => group,
    async ({ group }, until) =>
      (await apis.groupExists(group, until))
        ? found(group)
        : refused('GROUP_NOT_FOUND', `There is no group called ${quoted(group)}.`),
    signal,
  );

/** Adds a person to a group, or takes one out; one who is where the row wants them is unchanged. */
export const membership: Operation = {
  name: 'membership',
  about: 'Adds a person to a group, or takes one out of it.',
  cloud,
  dataCenter,
};
