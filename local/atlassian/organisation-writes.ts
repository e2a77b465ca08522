import { type Answer, ok, organisationError } from './answer.ts';
import type { World } from './call.ts';
import type { Group } from './cloud-state.ts';
import type { User } from './model.ts';

/** Puts a user in a group. */
export function joined({ cloud, behaviour }: World, group: Group, user: User): Answer {
  const things = [`membership/${group.groupId}/${user.accountId}`];
  if (group.externalSynced) return { ...EXTERNAL, things };
  const done = ok({ message: `User ${user.accountId} was added to group ${group.groupId}` });
  if (cloud.isMember(group.groupId, user.accountId)) {
    return { ...again(behaviour.switches.orgGroupDuplicate, 'User is already a member of the group', done), things };
  }
  const gained = group.products.filter((product) => !user.products.includes(product));
  if (cloud.seats.full(gained).length > 0) return { ...LICENCE, things };
  if (gained.length > 0) cloud.putUser({ ...user, products: [...user.products, ...gained] });
  cloud.setMember(group.groupId, user.accountId, true);
  return { ...done, things, effective: true };
}

/** Takes a user out of a group. */
export function left({ cloud, behaviour }: World, group: Group, user: User): Answer {
  const things = [`membership/${group.groupId}/${user.accountId}`];
  if (group.externalSynced) return { ...EXTERNAL, things };
  const done = ok({ message: `User ${user.accountId} was removed from group ${group.groupId}` });
  if (!cloud.isMember(group.groupId, user.accountId)) {
    const { removeNonMember } = behaviour.switches;
    if (removeNonMember === '404') return { ...organisationError(404, 'ADMIN-404-8', 'User not found'), things };
    return { ...again(removeNonMember, 'User is not a member of the group', done), things };
  }
  cloud.setMember(group.groupId, user.accountId, false);
  return { ...done, things, effective: true };
}

/** Takes a user's access away; roles and groups stay. */
export function suspended({ cloud, behaviour }: World, user: User): Answer {
  const things = [`suspend/${user.accountId}`];
  const done = ok({
    message: `Access to organization ${cloud.organisation.name} was suspended for user ${user.accountId}`,
  });
  if (user.membershipStatus === 'suspended') {
    return { ...again(behaviour.switches.reSuspend, 'User is already suspended', done), things };
  }
  cloud.putUser({ ...user, membershipStatus: 'suspended' });
  return { ...done, things, effective: true };
}

/** Gives a suspended user their access back. */
export function restored({ cloud, behaviour }: World, user: User): Answer {
  const things = [`restore/${user.accountId}`];
  const done = ok({
    message: `Access to organization ${cloud.organisation.name} was restored for user ${user.accountId}`,
  });
  if (user.membershipStatus === 'active') {
    return { ...again(behaviour.switches.reRestore, 'User is not suspended', done), things };
  }
  if (cloud.seats.full(user.products).length > 0) return { ...LICENCE, things };
  cloud.putUser({ ...user, membershipStatus: 'active' });
  return { ...done, things, effective: true };
}

const EXTERNAL = organisationError(403, 'ADMIN-403-5', 'Not allowed to manage this group');
const LICENCE = organisationError(409, 'ADMIN-409-3', 'Licence limit exceeded');

/** Atlassian does not say what a write of what is so already answers: a switch does. */
function again(choice: '400' | '409' | 'success', title: string, done: Answer): Answer {
  if (choice === 'success') return done;
  const status = Number(choice);
  return organisationError(status, `ADMIN-${status}-4`, title);
}
