import { because, organisationError, Refused } from './answer.ts';
import type { Call, Complaint } from './call.ts';
import type { Group } from './cloud-state.ts';
import type { User } from './model.ts';

/** The organisation API's answer to a request that is not as it should be. */
export const complain: Complaint = (status, problem) =>
  because(
    problem,
    status === 415
      ? organisationError(415, 'ADMIN-UAM-415-1', 'Unsupported media type')
      : organisationError(400, 'ADMIN-400-24', 'Invalid request body', problem),
  );

/** Refuses in the organisation API's words. */
export const refuse = (status: number, code: string, title: string): never => {
  throw new Refused(organisationError(status, code, title));
};

/** Refuses another organisation's id. */
export function requireOrganisation(call: Call): void {
  if (call.params['orgId'] !== call.world.cloud.organisation.orgId) {
    refuse(404, 'ADMIN-404-2', 'Organization not found');
  }
}

/** Refuses an unknown directory; `-` stands for all, in reads only. */
export function requireDirectory(call: Call, access: 'read' | 'write'): void {
  requireOrganisation(call);
  if (call.world.behaviour.switches.v2Directory === 'absent') refuse(404, 'ADMIN-404-1', 'Not found');
  const directoryId = call.params['directoryId'];
  if (directoryId === '-' && access === 'read') return;
  const known = call.world.cloud.organisation.directories.some((directory) => directory.directoryId === directoryId);
  if (!known) throw new Refused(because('no such directory', organisationError(404, 'ADMIN-404-1', 'Not found')));
}

/** Account ids as the user management API's pattern has them. */
const ACCOUNT_ID = /^[a-zA-Z0-9_|:-]{1,128}$/;

/** The member of the organisation that the path, or this id, names. */
export function member(call: Call, accountId = call.params['accountId'] ?? ''): User {
  if (!ACCOUNT_ID.test(accountId))
    throw new Refused(complain(400, 'the account id does not fit [a-zA-Z0-9_|:-]{1,128}'));
  const user = call.world.cloud.user(accountId);
  if (!user || user.membershipStatus === 'no_membership' || user.accountStatus === 'closed') {
    return refuse(404, 'ADMIN-404-8', 'User not found');
  }
  return user;
}

/** One word for what accountStatus and membershipStatus say together. */
export function statusOf(user: User): 'active' | 'suspended' | 'not_invited' | 'deactivated' | 'for_deletion' {
  if (user.forDeletion) return 'for_deletion';
  if (user.accountStatus !== 'active') return 'deactivated';
  if (user.membershipStatus === 'suspended') return 'suspended';
  return user.membershipStatus === 'no_membership' ? 'not_invited' : 'active';
}

/** The v2 API's User, with what `expand` asks for. */
export function userJson(call: Call, user: User, expand: readonly string[] = []): Record<string, unknown> {
  const groups = expand.includes('groups') ? call.world.cloud.groupsOf(user.accountId, 'organisation') : undefined;
  return {
    accountId: user.accountId,
    accountType: user.accountType,
    status: statusOf(user),
    accountStatus: user.accountStatus,
    membershipStatus: user.membershipStatus,
    addedToOrg: user.addedToOrg ?? '2024-01-15T09:00:00.000Z',
    name: user.name,
    nickname: user.nickname ?? user.name,
    email: user.email,
    emailVerified: true,
    claimStatus: user.claimStatus,
    platformRoles: user.orgAdmin ? ['atlassian/org-admin'] : [],
    managementSource: user.managementSource,
    mfaEnabled: false,
    ...(groups ? { groups: groups.map(({ groupId, name }) => ({ id: groupId, name })) } : {}),
    ...(expand.includes('productAccess') ? { productAccess: user.products.map((key) => ({ key })) } : {}),
    ...(user.forDeletion ? { forDeletion: true } : {}),
  };
}

/** The v2 API's Group, with what `expand` asks for. */
export function groupJson(call: Call, group: Group, expand: readonly string[] = []): Record<string, unknown> {
  const { cloud } = call.world;
  const counts = {
    ...(expand.includes('counts.users') ? { users: cloud.memberCount(group.groupId) } : {}),
    ...(expand.includes('counts.resources') ? { resources: group.products.length } : {}),
  };
  return {
    id: group.groupId,
    name: group.name,
    description: group.description ?? '',
    directoryId: cloud.organisation.directories[0]?.directoryId,
    managementAccess: { deletable: !group.externalSynced, modifiable: !group.externalSynced, readable: true },
    externalSynced: group.externalSynced,
    managedBy: group.externalSynced ? 'external' : 'admins',
    ...(Object.keys(counts).length > 0 ? { counts } : {}),
  };
}

/** What an invitation is to allow, and where. */
export interface PermissionRule {
  readonly resource: string;
  readonly role: string;
}

/** `ari:cloud:<product>::site/<cloudId>`, with a role that gives access. */
export function productOf({ world: { cloud } }: Call, { resource, role }: PermissionRule): string {
  const [, product = '', cloudId] = /^ari:cloud:([a-z-]+)::site\/(.+)$/.exec(resource) ?? [];
  if (cloudId !== cloud.site.cloudId) refuse(400, 'ADMIN-UAM-400-1', `Bad request: no such resource ${resource}`);
  if (!/^atlassian\/[a-z-]+$/.test(role)) refuse(400, 'ADMIN-UAM-400-3', 'Invalid role for resource');
  if (!cloud.seats.licensed(product)) refuse(400, 'ADMIN-UAM-400-4', 'Product not licensed');
  return product;
}
