import type { Cloud, DataCenter } from '../atlassian/apis.ts';

/**
 * How many people are active at a target: as the organisation counts them, or by the list of all users where one is read for the
 * job anyway; `undefined` where nobody tells.
 */
export async function countActivePeople(apis: Cloud | DataCenter, signal: AbortSignal): Promise<number | undefined> {
  const { keep } = apis;
  const organisation = 'jira' in apis ? apis.organisation : undefined;
  if (organisation) return keep('active people', () => organisation.countActiveUsers(signal));
  const listing = await apis.listings?.findUsers(signal);
  return listing?.isWhole ? listing.active : undefined;
}

/** How many members a group has, by its id or on Data Center by its name; `undefined` where Jira does not tell. */
export async function countMembers(
  apis: Cloud | DataCenter,
  group: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { listMembers } = 'jira' in apis ? apis.jira : apis;
  return (await listMembers(group, 0, signal))?.total;
}
