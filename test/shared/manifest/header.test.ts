import { describe, expect, it } from 'vitest';

import { ManifestRefused } from '../../../shared/manifest/refusal.ts';
import { leastCells, mapHeader } from '../../../shared/manifest/header.ts';
import { emailChange } from '../../../shared/operations/email-change.ts';
import { membership } from '../../../shared/operations/membership.ts';
import type { Operation } from '../../../shared/operations/operation.ts';
import { suspend } from '../../../shared/operations/suspend.ts';
import { LIMITS } from './read.ts';

const map = (operation: Operation, header: string) => {
  const recipe = operation.cloud;
  if (!recipe) throw new Error(`${operation.name} is not for Cloud`);
  return mapHeader({ line: 1, cells: header.split(',') }, recipe, { limits: LIMITS });
};

describe('the columns of files as they come', () => {
  it.each([
    {
      what: 'the knowledge base: ids',
      operation: membership,
      header: 'userid,groupid',
      columns: ['accountId', 'groupId'],
    },
    {
      what: 'the knowledge base: e-mail and name',
      operation: membership,
      header: 'Email,Group',
      columns: ['email', 'groupName'],
    },
    {
      what: 'the Postman article',
      operation: membership,
      header: 'email,accountId,groupname,groupId',
      columns: ['email', 'accountId', 'groupName', 'groupId'],
    },
    {
      what: "Atlassian's export of users",
      operation: suspend,
      header: 'User id,User name,email,User status,Added to org,Org role,Last seen in Jira - acme',
      columns: ['accountId', null, 'email', null, null, null, null],
    },
    {
      what: "Atlassian's export of users by group",
      operation: membership,
      header: 'User id,User name,email,Group name,Jira - acme',
      columns: ['accountId', null, 'email', 'groupName', null],
    },
    {
      what: 'the old export of a site',
      operation: suspend,
      header: 'id,full_name,email,active,created,Last seen in Jira Software,Username',
      columns: [null, null, 'email', null, null, null, null],
    },
    {
      what: "Atlassian's export of managed accounts",
      operation: suspend,
      header: 'Name,Atlassian ID,Email,Last active,Status,Billable,Policy name,Policy type,Verified email',
      columns: [null, 'accountId', 'email', null, null, null, null, null, null],
    },
    {
      what: 'any order and case, with invisible spaces',
      operation: membership,
      header: '\u00A0GROUP-NAME\u200B,\uFEFFE_Mail',
      columns: ['groupName', 'email'],
    },
    {
      what: 'a comma at the end',
      operation: membership,
      header: 'email,group,,',
      columns: ['email', 'groupName', null, null],
    },
    {
      what: 'email beside new_email',
      operation: emailChange,
      header: 'email,new_email',
      columns: ['oldEmail', 'newEmail'],
    },
    {
      what: 'email without new_email',
      operation: emailChange,
      header: 'userid,email',
      columns: ['accountId', 'newEmail'],
    },
  ])('$what', ({ operation, header, columns }) => {
    expect(map(operation, header).columns).toEqual(columns);
  });

  it('names the columns that are carried along, and not those that Rollcall adds', () => {
    const mapped = map(membership, "email,Office,group,,Rollcall_Line,rollcall_status,'=Cost");

    expect(mapped).toMatchObject({ carriedColumns: ['Office', '=Cost'], escaped: true });
    expect(map(membership, 'email,group,rollcall_status').escaped).toBe(true);
    expect(map(membership, 'email,group').escaped).toBe(false);
  });
});

describe('a refusal of a header speaks of the columns that are there', () => {
  const refused = (
    header: string,
    operation = membership,
    findOtherUse?: (cells: readonly string[]) => string | undefined,
  ) => {
    const wanted = operation.cloud;
    if (!wanted) throw new Error(`${operation.name} is not for Cloud`);
    try {
      mapHeader({ line: 1, cells: header.split(',') }, wanted, { limits: LIMITS, findOtherUse });
    } catch (error) {
      if (error instanceof ManifestRefused) return error.problems.map(({ message }) => message);
      throw error;
    }
    return [];
  };

  it.each([
    [
      'UserPrincipalName,DisplayName,Group',
      /or rename "UserPrincipalName" to email; the file has "UserPrincipalName", /,
    ],
    [
      'Employee ID,Work Email,Personal Email,Group',
      /or rename the one that is meant of "Work Email" and "Personal Email" to email; /,
    ],
    ['email,AD Group', /add groupId .*, or rename "AD Group" to groupName; the file has "email", "AD Group"/],
    ['Mitarbeiter,Gruppe', /rename "Gruppe" to groupName/],
    ['a,b', /^a column is missing: add accountId .* or email .*; the file has "a", "b"$/],
  ])('%s', (header, says) => {
    expect(refused(header)).toEqual(expect.arrayContaining([expect.stringMatching(says)]));
    expect(refused(header).join()).not.toContain('there is no header');
  });

  it.each(['ann@acme.example,staff', '5b10ac8d82e05b22cc7d4e10,staff', '1a2b3c4d-0000-4000-8000-00000000000f,1'])(
    'says that there is no header of the row %s alone',
    (header) => {
      expect(refused(header)).toEqual([expect.stringMatching(/^there is no header: the first line is a row already/)]);
    },
  );

  it('names no more than a dozen of them', () => {
    const header = Array.from({ length: 30 }, (_, index) => `column ${index}`).join(',');

    expect(refused(header)[0]).toMatch(/"column 11", 18 more$/);
  });

  it('adds what else the header fits', () => {
    expect(refused('username,group', membership, () => 'another use')).toContain('another use');
  });

  it('tells of one group a row where a column lists all groups of a person', () => {
    expect(refused('email,Groups')).toEqual([
      expect.stringMatching(/^the column "Groups" lists all groups.*a row names one group/),
    ]);
  });
});

it.each([
  ['email,group,action,Note', 2],
  ['Note,email,action,group', 4],
  ['accountId,email,groupId,group', 3],
])('wants as many cells of a row of %s as one of each kind takes: %i', (header, least) => {
  const wanted = membership.cloud ?? { required: [] };

  expect(leastCells(map(membership, header).columns, wanted)).toBe(least);
});

describe('a column that looks like a misspelt one of ours', () => {
  it.each([
    ['emial,group', '"email"'],
    ['mail,group', '"email"'],
    ['userd,group', '"User id"'],
    ['accuont_id,group', '"accountId"'],
    ['acountid,group', '"accountId"'],
    ['email,grup', '"group"'],
    ['email,groups', 'a row names one group; export again with one row a group'],
    ['email,gruopname', '"groupName"'],
    ['email,group,acton', '"action"'],
    ['email,group,actoin', '"action"'],
    ['email,group,actions', '"action"'],
  ])('refuses %s, and says what it was taken for', (header, taken) => {
    expect(() => map(membership, header)).toThrow(ManifestRefused);
    expect(() => map(membership, header)).toThrow(taken);
  });

  it.each([
    'email,group,active',
    'email,email2,group',
    'email,group,Name,Office,Org,Username',
    'userid,user,group,location',
  ])('accepts %s, where the like column is there or the likeness is small', (header) => {
    expect(map(membership, header).columns).not.toHaveLength(0);
  });
});
