import { describe, expect, it } from 'vitest';

import { findOtherUse, foreignColumns } from '../../../shared/operations/foreign-columns.ts';
import { OPERATIONS } from '../../../shared/operations/index.ts';

/** Atlassian's export of a directory's people, with all that may be ticked. */
const USERS_EXPORT =
  'User name,User status,Added to org,Org role,Last seen in Jira Service Management - acme,Last seen in Jira - acme,' +
  'Last seen in Confluence - acme,Last seen in Atlas - acme,Jira - acme,Confluence - acme';

const ACME = {
  type: 'cloud',
  name: 'acme',
  siteUrl: 'https://acme.example',
  apiUrl: 'https://api.example',
  email: 'a@acme.example',
  apiToken: 'x',
} as const;
const JIRA = { type: 'data-center', name: 'jira', baseUrl: 'https://jira.example', token: 'x' } as const;

describe('a header that lacks columns', () => {
  it.each([
    [
      ACME,
      'membership',
      'username,group',
      /columns of membership at a Jira Data Center, and the target acme is a Jira Cloud/,
    ],
    [
      JIRA,
      'membership',
      'email,group',
      /columns of membership at a Jira Cloud, and the target jira is a Jira Data Center/,
    ],
    [ACME, 'email-change', 'email,group', /columns of membership; .*put the file into acme\/membership\//],
    [ACME, 'membership', 'old_email,new_email', /columns of email-change; .*put the file into acme\/email-change\//],
  ])('%s: %s with %s', (target, operation, header, says) => {
    expect(findOtherUse(header.split(','), { target, operation }, OPERATIONS)).toMatch(says);
  });

  it('fits nothing else for naming a person alone', () => {
    expect(findOtherUse(['email', 'Office'], { target: ACME, operation: 'membership' }, OPERATIONS)).toBeUndefined();
  });
});

const told = (operation: string, header: string) => foreignColumns(operation, header.split(','), OPERATIONS);

describe('columns that only another operation has', () => {
  it.each([
    ['suspend', 'Department,products', 'creation', ['products']],
    ['suspend', 'newEmail', 'email-change', ['newEmail']],
    ['deactivate', 'NEW_EMAIL,Old e-mail,old email', 'email-change', ['NEW_EMAIL', 'Old e-mail', 'old email']],
    ['suspend', 'groupId', 'membership', ['groupId']],
    ['suspend', 'Group name,Action', 'membership', ['Group name', 'Action']],
    ['creation', 'group', 'membership', ['group']],
    ['suspend', 'message', 'deactivate', ['message']],
    ['membership', 'products,new_email,old_email', 'email-change', ['new_email', 'old_email']],
  ])('in %s/ with %s tell of %s', (operation, header, other, columns) => {
    expect(told(operation, header)).toEqual({ operation: other, columns });
  });

  it.each([
    ['suspend', USERS_EXPORT],
    ['deactivate', USERS_EXPORT],
    ['suspend', 'displayName,Department,Manager,Start date,username,status,orgId'],
    ['creation', 'First name,Last name,orgId,accountId,username'],
    ['membership', 'displayName,username,Org ID'],
    ['suspend', ''],
  ])('in %s/ are none of %s', (operation, header) => {
    expect(told(operation, header)).toBeUndefined();
  });
});
