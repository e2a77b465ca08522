import type { Cloud, Group } from '../atlassian/apis.ts';
import { type Finding, found, refused } from './finding.ts';
import { quoted } from './read-row.ts';
import type { GroupReference } from './references.ts';

type Groups = (reference: GroupReference) => Finding<Group>;

/**
 * Which groups the references of a batch are. Names are the Jira site's (group/bulk matches them exactly); the organisation,
 * where there are keys for it, knows the ids and which groups an identity provider fills.
 */
export async function findGroups(
  references: readonly GroupReference[],
  { jira, organisation }: Cloud,
  signal: AbortSignal,
): Promise<Groups> {
  const groupIds = unique(references.flatMap(({ groupId }) => groupId ?? []));
  const names = unique(references.flatMap(({ groupId, name }) => (groupId === undefined ? name : [])));
  const [identified, named, known] = await Promise.all([
    groupIds.length > 0 ? (organisation ?? jira).findGroupsById(groupIds, signal) : [],
    names.length > 0 ? jira.findGroupsByName(names, signal) : [],
    names.length > 0 && organisation ? organisation.findGroupsByName(names, signal) : [],
  ]);
  const byId = new Map(identified.map((group) => [group.groupId, group]));
  const external = new Map(known.map((group) => [group.groupId, group.external]));
  const byName = Map.groupBy(new Map(named.map((group) => [group.groupId, group])).values(), ({ name }) => name);
  return (reference) => {
    if (reference.groupId !== undefined) return resolveId(reference.groupId, reference.name, byId);
    const group = resolveName(reference.name, byName);
    if (group.kind !== 'found') return group;
    return found({ ...group.value, external: external.get(group.value.groupId) });
  };
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
