import type { RowReader } from './read-row.ts';

/** A person as a row names them; where both are given, the id decides. */
export type UserReference =
  | { readonly accountId: string; readonly email?: string | undefined }
  | { readonly accountId?: undefined; readonly email: string };

/** A group as a row names it; where both are given, the id decides. */
export type GroupReference =
  | { readonly groupId: string; readonly name?: string | undefined }
  | { readonly groupId?: undefined; readonly name: string };

/** The person of a row, by accountId or by email; a row with neither has a problem. */
export function readUser(row: RowReader): UserReference | undefined {
  const accountId = row.accountId();
  const email = row.email('email');
  if (accountId !== undefined) return { accountId, email };
  if (email !== undefined) return { email };
  if (row.text('accountId') === undefined && row.text('email') === undefined) {
    row.wrong('accountId, email: both are empty; one of them must say whom the row is about.');
  }
  return undefined;
}

/** The group of a row, by groupId or by groupName; a row with neither has a problem. */
export function readGroup(row: RowReader): GroupReference | undefined {
  const groupId = row.text('groupId');
  const name = row.text('groupName');
  if (groupId !== undefined) return { groupId, name };
  if (name !== undefined) return { name };
  row.wrong('groupId, groupName: both are empty; one of them must say which group the row is about.');
  return undefined;
}

/** The username of a Data Center row. Jira compares usernames without case. */
export function readUsername(row: RowReader): string | undefined {
  const username = row.text('username');
  if (username === undefined) row.wrong('username: it is empty; the username of the person is expected.');
  return username;
}

export const accountThing = (accountId: string): string => `account:${accountId}`;

/** The person as written, as the thing that a row claims. */
export const userThing = ({ accountId, email }: UserReference): string =>
  accountId === undefined ? `email:${email.toLowerCase()}` : accountThing(accountId);

/** In which terms a row names its person. */
export const userNaming = ({ accountId }: UserReference): string => (accountId === undefined ? 'address' : 'id');

/** In which terms a row names its group. */
export const groupNaming = ({ groupId }: GroupReference): string => (groupId === undefined ? 'name' : 'id');

/** The group as written, as the thing that a row claims. */
export const groupThing = ({ groupId, name }: GroupReference): string =>
  groupId === undefined ? `group-name:${name}` : `group:${groupId}`;

export const usernameThing = (username: string): string => `username:${username.toLowerCase()}`;
