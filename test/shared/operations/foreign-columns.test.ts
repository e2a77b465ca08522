import { describe, expect, it } from 'vitest';

import { foreignColumns } from '../../../shared/operations/foreign-columns.ts';
import { OPERATIONS } from '../../../shared/operations/index.ts';

/** Atlassian's export of a directory's people, with all that may be ticked. */
const USERS_EXPORT =
  'User name,User status,Added to org,Org role,Last seen in Jira Service Management - acme,Last seen in Jira - acme,' +
  'Last seen in Confluence - acme,Last seen in Atlas - acme,Jira - acme,Confluence - acme';

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
