import { distance } from 'fastest-levenshtein';

import type { Cloud, DataCenter, Group } from '../atlassian/apis.ts';
import { describeOddities, foldName } from '../folding.ts';
import { quoted } from './columns.ts';
import { type Finding, found, lookUpEach, refused, type Stopped, valueOf, whenFound } from './finding.ts';

/** A group as a row names it, or by id alone; where both are given, the id decides. */
export type GroupReference =
  | { readonly groupId: string; readonly groupName?: string | undefined }
  | { readonly groupId?: undefined; readonly groupName: string };

/** A group that was found, and what to tell of it where its name is not written as the row has it. */
export interface FoundGroup extends Group {
  readonly message?: string | undefined;
}

/**
 * Which groups the references of a batch are. Names are the Jira site's (group/bulk matches them exactly); the organisation,
 * where there are keys for it, knows the ids and which groups an identity provider fills. A name that nothing has exactly is looked
 * for among those that look the same.
 */
export async function findGroups(
  references: readonly GroupReference[],
  { jira, organisation }: Cloud,
  signal: AbortSignal,
): Promise<(reference: GroupReference) => Finding<FoundGroup>> {
  const groupIds = unique(references.flatMap(({ groupId }) => groupId ?? []));
  const names = unique(references.flatMap(({ groupId, groupName }) => (groupId === undefined ? groupName : [])));
  const [identified, named, known] = await Promise.all([
    groupIds.length > 0 ? (organisation ?? jira).findGroupsById(groupIds, signal) : [],
    names.length > 0 ? jira.findGroupsByName(names, signal) : [],
    names.length > 0 && organisation ? organisation.findGroupsByName(names, signal) : [],
  ]);
  const byId = new Map(identified.map((group) => [group.groupId, group]));
  const byName = Map.groupBy(new Map(named.map((group) => [group.groupId, group])).values(), ({ name }) => name);
  const likeOf = await lookUpEach(
    names.filter((name) => !byName.has(name)),
    (name) => name,
    async (name, until) => findLike(name, await jira.pickGroups(askFor(name), until)),
    signal,
  );
  const liked = names.filter((name) => !byName.has(name)).flatMap((name) => valueOf(likeOf(name)));
  const others = organisation && liked.length > 0 ? await organisation.findGroupsById(liked.map(idOf), signal) : [];
  const external = new Map([...known, ...others].map((group) => [group.groupId, group.external]));
  return (reference) => {
    if (reference.groupId !== undefined) return resolveId(reference.groupId, reference.groupName, byId);
    const name = reference.groupName;
    const exact = byName.get(name);
    return whenFound(exact ? resolveName(name, exact) : likeOf(name), (group) =>
      found({ ...group, external: external.get(group.groupId) }),
    );
  };
}

const unique = (values: readonly string[]): readonly string[] => [...new Set(values)];

const idOf = ({ groupId }: Group): string => groupId;

function resolveId(groupId: string, name: string | undefined, byId: ReadonlyMap<string, Group>): Finding<FoundGroup> {
  const group = byId.get(groupId);
  if (!group) return refused('GROUP_NOT_FOUND', `There is no group with the id ${quoted(groupId)}.`);
  if (name === undefined || name === group.name) return found(group);
  if (foldName(name) === foldName(group.name)) return found({ ...group, message: tellTaken(name, group.name) });
  return refused(
    'GROUP_MISMATCH',
    `The group ${quoted(groupId)} is called ${quoted(group.name)} and not ${quoted(name)}; nothing was written.`,
  );
}

function resolveName(name: string, [group, another]: readonly Group[]): Finding<FoundGroup> {
  if (!group) return noSuchGroup(name, []);
  if (another)
    return refused('GROUP_NOT_FOUND', `More than one group is called ${quoted(name)}; put the group id in the row.`);
  return found(group);
}

/** What to ask a search for that finds whatever looks like a name: its longest part that is written in one way only. */
function askFor(name: string): string {
  const parts = name.match(/[A-Za-z0-9]+/g) ?? [];
  return parts.reduce((longest, part) => (part.length > longest.length ? part : longest), '') || name.normalize('NFC');
}

/** The one group of those that a search found which can be meant by a name. */
function findLike<Found extends { readonly name: string }>(
  name: string,
  groups: readonly Found[],
): Finding<Found & { readonly message?: string | undefined }> {
  const [group, another] = groups.filter((one) => foldName(one.name) === foldName(name));
  if (group && another) {
    const both = `${quoted(group.name)} and ${quoted(another.name)}`;
    return refused(
      'GROUP_NOT_FOUND',
      `More than one group looks like ${quoted(name)}: ${both}. Write the name as Jira has it, or put the group id in the row.`,
    );
  }
  return group ? found({ ...group, message: tellTaken(name, group.name) }) : noSuchGroup(name, groups);
}

/** Says which group a name was taken for, and how it differs. */
function tellTaken(name: string, actual: string): string | undefined {
  if (name === actual) return undefined;
  const odd = [...tellOdd('the row', name), ...tellOdd('Jira', actual)];
  return `Taken for the group ${quoted(actual)}${odd.length > 0 ? `: ${odd.join('; ')}` : ', which is written in another case'}.`;
}

const tellOdd = (where: string, name: string): readonly string[] => {
  const oddities = describeOddities(name);
  return oddities.length === 0 ? [] : [`${where} has ${oddities.join(', ')}`];
};

/** Nobody's name: says what can be seen of it that is odd, whether it lists several groups, and what comes near. */
function noSuchGroup(name: string, groups: readonly { readonly name: string }[]): Stopped {
  const parts = name
    .split(/[,;|\n]/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const list =
    parts.length > 1
      ? ` A row names one group: if these are several, write a row for each (${quoted(parts[0] ?? '')}, …).`
      : '';
  const odd = tellOdd('It', name).map((one) => ` ${one}.`);
  const near = nearestOf(name, groups);
  const nearest = near === undefined ? '' : ` Is ${quoted(near)} meant?`;
  return refused('GROUP_NOT_FOUND', `There is no group called ${quoted(name)}.${list}${odd.join('')}${nearest}`);
}

/** The name that is the fewest letters away, if it is near at all. */
function nearestOf(name: string, groups: readonly { readonly name: string }[]): string | undefined {
  const folded = foldName(name);
  const near = groups
    .map((group) => ({ name: group.name, apart: distance(folded, foldName(group.name)) }))
    .filter(({ apart }) => apart <= Math.max(1, Math.floor(folded.length / 4)));
  return near.toSorted((one, other) => one.apart - other.apart)[0]?.name;
}

/** The names of groups on Data Center, which compares them without case (Crowd); each by a call. */
export const findGroupNames = (
  rows: readonly { readonly group: string }[],
  apis: Pick<DataCenter, 'pickGroups' | 'hasGroup'>,
  signal: AbortSignal,
): Promise<(row: { readonly group: string }) => Finding<FoundName>> =>
  lookUpEach(
    rows,
    ({ group }) => group,
    async ({ group }, until) => {
      const written = await apis.pickGroups(group, until);
      const same = written.names.find((name) => name.toLowerCase() === group.toLowerCase());
      if (same !== undefined) return found({ name: same, message: undefined });
      if (!written.isWhole && (await apis.hasGroup(group, until))) return found({ name: group, message: undefined });
      const { names } = await apis.pickGroups(askFor(group), until);
      return findLike(
        group,
        names.map((name) => ({ name })),
      );
    },
    signal,
  );

interface FoundName {
  readonly name: string;
  readonly message?: string | undefined;
}
