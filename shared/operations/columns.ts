import type { Column } from './operation.ts';

/** Columns that several operations share, with the spellings of Atlassian's exports and of the articles that admins follow. */
export const ACCOUNT_ID = column(
  'accountId',
  ['account_id', 'User id', 'userid', 'Atlassian ID'],
  "The person's account id; where an e-mail address is given too, the id decides and the address must be this account's.",
);

export const EMAIL = column('email', ['emailAddress'], "The person's present e-mail address.");

export const GROUP_ID = column(
  'groupId',
  ['groupid', 'Group id'],
  "The group's id; where a name is given too, the id decides and the name must be this group's.",
);

export const GROUP_NAME = column('groupName', ['group', 'Group name', 'groupname'], "The group's name, to the letter.");

export const USERNAME = column('username', [], "The person's username in Jira Data Center.");

export const ORG_ID = column('orgId', ['org_id'], "The organisation's id; where given, it must be the target's.");

export const NEW_EMAIL = column('newEmail', ['new_email'], 'The new e-mail address.');

export const OLD_EMAIL = column(
  'oldEmail',
  ['old_email'],
  'The present e-mail address; the account must have it, or nothing is written.',
);

/** A column of ours; its own name is read as the aliases are. */
export function column(name: string, aliases: readonly string[], about: string): Column {
  return { name, aliases, about };
}
