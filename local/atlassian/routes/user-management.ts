import * as z from 'zod';

import { changeEmail, changeLifecycle, domainOf, lockOf } from '../engine/cloud-rules.ts';
import { ACCOUNT_ID, type User } from '../engine/state.ts';
import { type Answer, because, manageError, ok, Refused } from './answer.ts';
import { bodySchema, type Call, type Complaint, jsonBody, type Route } from './call.ts';

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
    handle: (call) => {
      jsonBody(call, bodySchema({ message: z.string().optional() }), complain);
      return setLifecycle(call, 'inactive');
    },
  },
  {
    method: 'POST',
    path: `${MANAGE}/lifecycle/enable`,
    api: 'user-management',
    about: 'Activates the account.',
    handle: (call) => setLifecycle(call, 'active'),
  },
];

const complain: Complaint = (_status, problem, field) =>
  because(problem, field ? violation(field, 'invalid') : manageError(400, 'bodyParseFailure'));

const violation = (field: string, key: string): Answer =>
  manageError(400, 'fieldConstraintsViolated', { fieldViolations: [{ field, violations: [{ key }] }] });

/** The account in the path, as it is now; refuses one that the organisation has not claimed. */
function managedUser(call: Call): User {
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

const locked = (user: User): Answer =>
  manageError(403, 'forbidden.action', { allowed: false, reason: { key: lockOf(user) } });

function getProfile(call: Call): Answer {
  const { accountId } = managedUser(call);
  const user = call.world.cloud.user(accountId, 'userManagement');
  if (!user) throw new Refused(manageError(404, 'accountNotFound'));
  const account = {
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
  };
  return ok({ account });
}

const newEmail = bodySchema({ email: z.string() });

/** Bounds of an address: 255 characters a part (the specification's `partMaxLength`). */
const PART_LENGTH = 255;

function setEmail(call: Call): Answer {
  const { email } = jsonBody(call, newEmail, complain);
  if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) return violation('email', 'validCharacters');
  if (email.split('@').some((part) => part.length > PART_LENGTH)) return violation('email', 'partMaxLength');
  const { cloud, behaviour } = call.world;
  const user = managedUser(call);
  const things = [`email/${user.accountId}`];
  switch (changeEmail(cloud, user, email)) {
    case 'changed':
      return { ...DONE, things, effective: true };
    case 'unchanged':
      return { ...(behaviour.switches.sameEmail === 'success' ? DONE : violation('email', 'unchanged')), things };
    case 'locked':
      return { ...locked(user), things };
    case 'unverified-domain':
      return { ...manageError(403, 'forbidden.unclaimedDomain', { domain: domainOf(email) }), things };
    case 'in-use':
      return { ...inUse(behaviour.switches.emailInUse), things };
  }
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

function setLifecycle(call: Call, wanted: 'active' | 'inactive'): Answer {
  const { cloud, behaviour } = call.world;
  const user = managedUser(call);
  const things = [`${wanted === 'active' ? 'reactivate' : 'deactivate'}/${user.accountId}`];
  switch (changeLifecycle(cloud, user, wanted)) {
    case 'changed':
      return { ...DONE, things, effective: true };
    case 'unchanged': {
      const choice = wanted === 'active' ? behaviour.switches.reEnable : behaviour.switches.reDisable;
      return { ...(choice === 'success' ? DONE : conflict(user, `already ${wanted}`)), things };
    }
    case 'locked':
      return { ...locked(user), things };
    case 'for-deletion':
      return { ...conflict(user, 'the account is to be deleted: call that off first'), things };
  }
}

const conflict = ({ accountId }: User, message: string): Answer =>
  manageError(409, 'conflict.lifecycleErrors', { message, accountId, errorCodes: [{ code: 'lifecycle', message }] });
