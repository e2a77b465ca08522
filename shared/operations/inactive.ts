import type { DataCenterUser, OrganisationUser } from '../atlassian/apis.ts';
import { Refusal } from '../atlassian/errors.ts';
import { quoted } from './columns.ts';

type Person = OrganisationUser | DataCenterUser;

/** Why a row would give somebody who is there no access, with the operation that helps; `undefined` where nothing tells of that. */
export function refuseInactive(person: Person): Refusal | undefined {
  const found = inactivityOf(person);
  return found && new Refusal(found.code, `${nameOf(person)} is ${found.is}; it must be ${found.helped} first.`);
}

/** The same for a change that is made all the same. */
export function noteInactive(person: Person): string | undefined {
  const found = inactivityOf(person);
  return found && `${nameOf(person)} is ${found.is} and has no access until it is ${found.helped}.`;
}

/** Somebody whom the organisation knows and whose access it never gave, or took wholly away. */
export const refuseStranger = ({ accountId }: OrganisationUser): Refusal =>
  new Refusal(
    'USER_NOT_FOUND',
    `The account ${quoted(accountId)} is no member of the organisation's directory; invite the person first (operation creation).`,
  );

const SUSPENDED = { code: 'USER_SUSPENDED', is: 'suspended', helped: 'restored (operation restore)' } as const;
const DEACTIVATED = {
  code: 'USER_DEACTIVATED',
  is: 'deactivated',
  helped: 'reactivated (operation reactivate)',
} as const;

/** Jira alone does not tell which of the two it is. */
const INACTIVE = {
  code: 'USER_SUSPENDED',
  is: 'inactive in Jira',
  helped: 'restored (operation restore) or reactivated (operation reactivate)',
} as const;

// Nobody can log in with an account that is deactivated, whatever its memberships: that comes first.
function inactivityOf(person: Person): typeof SUSPENDED | typeof DEACTIVATED | typeof INACTIVE | undefined {
  if ('username' in person) return person.active ? undefined : SUSPENDED;
  const { accountStatus, membershipStatus, active } = person;
  if (accountStatus === 'inactive') return DEACTIVATED;
  if (membershipStatus === 'suspended') return SUSPENDED;
  return active === false ? INACTIVE : undefined;
}

const nameOf = (person: Person): string =>
  'username' in person ? `The user ${quoted(person.username)}` : `The account ${quoted(person.accountId)}`;
