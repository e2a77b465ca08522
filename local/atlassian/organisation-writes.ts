import { type Answer, ok, organisationError } from './answer.ts';
import type { World } from './call.ts';
import type { User } from './model.ts';

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

const LICENCE = organisationError(409, 'ADMIN-409-3', 'Licence limit exceeded');

/** Atlassian does not say what a write of what is so already answers: a switch does. */
function again(choice: '400' | '409' | 'success', title: string, done: Answer): Answer {
  if (choice === 'success') return done;
  const status = Number(choice);
  return organisationError(status, `ADMIN-${status}-4`, title);
}
