import * as z from 'zod';

import { type Answer, because, manageError, ok, Refused } from './answer.ts';
import { bodySchema, type Call, type Complaint, jsonBody } from './call.ts';
import { domainOf } from './invitation.ts';
import type { User } from './model.ts';
import type { Route } from './router.ts';

const MANAGE = '/users/{accountId}/manage';

/** The user management API: managed accounts and their lifecycle. */
export const userManagementRoutes: readonly Route[] = [
  { method: 'GET', path: `${MANAGE}/profile`, api: 'user-management', about: 'The account.', handle: getProfile },
  { method: 'PUT', path: `${MANAGE}/email`, api: 'user-management', about: 'Sets the address.', handle: setEmail },
  {
    method: 'POST',
    path: `${MANAGE}/lifecycle/disable`,
    api: 'user-management',
    about: 'Deactivates the account; wants an object, `message` is optional.',
    handle: disable,
  },
  {
    method: 'POST',
    path: `${MANAGE}/lifecycle/enable`,
    api: 'user-management',
    about: 'Activates the account.',
    handle: enable,
  },
];

const complain: Complaint = (_status, problem, field) =>
  because(problem, field ? violation(field, 'invalid') : manageError(400, 'bodyParseFailure'));

const violation = (field: string, key: string): Answer =>
  manageError(400, 'fieldConstraintsViolated', { fieldViolations: [{ field, violations: [{ key }] }] });

/** Account ids as the specification has them. */
const ACCOUNT_ID = /^[a-zA-Z0-9_|:-]{1,128}$/;

/** The account in the path, as it is now; refuses one that the organisation has not claimed. */
function managed(call: Call): User {
  const accountId = call.params['accountId'] ?? '';
  if (!ACCOUNT_ID.test(accountId)) throw new Refused(complain(400, 'the account id does not fit', 'account_id'));
  const user = call.world.cloud.user(accountId);
  if (!user || user.accountStatus === 'closed') throw new Refused(manageError(404, 'accountNotFound'));
  if (user.claimStatus === 'managed') return user;
  const { unmanagedAccount } = call.world.behaviour.switches;
  if (unmanagedAccount === 'notFound') throw new Refused(manageError(404, 'accountNotFound'));
  const key = unmanagedAccount === 'forbidden' ? 'forbidden' : 'forbidden.targetUnverified';
  throw new Refused(because('the account is not managed', manageError(403, key)));
}

/** Why this account's address and lifecycle are not to be changed here. */
const lockOf = (user: User): string | undefined =>
  user.lock ?? (user.managementSource === 'synced' ? 'externalDirectory.scim' : undefined);

/** The account in the path, if it may be changed. */
function changeable(call: Call): User {
  const user = managed(call);
  const lock = lockOf(user);
  if (lock === undefined) return user;
  throw new Refused(manageError(403, 'forbidden.action', { allowed: false, reason: { key: lock } }));
}

function getProfile(call: Call): Answer {
  managed(call);
  const user = call.world.cloud.user(call.params['accountId'] ?? '', 'userManagement');
  if (!user) throw new Refused(manageError(404, 'accountNotFound'));
  return ok({ account: account(user) });
}

const account = (user: User) => ({
  account_id: user.accountId,
  account_type: user.accountType,
  account_status: user.accountStatus,
  name: user.name,
  nickname: user.nickname ?? user.name,
  email: user.email,
  email_verified: true,
  zoneinfo: user.zoneinfo ?? 'Europe/Berlin',
  locale: user.locale ?? 'en-US',
  extended_profile: {
    job_title: user.jobTitle ?? '',
    organization: user.organization ?? '',
    department: user.department ?? '',
    location: user.location ?? '',
  },
});

const newEmail = bodySchema({ email: z.string() });

/** Bounds of an address: 255 characters a part (the specification's `partMaxLength`). */
const PART_LENGTH = 255;

function setEmail(call: Call): Answer {
  const { email } = jsonBody(call, newEmail, complain);
  if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) throw new Refused(violation('email', 'validCharacters'));
  if (email.split('@').some((part) => part.length > PART_LENGTH))
    throw new Refused(violation('email', 'partMaxLength'));
  const user = changeable(call);
  const { cloud, behaviour } = call.world;
  const things = [`email/${user.accountId}`];
  const domain = domainOf(email);
  const verified = cloud.organisation.domains.some(({ name, status }) => name === domain && status === 'verified');
  if (!verified) return { ...manageError(403, 'forbidden.unclaimedDomain', { domain }), things };
  const holder = cloud.byEmail(email);
  if (holder && holder.accountId !== user.accountId) return { ...inUse(behaviour.switches.emailInUse), things };
  if (user.email === email) {
    return { ...(behaviour.switches.sameEmail === 'success' ? DONE : violation('email', 'unchanged')), things };
  }
  cloud.putUser({ ...user, email });
  return { ...DONE, things, effective: true };
}

const DONE: Answer = { status: 204 };

/** Atlassian documents no answer for an address that is taken. */
function inUse(choice: '400' | '403' | '409'): Answer {
  switch (choice) {
    case '400':
      return violation('email', 'alreadyInUse');
    case '403':
      return manageError(403, 'forbidden');
    case '409':
      return manageError(409, 'conflict', { message: 'The e-mail address is in use.' });
  }
}

const farewell = bodySchema({ message: z.string().optional() });

function disable(call: Call): Answer {
  jsonBody(call, farewell, complain);
  const user = changeable(call);
  const things = [`deactivate/${user.accountId}`];
  if (user.accountStatus === 'inactive') {
    return { ...again(user, call.world.behaviour.switches.reDisable, 'already inactive'), things };
  }
  call.world.cloud.putUser({ ...user, accountStatus: 'inactive' });
  return { ...DONE, things, effective: true };
}

function enable(call: Call): Answer {
  const user = changeable(call);
  const things = [`reactivate/${user.accountId}`];
  if (user.forDeletion) return { ...conflict(user, 'the account is to be deleted: call that off first'), things };
  if (user.accountStatus === 'active') {
    return { ...again(user, call.world.behaviour.switches.reEnable, 'already active'), things };
  }
  call.world.cloud.putUser({ ...user, accountStatus: 'active' });
  return { ...DONE, things, effective: true };
}

const again = (user: User, choice: '409' | 'success', message: string): Answer =>
  choice === 'success' ? DONE : conflict(user, message);

const conflict = ({ accountId }: User, message: string): Answer =>
  manageError(409, 'conflict.lifecycleErrors', { message, accountId, errorCodes: [{ code: 'lifecycle', message }] });
